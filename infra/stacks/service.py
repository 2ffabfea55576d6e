"""Penny on Fargate behind a load balancer: migrated first, drained in peace, as many tasks as there are replies."""

from __future__ import annotations

from typing import Any

from aws_cdk import CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_applicationautoscaling as scaling
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elb
from aws_cdk import aws_logs as logs
from aws_cdk import aws_route53 as route53
from aws_cdk import aws_route53_targets as targets
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.deployment import Deployment
from infra.stacks.data import PORT, Data
from infra.stacks.identity import auth_settings
from infra.stacks.images import Images
from infra.stacks.metrics import own
from infra.stacks.migration import Migration
from infra.stacks.network import Network
from infra.stacks.retention import retention
from infra.stacks.task import HTTP_PORT, STOP_SECONDS, Task
from infra.stacks.waf import Firewall

IDLE_SECONDS = 120
"""Above Penny's heartbeat of 15 s, below its keep-alive of 130 s, so that the balancer ends an idle connection."""


class Service(Stack):
    """The service and its only door."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        deployment: Deployment,
        *,
        images: Images,
        network: Network,
        data: Data,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, id, **kwargs)
        self._deployment = deployment
        size, self._vpc = deployment.size, network.vpc
        self.log_group = logs.LogGroup(
            self,
            "Log",
            log_group_name=f"/penny/{deployment.name}",
            retention=retention(size.log_days),
            encryption_key=network.log_key,
            removal_policy=RemovalPolicy.RETAIN if size.protected else RemovalPolicy.DESTROY,
        )
        insights = ecs.ContainerInsights.ENHANCED if size.enhanced_insights else ecs.ContainerInsights.ENABLED
        self.cluster = ecs.Cluster(self, "Cluster", vpc=self._vpc, container_insights_v2=insights)
        public = self._vpc.select_subnets(subnet_group_name="public").subnets
        self.task = Task(
            self,
            "Task",
            deployment,
            images=images,
            data=data,
            log_group=self.log_group,
            auth=auth_settings(self, deployment),
            proxies=[subnet.ipv4_cidr_block for subnet in public],
        )
        self.group, balancer_group, doors = self._groups(network, data)
        self.migration = Migration(
            self,
            "Migration",
            deployment,
            cluster=self.cluster,
            definition=self.task.migration,
            subnets=self._vpc.select_subnets(subnet_group_name="app").subnet_ids,
            group=self.group,
            log_key=network.log_key,
        )
        self.migration.resource.node.add_dependency(self.task, *doors)
        self.service = self._service()
        self.balancer = self._balancer(balancer_group)
        self.target_group = self._listen()
        Firewall(self, "Firewall", deployment, balancer=self.balancer, log_key=network.log_key)
        self._scale()
        self._name()

    def _groups(
        self, network: Network, data: Data
    ) -> tuple[ec2.SecurityGroup, ec2.SecurityGroup, list[ec2.CfnSecurityGroupIngress]]:
        """Who may talk to whom, by group and never by address. Rules on other stacks' groups stand here, so that those
        stacks do not depend on this one."""
        balancer = ec2.SecurityGroup(
            self, "BalancerGroup", vpc=self._vpc, allow_all_outbound=False, description="The load balancer of Penny"
        )
        tasks = ec2.SecurityGroup(
            self, "TaskGroup", vpc=self._vpc, allow_all_outbound=False, description="The tasks of Penny"
        )
        balancer.add_ingress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(443), "everybody")
        balancer.add_egress_rule(tasks, ec2.Port.tcp(HTTP_PORT), "the tasks")
        tasks.add_ingress_rule(balancer, ec2.Port.tcp(HTTP_PORT), "the load balancer")
        # Identity providers, messaging apps and Bedrock's other regions have no address that could be named.
        tasks.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(443), "AWS, identity provider, messaging apps")
        doors = {"Database": (data.entrance, PORT), "Reader": (data.group, PORT)}
        if data.entrance is data.group:
            del doors["Reader"]
        if network.endpoint_group:
            doors["Endpoints"] = (network.endpoint_group, 443)
        rules = []
        for name, (group, port) in doors.items():
            peer = ec2.Peer.security_group_id(group.security_group_id)
            tasks.add_egress_rule(peer, ec2.Port.tcp(port), name)
            rule = ec2.CfnSecurityGroupIngress(
                self,
                f"{name}Door",
                group_id=group.security_group_id,
                source_security_group_id=tasks.security_group_id,
                ip_protocol="tcp",
                from_port=port,
                to_port=port,
                description="The tasks of Penny",
            )
            rules.append(rule)
        return tasks, balancer, rules

    def _service(self) -> ecs.FargateService:
        size = self._deployment.size
        service = ecs.FargateService(
            self,
            "Service",
            service_name=self._deployment.prefix,
            cluster=self.cluster,
            task_definition=self.task.service,
            desired_count=size.tasks,
            min_healthy_percent=100,
            max_healthy_percent=200,
            circuit_breaker=ecs.DeploymentCircuitBreaker(enable=True, rollback=True),
            availability_zone_rebalancing=ecs.AvailabilityZoneRebalancing.ENABLED,
            vpc_subnets=ec2.SubnetSelection(subnet_group_name="app"),
            security_groups=[self.group],
            enable_execute_command=self._deployment.exec,
            enable_ecs_managed_tags=True,
            propagate_tags=ecs.PropagatedTagSource.SERVICE,
            health_check_grace_period=Duration.seconds(60),
        )
        service.node.add_dependency(self.migration.resource)
        return service

    def _balancer(self, group: ec2.SecurityGroup) -> elb.ApplicationLoadBalancer:
        size = self._deployment.size
        balancer = elb.ApplicationLoadBalancer(
            self,
            "Balancer",
            vpc=self._vpc,
            internet_facing=True,
            security_group=group,
            vpc_subnets=ec2.SubnetSelection(subnet_group_name="public"),
            idle_timeout=Duration.seconds(IDLE_SECONDS),
            drop_invalid_header_fields=True,
            desync_mitigation_mode=elb.DesyncMitigationMode.STRICTEST,
            deletion_protection=size.protected,
        )
        self.access_logs = s3.Bucket(
            self,
            "AccessLogs",
            encryption=s3.BucketEncryption.S3_MANAGED,  # the only one that load balancers can write with
            enforce_ssl=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            versioned=True,
            lifecycle_rules=[
                s3.LifecycleRule(
                    expiration=Duration.days(size.log_days), noncurrent_version_expiration=Duration.days(7)
                )
            ],
            removal_policy=RemovalPolicy.RETAIN,
        )
        balancer.log_access_logs(self.access_logs)
        return balancer

    def _listen(self) -> elb.ApplicationTargetGroup:
        certificate = acm.Certificate.from_certificate_arn(self, "Certificate", self._deployment.certificate)
        listener = self.balancer.add_listener(
            "Https",
            port=443,
            certificates=[certificate],
            ssl_policy=elb.SslPolicy.RECOMMENDED_TLS,
            open=False,
        )
        return listener.add_targets(
            "Tasks",
            port=HTTP_PORT,
            protocol=elb.ApplicationProtocol.HTTP,
            targets=[self.service],
            # Streams differ in length a thousandfold; counting requests would pile them up on one task.
            load_balancing_algorithm_type=elb.TargetGroupLoadBalancingAlgorithmType.LEAST_OUTSTANDING_REQUESTS,
            deregistration_delay=Duration.seconds(STOP_SECONDS),
            health_check=elb.HealthCheck(
                path="/readyz",
                interval=Duration.seconds(10),
                timeout=Duration.seconds(5),
                healthy_threshold_count=2,
                unhealthy_threshold_count=3,
            ),
        )

    def _scale(self) -> None:
        size, busy = self._deployment.size, self._deployment.busy
        tasks = self.service.auto_scale_task_count(min_capacity=size.tasks, max_capacity=size.tasks_most)
        tasks.scale_on_cpu_utilization(
            "Cpu",
            target_utilization_percent=60,
            scale_in_cooldown=Duration.minutes(5),
            scale_out_cooldown=Duration.minutes(1),
        )
        tasks.scale_to_track_custom_metric(
            "Streams",
            metric=own("ActiveStreams", "Average"),
            target_value=size.streams_per_task,
            scale_in_cooldown=Duration.minutes(5),
            scale_out_cooldown=Duration.minutes(1),
        )
        if busy is not None:
            for id, hour, least in (("BusyBegins", busy.start, size.tasks_busy), ("BusyEnds", busy.end, size.tasks)):
                schedule = scaling.Schedule.cron(minute="0", hour=str(hour), week_day=busy.days)
                tasks.scale_on_schedule(id, schedule=schedule, min_capacity=least, max_capacity=size.tasks_most)

    def _name(self) -> None:
        deployment = self._deployment
        if deployment.hosted_zone:
            zone = route53.HostedZone.from_hosted_zone_attributes(
                self, "Zone", hosted_zone_id=deployment.hosted_zone, zone_name=deployment.domain.partition(".")[2]
            )
            target = route53.RecordTarget.from_alias(targets.LoadBalancerTarget(self.balancer))
            route53.ARecord(self, "Name", zone=zone, record_name=f"{deployment.domain}.", target=target)
        CfnOutput(self, "Address", value=f"https://{deployment.domain}")
        CfnOutput(
            self,
            "BalancerName",
            value=self.balancer.load_balancer_dns_name,
            description="what the domain must point to (CNAME or alias)",
        )
        CfnOutput(self, "ClusterName", value=self.cluster.cluster_name)
        CfnOutput(self, "LogGroup", value=self.log_group.log_group_name)
