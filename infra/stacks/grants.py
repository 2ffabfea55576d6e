"""What may be asked of Bedrock, and who may use a key: statements that more than one stack needs."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from infra.deployment import Deployment

INVOKE = ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"]


def model_arns(deployment: Deployment) -> list[str]:
    """The one model, in whatever region of its geography the profile sends a call to."""
    region = "*" if deployment.foundation_model != deployment.model else deployment.region
    return [f"arn:aws:bedrock:{region}::foundation-model/{deployment.foundation_model}"]


def model_source(deployment: Deployment) -> str:
    """The ARN that application inference profiles are made from."""
    if deployment.foundation_model == deployment.model:
        return model_arns(deployment)[0]
    return f"arn:aws:bedrock:{deployment.region}:{deployment.account}:inference-profile/{deployment.model}"


def models_allowed(deployment: Deployment, principals: Sequence[iam.IPrincipal]) -> iam.PolicyStatement:
    """Calls of the deployment's model by way of profiles of its account, and of its guardrail."""
    actions, resources = list(INVOKE), model_arns(deployment)
    resources.append(f"arn:aws:bedrock:{deployment.region}:{deployment.account}:application-inference-profile/*")
    if deployment.foundation_model != deployment.model:
        resources.append(model_source(deployment))
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
