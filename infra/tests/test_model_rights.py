"""What the settings have the service ask of Bedrock, its role and the way there allow; and nothing else."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from typing import Any

import pytest

from infra.deployment import foundation
from infra.tests.conftest import Templates
from infra.tests.test_service import variables

ELSEWHERE = ("us-east-1", "eu-central-1", "")  # where a profile over regions sends a call to; "": the global ones


def text(value: Any) -> str:
    """A template's value as text, with what is known only when it is deployed in angle brackets."""
    match value:
        case {"Fn::GetAtt": [str(name), str(attribute)]}:
            return f"<{name}.{attribute}>"
        case {"Fn::Join": [str(between), list(parts)]}:
            return between.join(map(text, parts))
        case {"Ref": str(name)} | {"Fn::ImportValue": str(name)}:
            return f"<{name}>"
    return str(value)


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def allows(statements: list[Any], action: str, arn: str, by: str | None = None) -> bool:
    """Whether a statement allows the action on the resource, when the call comes by way of the profile `by`."""
    for statement in statements:
        condition = statement.get("Condition", {}).get("StringEquals", {}).get("bedrock:InferenceProfileArn")
        if (
            action in listed(statement["Action"])
            and any(fnmatchcase(arn, text(resource)) for resource in listed(statement["Resource"]))
            and (condition is None or by in [text(profile) for profile in listed(condition)])
        ):
            return True
    return False


@pytest.fixture
def role(any_size: Templates) -> list[Any]:
    """What the service's role may do with Bedrock."""
    found = [s for _, s in any_size.statements("TaskServiceTaskRole")]
    return [s for s in found if any(a.startswith("bedrock:Invoke") for a in listed(s["Action"]))]


@pytest.mark.parametrize("action", ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"])
def test_every_model_that_the_settings_name_may_be_asked(any_size: Templates, role: list[Any], action: str) -> None:
    """The model's own profile, every tenant's, and each that stands in, in whatever region its profile leads to."""
    given, deployment = variables(any_size, "penny"), any_size.deployment
    tenants = json.loads(text(given.get("PENNY_MODEL_PROFILES", "{}")))
    assert set(tenants) == set(deployment.tenants)
    for profile in (text(given["PENNY_MODEL"]).removeprefix("bedrock:"), *tenants.values()):
        assert allows(role, action, profile), profile
        for region in ELSEWHERE:
            model = f"arn:aws:bedrock:{region}::foundation-model/{foundation(deployment.model)}"
            assert allows(role, action, model, by=profile)
            assert not allows(role, action, model), "the model itself, on nobody's bill"
    standing_in = [name for name in given.get("PENNY_MODEL_FALLBACK", "").split(",") if name]
    assert standing_in == [f"bedrock:{model}" for model in deployment.fallback]
    for name in standing_in:
        model = name.removeprefix("bedrock:")
        profile = f"arn:aws:bedrock:{deployment.region}:{deployment.account}:inference-profile/{model}"
        assert allows(role, action, profile)
        for region in ELSEWHERE:
            assert allows(role, action, f"arn:aws:bedrock:{region}::foundation-model/{foundation(model)}", by=profile)


def test_no_other_model_may_be_asked(any_size: Templates, role: list[Any]) -> None:
    """Neither a dearer one nor the profile of another deployment."""
    place = f"arn:aws:bedrock:{any_size.deployment.region}"
    profile = f"{place}:{any_size.deployment.account}:application-inference-profile/another"
    dear = "anthropic.claude-opus-4-1-20250805-v1:0"
    for arn in (profile, f"{place}::foundation-model/{dear}", f"{place}:111111111111:inference-profile/eu.{dear}"):
        assert not allows(role, "bedrock:InvokeModel", arn, by=profile)


def test_the_way_to_bedrock_is_open_for_what_the_role_may_ask(production: Templates) -> None:
    """The endpoint's policy lets through every model of the deployment."""
    (endpoint,) = [
        e
        for e in production.of("AWS::EC2::VPCEndpoint").values()
        if "bedrock-runtime" in str(e["ServiceName"]) and "PolicyDocument" in e
    ]
    statements = endpoint["PolicyDocument"]["Statement"]
    deployment = production.deployment
    assert deployment.fallback
    for model in deployment.models:
        assert allows(
            statements, "bedrock:InvokeModel", f"arn:aws:bedrock:eu-north-1::foundation-model/{foundation(model)}"
        )
    profile = f"arn:aws:bedrock:{deployment.region}:{deployment.account}:application-inference-profile/abc"
    assert allows(statements, "bedrock:InvokeModelWithResponseStream", profile)
