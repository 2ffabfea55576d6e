"""Three kinds of subnets in each zone, AWS's services by private addresses, and a log of what was refused."""

from __future__ import annotations

from typing import Any

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.deployment import Deployment
from infra.stacks.grants import allow_logs, models_allowed
from infra.stacks.retention import retention


def _services(deployment: Deployment) -> dict[str, ec2.InterfaceVpcEndpointAwsService]:
    known = ec2.InterfaceVpcEndpointAwsService
    services = {
        "BedrockRuntime": known.BEDROCK_RUNTIME,
        "SecretsManager": known.SECRETS_MANAGER,
        "Ecr": known.ECR,
        "EcrDocker": known.ECR_DOCKER,
        "Logs": known.CLOUDWATCH_LOGS,
        "Monitoring": known.CLOUDWATCH_MONITORING,
        "Sts": known.STS,
        "Rds": known.RDS,
    }
    if deployment.encryption != "off":
        services["Kms"] = known.KMS
    return {**services, "XRay": known.XRAY} if deployment.traces else services


class Network(Stack):
    """Load balancers are in `public`, tasks in `app`, the database in `db`, which has no way out."""

    def __init__(self, scope: Construct, id: str, deployment: Deployment, **kwargs: Any) -> None:
        super().__init__(scope, id, **kwargs)
        size = deployment.size
        self.log_key = kms.Key(
            self, "LogKey", enable_key_rotation=True, description="Logs of Penny", removal_policy=RemovalPolicy.RETAIN
        )
        allow_logs(self.log_key, self)
        flows = logs.LogGroup(
            self,
            "Flows",
            retention=retention(size.log_days),
            encryption_key=self.log_key,
            removal_policy=RemovalPolicy.DESTROY,
        )
        self.vpc = ec2.Vpc(
            self,
            "Vpc",
            availability_zones=deployment.availability_zones,
            nat_gateways=min(size.nat_gateways, len(deployment.zones)),
            restrict_default_security_group=True,
            subnet_configuration=[
                ec2.SubnetConfiguration(
                    name="public",
                    subnet_type=ec2.SubnetType.PUBLIC,
                    cidr_mask=24,
                    map_public_ip_on_launch=False,
                ),
                ec2.SubnetConfiguration(name="app", subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS, cidr_mask=20),
                ec2.SubnetConfiguration(name="db", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, cidr_mask=24),
            ],
            flow_logs={
                "Refused": ec2.FlowLogOptions(
                    traffic_type=ec2.FlowLogTrafficType.REJECT,
                    destination=ec2.FlowLogDestination.to_cloud_watch_logs(flows),
                )
            },
        )
        self.vpc.add_gateway_endpoint("S3", service=ec2.GatewayVpcEndpointAwsService.S3)
        self.endpoint_group: ec2.SecurityGroup | None = None
        if size.interface_endpoints:
            self._endpoints(deployment)

    def _endpoints(self, deployment: Deployment) -> None:
        self.endpoint_group = ec2.SecurityGroup(
            self, "EndpointGroup", vpc=self.vpc, allow_all_outbound=False, description="Services of AWS for Penny"
        )
        for name, service in _services(deployment).items():
            endpoint = self.vpc.add_interface_endpoint(
                name,
                service=service,
                security_groups=[self.endpoint_group],
                open=False,
                subnets=ec2.SubnetSelection(subnet_group_name="app"),
            )
            statement = (
                models_allowed(deployment, [iam.AnyPrincipal()])
                if name == "BedrockRuntime"
                else iam.PolicyStatement(principals=[iam.AnyPrincipal()], actions=["*"], resources=["*"])
            )
            # Whoever gets hold of a task cannot use these doors with credentials of another account.
            statement.add_condition("StringEquals", {"aws:PrincipalAccount": self.account})
            endpoint.add_to_policy(statement)
