"""Templates as people deploy them: made once for each kind of deployment, with all that cdk-nag says."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from infra.app import EXAMPLE, FLAGS, build
from infra.deployment import Deployment, load, parse

Resource = dict[str, Any]
ROOT = Path(__file__).parents[2]


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--update` for the snapshots of templates."""
    parser.addoption("--update", action="store_true", help="write the snapshots of templates anew")


@dataclass(frozen=True)
class Templates:
    """What one deployment becomes."""

    deployment: Deployment
    stacks: dict[str, dict[str, Any]]

    def of(self, kind: str) -> dict[str, Resource]:
        """Logical id -> properties of the resources of one kind, of all stacks."""
        return {
            f"{stack}/{name}": resource.get("Properties", {})
            for stack, template in self.stacks.items()
            for name, resource in template["Resources"].items()
            if resource["Type"] == kind
        }

    def one(self, kind: str, part: str = "") -> Resource:
        """The properties of the only resource of a kind whose logical id has `part`."""
        found = [properties for name, properties in self.of(kind).items() if part in name]
        assert len(found) == 1, (kind, part, list(self.of(kind)))
        return found[0]

    def resource(self, kind: str) -> Resource:
        """The only resource of a kind, with what it depends on."""
        found = [r for t in self.stacks.values() for r in t["Resources"].values() if r["Type"] == kind]
        assert len(found) == 1
        resource: Resource = found[0]
        return resource

    def statements(self, part: str = "") -> Iterator[tuple[str, Resource]]:
        """Every statement of every policy of a role."""
        for name, properties in self.of("AWS::IAM::Policy").items():
            if part in name:
                for statement in properties["PolicyDocument"]["Statement"]:
                    yield name, statement


def synthesize(deployment: Deployment, out: Path) -> Templates:
    """The templates of a deployment. Raises when cdk-nag finds what is not acknowledged."""
    app = cdk.App(outdir=str(out), context=FLAGS)
    build(app, deployment)
    app.synth()
    found = {path.name.partition(".")[0]: json.loads(path.read_text()) for path in out.glob("*.template.json")}
    return Templates(deployment, found)


def example(**changes: Any) -> Deployment:
    """The example's deployment with these lines changed."""
    return parse({**tomllib.loads(EXAMPLE.read_text()), **changes})


@pytest.fixture(scope="session")
def production(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """The example as it stands."""
    return synthesize(load(EXAMPLE), tmp_path_factory.mktemp("production"))


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """The smallest, without anything that can be left out."""
    bare = {"size": "small", "tenants": [], "channels": [], "cors_origins": [], "settings": {}}
    return synthesize(example(**bare), tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="session")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """Staging with every choice that the example leaves off."""
    choices = {
        "size": "staging",
        "auth": {"cognito": True},
        "channels": ["slack", "telegram", "whatsapp", "twilio", "standard"],
        "database_proxy": True,
        "exec": True,
        "traces": True,
        "encryption": "on",
        "architecture": "arm64",
        "hosted_zone": "Z0123456789ABCDEFGHIJ",
        "guardrail": "arn:aws:bedrock:eu-west-1:111111111111:guardrail/abcdefghijkl:1",
    }
    return synthesize(example(**choices), tmp_path_factory.mktemp("everything"))


@pytest.fixture(scope="session")
def by_tokens(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """A small one whose service logs in by tokens of IAM."""
    return synthesize(example(size="small", database_iam=True), tmp_path_factory.mktemp("by-tokens"))


@pytest.fixture(params=["production", "small", "everything"])
def any_size(request: pytest.FixtureRequest) -> Templates:
    """Each of them in turn."""
    templates: Templates = request.getfixturevalue(request.param)
    return templates
