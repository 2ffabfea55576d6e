"""The schema before the code: a task runs the new image's `penny migrate`, and all else waits for it."""

from __future__ import annotations

from pathlib import Path

from aws_cdk import CustomResource, Duration, RemovalPolicy, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import custom_resources as cr
from constructs import Construct

from infra.deployment import Deployment
from infra.stacks.retention import retention

FUNCTION = Path(__file__).parents[1] / "functions" / "migrate"
LONGEST = Duration.hours(1)


class Migration(Construct):
    """A custom resource that is done when the migration's task has ended with 0; see decision 0066."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        deployment: Deployment,
        *,
        cluster: ecs.Cluster,
        definition: ecs.FargateTaskDefinition,
        subnets: list[str],
        group: ec2.SecurityGroup,
        log_key: kms.Key,
    ) -> None:
        super().__init__(scope, id)
        log_group = logs.LogGroup(
            self,
            "Log",
            retention=retention(deployment.size.log_days),
            removal_policy=RemovalPolicy.DESTROY,
            encryption_key=log_key,
        )
        start, look = (self._function(name, log_group) for name in ("start", "look"))
        start.add_to_role_policy(
            iam.PolicyStatement(
                actions=["ecs:RunTask"],
                resources=[definition.task_definition_arn],
                conditions={"ArnEquals": {"ecs:cluster": cluster.cluster_arn}},
            )
        )
        start.add_to_role_policy(
            iam.PolicyStatement(actions=["cloudformation:DescribeStacks"], resources=[Stack.of(self).stack_id])
        )
        assert definition.execution_role is not None
        start.add_to_role_policy(
            iam.PolicyStatement(
                actions=["iam:PassRole"],
                resources=[definition.task_role.role_arn, definition.execution_role.role_arn],
                conditions={"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
            )
        )
        look.add_to_role_policy(
            iam.PolicyStatement(
                actions=["ecs:DescribeTasks"],
                resources=["*"],
                conditions={"ArnEquals": {"ecs:cluster": cluster.cluster_arn}},
            )
        )
        provider = cr.Provider(
            self,
            "Provider",
            on_event_handler=start,
            is_complete_handler=look,
            query_interval=Duration.seconds(10),
            total_timeout=LONGEST,
            log_group=log_group,
            disable_waiter_state_machine_logging=False,
            waiter_state_machine_log_options=cr.LogOptions(
                destination=log_group, level=sfn.LogLevel.ALL, include_execution_data=False
            ),
        )
        self.resource = CustomResource(
            self,
            "Run",
            resource_type="Custom::PennyMigration",
            service_token=provider.service_token,
            properties={
                "Cluster": cluster.cluster_arn,
                "TaskDefinition": definition.task_definition_arn,
                "Subnets": subnets,
                "SecurityGroup": group.security_group_id,
            },
        )

    def _function(self, name: str, log_group: logs.LogGroup) -> lambda_.Function:
        return lambda_.Function(
            self,
            name.capitalize(),
            runtime=lambda_.Runtime.PYTHON_3_14,
            handler=f"index.{name}",
            code=lambda_.Code.from_asset(str(FUNCTION), exclude=["__pycache__"]),
            timeout=Duration.minutes(1),
            log_group=log_group,
            description=f"Penny's migration: {name}",
        )
