"""What may be asked of Bedrock, and who may use a key: statements that more than one stack needs."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from infra.deployment import Deployment, foundation

INVOKE = ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"]


def model_arns(deployment: Deployment, model: str) -> list[str]:
    """The one model, in whatever region of its geography the profile sends a call to."""
    region = "*" if foundation(model) != model else deployment.region
    return [f"arn:aws:bedrock:{region}::foundation-model/{foundation(model)}"]


def model_source(deployment: Deployment, model: str) -> str:
    """The ARN that application inference profiles are made from: the system's profile, or the model itself."""
    if foundation(model) == model:
        return model_arns(deployment, model)[0]
    return f"arn:aws:bedrock:{deployment.region}:{deployment.account}:inference-profile/{model}"


def may_ask(deployment: Deployment, profiles: Sequence[str]) -> list[iam.PolicyStatement]:
    """Calls of the deployment's model by way of these profiles of its own, and of those that stand in for it."""
    sources = [model_source(deployment, deployment.model), *model_arns(deployment, deployment.model)]
    statements = [
        iam.PolicyStatement(actions=INVOKE, resources=list(profiles)),
        # The model itself only by way of these profiles, so that every token is on a tenant's bill.
        _by_way_of(list(profiles), list(dict.fromkeys(sources))),
    ]
    for model in deployment.fallback:
        source = model_source(deployment, model)
        statements.append(iam.PolicyStatement(actions=INVOKE, resources=[source]))
        if foundation(model) != model:
            statements.append(_by_way_of([source], model_arns(deployment, model)))
    return statements


def _by_way_of(profiles: list[str], resources: list[str]) -> iam.PolicyStatement:
    condition = {"StringEquals": {"bedrock:InferenceProfileArn": profiles}}
    return iam.PolicyStatement(actions=INVOKE, resources=resources, conditions=condition)


def models_allowed(deployment: Deployment, principals: Sequence[iam.IPrincipal]) -> iam.PolicyStatement:
    """Calls of the deployment's models, by way of profiles of its account or not, and of its guardrail."""
    actions = list(INVOKE)
    resources = [f"arn:aws:bedrock:{deployment.region}:{deployment.account}:application-inference-profile/*"]
    for model in deployment.models:
        resources += dict.fromkeys([*model_arns(deployment, model), model_source(deployment, model)])
    if deployment.guardrail:
        actions.append("bedrock:ApplyGuardrail")
        resources.append(deployment.guardrail.rpartition(":")[0])
    return iam.PolicyStatement(principals=list(principals), actions=actions, resources=resources)


def allow_logs(key: kms.Key, stack: Stack) -> None:
    """CloudWatch Logs may encrypt the log groups of this account and region with `key`, and nothing else."""
    key.add_to_resource_policy(
        iam.PolicyStatement(
            principals=[iam.ServicePrincipal(f"logs.{stack.region}.amazonaws.com")],
            actions=["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
            resources=["*"],
            conditions={
                "ArnLike": {"kms:EncryptionContext:aws:logs:arn": f"arn:aws:logs:{stack.region}:{stack.account}:*"}
            },
        )
    )
