"""Aurora PostgreSQL: a writer and readers that scale by themselves, encrypted, backed up to any second."""

from __future__ import annotations

import json
from typing import Any

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_rds as rds
from aws_cdk import aws_secretsmanager as sm
from constructs import Construct

from infra.deployment import Deployment
from infra.stacks.network import Network
from infra.stacks.retention import retention

PORT = 5432
DATABASE = "penny"
OWNER = "penny_admin"
"""Makes roles and schema, by `penny migrate` only. RDS keeps and rotates its password."""
SERVICE = "penny_service"
"""What the service logs in as: a login without rights of its own, that may act as penny_app and penny_worker."""

PARAMETERS = {
    "rds.force_ssl": "1",
    "log_min_duration_statement": "500",
    "log_parameter_max_length": "0",  # statements with their values would put people's money into the log
    "log_parameter_max_length_on_error": "0",
    "idle_in_transaction_session_timeout": "60000",
    "pgaudit.log": "ddl,role",
    "shared_preload_libraries": "pg_stat_statements,pgaudit",
}


class Data(Stack):
    """The database, its key, and the login that the service has."""

    def __init__(self, scope: Construct, id: str, deployment: Deployment, network: Network, **kwargs: Any) -> None:
        super().__init__(scope, id, **kwargs)
        size, vpc = deployment.size, network.vpc
        self.key = kms.Key(
            self, "Key", enable_key_rotation=True, description="Penny's data", removal_policy=RemovalPolicy.RETAIN
        )
        self.texts = None if deployment.encryption == "off" else self._texts_key()
        self.group = ec2.SecurityGroup(
            self, "Group", vpc=vpc, allow_all_outbound=False, description="The database of Penny"
        )
        log_group = logs.LogGroup(  # RDS would make it itself, to be kept for ever
            self,
            "Log",
            log_group_name=f"/aws/rds/cluster/{deployment.prefix}/postgresql",
            retention=retention(size.log_days),
            encryption_key=network.log_key,
            removal_policy=RemovalPolicy.DESTROY,
        )
        insights: dict[str, Any] = {
            "enable_performance_insights": True,
            "performance_insight_encryption_key": self.key,
            "performance_insight_retention": (
                rds.PerformanceInsightRetention.MONTHS_15
                if size.enhanced_insights
                else rds.PerformanceInsightRetention.DEFAULT
            ),
        }
        writer = rds.ClusterInstance.serverless_v2("Writer", **insights)
        readers = [
            # The first is what is failed over to, so it is kept as large as the writer.
            rds.ClusterInstance.serverless_v2(f"Reader{n + 1}", scale_with_writer=n == 0, **insights)
            for n in range(size.readers)
        ]
        self.cluster = rds.DatabaseCluster(
            self,
            "Aurora",
            cluster_identifier=deployment.prefix,
            engine=rds.DatabaseClusterEngine.aurora_postgres(version=rds.AuroraPostgresEngineVersion.VER_18_4),
            credentials=rds.Credentials.from_username(OWNER, encryption_key=self.key),
            manage_master_user_password=True,
            writer=writer,
            readers=readers,
            serverless_v2_min_capacity=size.acu,
            serverless_v2_max_capacity=size.acu_most,
            vpc=vpc,
            vpc_subnets=ec2.SubnetSelection(subnet_group_name="db"),
            security_groups=[self.group],
            port=PORT,
            default_database_name=DATABASE,
            backup=rds.BackupProps(retention=Duration.days(size.backup_days), preferred_window="02:00-03:00"),
            preferred_maintenance_window="sun:03:30-sun:04:30",
            copy_tags_to_snapshot=True,
            storage_encrypted=True,
            storage_encryption_key=self.key,
            iam_authentication=True,
            deletion_protection=size.protected,
            delete_automated_backups=not size.protected,
            removal_policy=RemovalPolicy.SNAPSHOT,
            cloudwatch_logs_exports=["postgresql"],
            **insights,
            database_insights_mode=(
                rds.DatabaseInsightsMode.ADVANCED if size.enhanced_insights else rds.DatabaseInsightsMode.STANDARD
            ),
            monitoring_interval=Duration.seconds(60),
            parameters=PARAMETERS,
            auto_minor_version_upgrade=True,
        )
        self.cluster.node.add_dependency(log_group)
        self.login = None if deployment.database_iam else self._login(deployment, vpc)
        self.host = self.cluster.cluster_endpoint.hostname
        self.entrance = self.group
        if deployment.database_proxy:
            assert self.login is not None
            self._proxy(vpc, self.login)

    def _texts_key(self) -> kms.Key:
        """What wraps users' keys. Not the database's own: who may restore a snapshot cannot open texts thereby."""
        return kms.Key(
            self,
            "TextsKey",
            enable_key_rotation=True,
            description="Wraps the keys of what Penny's users write",
            removal_policy=RemovalPolicy.RETAIN,  # without it the texts are gone, those in backups too
        )

    def _login(self, deployment: Deployment, vpc: ec2.Vpc) -> sm.Secret:
        """The service's login. `penny migrate` makes it in the database from this secret; rotation changes both."""
        secret = sm.Secret(
            self,
            "Login",
            secret_name=f"{deployment.prefix}/database",
            description="The login of Penny's service in its database",
            encryption_key=self.key,
            generate_secret_string=sm.SecretStringGenerator(
                secret_string_template=json.dumps({"username": SERVICE}),
                generate_string_key="password",
                exclude_punctuation=True,
                password_length=40,
            ),
        )
        attached = secret.attach(self.cluster)
        rotator = ec2.SecurityGroup(
            self, "Rotator", vpc=vpc, allow_all_outbound=False, description="Changes the password of the login of Penny"
        )
        rotator.add_egress_rule(self.group, ec2.Port.tcp(PORT), "the database")
        rotator.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(443), "Secrets Manager")
        rotation = sm.SecretRotation(
            self,
            "Rotation",
            application=sm.SecretRotationApplication.POSTGRES_ROTATION_SINGLE_USER,
            secret=attached,
            target=self.cluster,
            vpc=vpc,
            vpc_subnets=ec2.SubnetSelection(subnet_group_name="app"),
            security_group=rotator,
            automatically_after=Duration.days(30),
            rotate_immediately_on_update=False,  # the login is not there before the first migration
            exclude_characters=" %+~`#$&*()|[]{}:;<>?!'/@\"\\",
        )
        rotation.node.add_dependency(self.cluster)
        return secret

    def _proxy(self, vpc: ec2.Vpc, login: sm.Secret) -> None:
        """In front of the writer. Decision 0067: each connection stays with one of the database's, so this shortens
        failover and does not save connections."""
        group = ec2.SecurityGroup(
            self, "ProxyGroup", vpc=vpc, allow_all_outbound=False, description="RDS Proxy of Penny"
        )
        self.group.add_ingress_rule(group, ec2.Port.tcp(PORT), "the proxy")
        group.add_egress_rule(self.group, ec2.Port.tcp(PORT), "the database")
        proxy = rds.DatabaseProxy(
            self,
            "Proxy",
            proxy_target=rds.ProxyTarget.from_cluster(self.cluster),
            secrets=[login],
            vpc=vpc,
            vpc_subnets=ec2.SubnetSelection(subnet_group_name="app"),
            security_groups=[group],
            require_tls=True,
            borrow_timeout=Duration.seconds(5),
            max_connections_percent=90,
            idle_client_timeout=Duration.minutes(30),
        )
        self.entrance, self.host = group, proxy.endpoint
