"""What cdk-nag finds and we mean to have, each with the reason. Anything it finds beyond this fails the synthesis."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from aws_cdk import Acknowledgment, Stack, Validations
from constructs import IConstruct

from infra.deployment import Deployment
from infra.stacks.grants import model_arns

BASIC_ROLE = "AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]"


@dataclass(frozen=True)
class Accepted:
    """One finding at one construct of one stack."""

    stack: str
    path: str
    finding: str
    reason: str


def accepted(deployment: Deployment) -> Iterator[Accepted]:
    """Every finding that is accepted in `deployment`."""
    monitoring = (
        "AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole]"
    )
    yield Accepted(
        "Data", "Aurora", monitoring, "Enhanced monitoring takes this policy of AWS's; it can write to one log group."
    )
    if not deployment.size.protected:
        trial = "A trial or staging database may be deleted; a last snapshot is taken all the same."
        yield Accepted("Data", "Aurora", "AwsSolutions-RDS10", trial)
    public = "The load balancer is what everybody talks to, by TLS on port 443 only and behind the firewall."
    yield Accepted("Service", "BalancerGroup", "AwsSolutions-EC23", public)
    itself = "This is where access logs go; a log of reading the log would need a bucket of its own, and so on."
    yield Accepted("Service", "AccessLogs", "AwsSolutions-S1", itself)
    for task in ("Service", "Migration"):
        plain = (
            "The variables are addresses, names and ARNs; what is secret is fetched from Secrets Manager by the task."
        )
        yield Accepted("Service", f"Task/{task}", "AwsSolutions-ECS2", plain)
        login = (
            "ecr:GetAuthorizationToken knows no resources; everything else in the policy names the repository and log."
        )
        yield Accepted("Service", f"Task/{task}/ExecutionRole", "AwsSolutions-IAM5[Resource::*]", login)
    yield from _model(deployment)
    yield from _migration()


def _model(deployment: Deployment) -> Iterator[Accepted]:
    for arn in dict.fromkeys(arn for model in deployment.models for arn in model_arns(deployment, model)):
        if "*" in arn:
            regions = (
                "One model, in whichever region of its geography a cross-region profile sends the call to; a condition "
                "allows it by way of the profiles that are named only."
            )
            yield Accepted("Service", "Task/Service/TaskRole", f"AwsSolutions-IAM5[Resource::{arn}]", regions)
    if deployment.channels:
        random = (
            "Secrets Manager puts six random characters behind a secret's name; the team makes these secrets by name."
        )
        for channel in deployment.channels:
            place = f"arn:aws:secretsmanager:{deployment.region}:{deployment.account}:secret"
            name = f"{place}:{deployment.prefix}/channels/{channel}-??????"
            yield Accepted("Service", "Task/Service/TaskRole", f"AwsSolutions-IAM5[Resource::{name}]", random)
    if deployment.traces:
        xray = "X-Ray's actions for sending traces know no resources."
        yield Accepted("Service", "Task/Service/TaskRole", "AwsSolutions-IAM5[Resource::*]", xray)
    if deployment.exec:
        shells = (
            "Session Manager's channels have no names before they are opened; shells are off unless a deployment asks."
        )
        yield Accepted("Service", "Task/Service/TaskRole", "AwsSolutions-IAM5[Resource::*]", shells)


def _migration() -> Iterator[Accepted]:
    look = "ecs:DescribeTasks is limited by a condition to the cluster; a task's name is not known before it runs."
    yield Accepted("Service", "Migration/Look/ServiceRole", "AwsSolutions-IAM5[Resource::*]", look)
    logs = "It may write logs, and nothing else comes by this policy of AWS's."
    parts = ("Provider/framework-onEvent", "Provider/framework-isComplete", "Provider/framework-onTimeout")
    for path in ("Start", "Look", *parts):
        yield Accepted("Service", f"Migration/{path}/ServiceRole", BASIC_ROLE, logs)
    versions = "The star is a version of one function: CDK's own provider framework calls it."
    for part in parts:
        for function in ("MigrationStartA0FC1090", "MigrationLookEFC3C7DC"):
            finding = f"AwsSolutions-IAM5[Resource::<{function}.Arn>:*]"
            yield Accepted("Service", f"Migration/{part}/ServiceRole", finding, versions)
    waiter = "Migration/Provider/waiter-state-machine"
    for function in ("MigrationProviderframeworkisCompleteD18FDEF4", "MigrationProviderframeworkonTimeout22B578D9"):
        yield Accepted("Service", f"{waiter}/Role", f"AwsSolutions-IAM5[Resource::<{function}.Arn>:*]", versions)
    traced = "It waits for one task of one deployment; its log tells all that a trace would."
    yield Accepted("Service", waiter, "AwsSolutions-SF2", traced)
    delivery = "Step Functions' log delivery knows no resources."
    yield Accepted("Service", f"{waiter}/Role", "AwsSolutions-IAM5[Resource::*]", delivery)


def acknowledge(stacks: dict[str, Stack], deployment: Deployment) -> None:
    """Tells cdk-nag. Raises ValueError when a construct is not there any more."""
    for one in accepted(deployment):
        at: IConstruct = stacks[one.stack]
        for part in one.path.split("/"):
            found = at.node.try_find_child(part)
            if found is None:
                raise ValueError(f"{one.stack}/{one.path} is not there; take it out of infra/acknowledgements.py.")
            at = found
        Validations.of(at).acknowledge(Acknowledgment(id=one.finding, reason=one.reason))
