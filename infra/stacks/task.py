"""What a task is: the image on a root that cannot be written, as a user without rights, and the settings it gets."""

from __future__ import annotations

from typing import Any

from aws_cdk import Duration, Stack, Tags
from aws_cdk import aws_bedrock as bedrock
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_secretsmanager as sm
from constructs import Construct

from infra.deployment import Deployment
from infra.stacks.data import DATABASE, OWNER, PORT, SERVICE, Data
from infra.stacks.grants import may_ask, model_source
from infra.stacks.images import Images

HTTP_PORT = 8000
USER = "10001"
STOP_SECONDS = 120
"""The longest that Fargate waits between SIGTERM and SIGKILL."""
DRAIN_SECONDS = 100
"""For replies under way; what is left of STOP_SECONDS is for closing."""
ALIVE = "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"  # slim images have no curl


def database_url(user: str, host: str) -> str:
    """An address without a password: that is in the secret."""
    return f"postgresql://{user}@{host}:{PORT}/{DATABASE}?sslmode=verify-full"


class Task(Construct):
    """Two task definitions of one image: the service's, and the one that migrates the database."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        deployment: Deployment,
        *,
        images: Images,
        data: Data,
        log_group: logs.LogGroup,
        auth: dict[str, str],
        proxies: list[str],
    ) -> None:
        super().__init__(scope, id)
        self._deployment, self._data, self._log_group = deployment, data, log_group
        self._image = ecs.ContainerImage.from_ecr_repository(images.repository, deployment.tag)
        self.profile = self._profile("Profile", deployment.prefix, "penny")
        self.tenants = {
            tenant: self._profile(f"Profile-{tenant}", f"{deployment.prefix}-{tenant}", tenant)
            for tenant in deployment.tenants
        }
        self.service = self._definition("Service", deployment.size.cpu, deployment.size.memory)
        self._container(
            self.service,
            "penny",
            ["penny", "serve", "--host", "0.0.0.0", "--port", str(HTTP_PORT)],  # noqa: S104 - in its own network
            self._environment(auth, proxies),
            port_mappings=[ecs.PortMapping(container_port=HTTP_PORT)],
            health_check=ecs.HealthCheck(
                command=["CMD", "python", "-c", ALIVE],
                interval=Duration.seconds(15),
                timeout=Duration.seconds(5),
                retries=4,
                start_period=Duration.seconds(60),
            ),
        )
        self._allow(self.service.task_role)
        self.migration = self._definition("Migration", 512, 1024)
        self._container(self.migration, "migrate", ["penny", "migrate"], self._migration_environment())
        master = data.cluster.secret
        assert master is not None
        logins = [master, *([data.login] if data.login else [])]
        self._allow_secrets(self.migration.task_role, [secret.secret_arn for secret in logins])

    def _profile(self, id: str, name: str, tenant: str) -> bedrock.CfnApplicationInferenceProfile:
        """A name for the model under which AWS counts and bills its tokens."""
        source = model_source(self._deployment, self._deployment.model)
        profile = bedrock.CfnApplicationInferenceProfile(
            self,
            id,
            inference_profile_name=name,
            description=f"What Penny asks of the model for {tenant}",
            model_source=bedrock.CfnApplicationInferenceProfile.InferenceProfileModelSourceProperty(copy_from=source),
        )
        Tags.of(profile).add("tenant", tenant)
        return profile

    def _definition(self, id: str, cpu: int, memory: int) -> ecs.FargateTaskDefinition:
        arm = self._deployment.architecture == "arm64"
        definition = ecs.FargateTaskDefinition(
            self,
            id,
            cpu=cpu,
            memory_limit_mib=memory,
            runtime_platform=ecs.RuntimePlatform(
                cpu_architecture=ecs.CpuArchitecture.ARM64 if arm else ecs.CpuArchitecture.X86_64,
                operating_system_family=ecs.OperatingSystemFamily.LINUX,
            ),
        )
        definition.add_volume(name="tmp")
        return definition

    def _container(
        self,
        definition: ecs.FargateTaskDefinition,
        name: str,
        command: list[str],
        environment: dict[str, str],
        **kwargs: Any,
    ) -> None:
        container = definition.add_container(
            name,
            image=self._image,
            command=command,
            environment=environment,
            user=USER,
            readonly_root_filesystem=True,
            linux_parameters=ecs.LinuxParameters(definition, f"{name}-process", init_process_enabled=True),
            stop_timeout=Duration.seconds(STOP_SECONDS),
            logging=ecs.LogDrivers.aws_logs(
                stream_prefix=name,
                log_group=self._log_group,
                # A log that cannot be delivered must not hold up a reply.
                mode=ecs.AwsLogDriverMode.NON_BLOCKING,
            ),
            **kwargs,
        )
        container.add_mount_points(ecs.MountPoint(container_path="/tmp", source_volume="tmp", read_only=False))  # noqa: S108
        container.add_ulimits(ecs.Ulimit(name=ecs.UlimitName.NOFILE, soft_limit=65_536, hard_limit=65_536))

    def _shared(self) -> dict[str, str]:
        return {"PENNY_HOME": "/tmp/penny", "AWS_REGION": self._deployment.region, "PENNY_DATABASE_CA": "rds"}  # noqa: S108

    def _environment(self, auth: dict[str, str], proxies: list[str]) -> dict[str, str]:
        deployment, data = self._deployment, self._data
        environment = {
            **self._shared(),
            "PENNY_DATABASE_URL": database_url(SERVICE, data.host),
            **({"PENNY_DATABASE_SECRET": data.login.secret_arn} if data.login else {"PENNY_DATABASE_IAM": "true"}),
            "PENNY_MODEL": f"bedrock:{self.profile.attr_inference_profile_arn}",
            "PENNY_MODEL_BASE": deployment.model,
            "PENNY_PUBLIC_URL": f"https://{deployment.domain}",
            "PENNY_TRUSTED_PROXIES": ",".join(proxies),
            "PENNY_METRICS": "emf",
            "PENNY_DRAIN_SECONDS": str(DRAIN_SECONDS),
            **auth,
            **deployment.secret_names,
            **deployment.settings,
        }
        if self.tenants:
            arns = {tenant: profile.attr_inference_profile_arn for tenant, profile in self.tenants.items()}
            environment["PENNY_MODEL_PROFILES"] = Stack.of(self).to_json_string(arns)
        if deployment.fallback:
            environment["PENNY_MODEL_FALLBACK"] = ",".join(f"bedrock:{model}" for model in deployment.fallback)
        if deployment.size.readers and not deployment.database_proxy:  # whose endpoint leads to the writer alone
            environment["PENNY_DATABASE_READER_URL"] = database_url(
                SERVICE, data.cluster.cluster_read_endpoint.hostname
            )
        if deployment.database_proxy:
            environment["PENNY_DATABASE_CA"] = "rds-proxy"
        if deployment.cors_origins:
            environment["PENNY_CORS_ORIGINS"] = ",".join(deployment.cors_origins)
        if deployment.guardrail:
            environment["PENNY_GUARDRAIL"] = deployment.guardrail
        if data.texts is not None:
            environment |= {
                "PENNY_ENCRYPTION_KEY": f"kms:{data.texts.key_arn}",
                "PENNY_ENCRYPTION": deployment.encryption,
            }
        if deployment.traces:
            environment |= {
                "PENNY_TRACES": "otlp",
                "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"https://xray.{deployment.region}.amazonaws.com/v1/traces",
                "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
                "OTEL_TRACES_SAMPLER_ARG": "0.05",
            }
        return environment

    def _migration_environment(self) -> dict[str, str]:
        data = self._data
        assert data.cluster.secret is not None
        login = {"PENNY_DATABASE_LOGIN_IAM": SERVICE}
        if data.login:
            login = {"PENNY_DATABASE_LOGIN_SECRET": data.login.secret_arn}
        return {
            **self._shared(),
            **login,
            "PENNY_DATABASE_URL": database_url(OWNER, data.cluster.cluster_endpoint.hostname),
            "PENNY_DATABASE_SECRET": data.cluster.secret.secret_arn,
        }

    def _allow(self, role: iam.IRole) -> None:
        """What the service may ask of AWS: its model, its secrets, and nothing else."""
        deployment, data = self._deployment, self._data
        profiles = [p.attr_inference_profile_arn for p in (self.profile, *self.tenants.values())]
        for statement in may_ask(deployment, profiles):
            role.add_to_principal_policy(statement)
        if deployment.guardrail:
            guardrail = deployment.guardrail.rpartition(":")[0]
            role.add_to_principal_policy(iam.PolicyStatement(actions=["bedrock:ApplyGuardrail"], resources=[guardrail]))
        if deployment.traces:
            role.add_to_principal_policy(
                iam.PolicyStatement(
                    actions=["xray:PutTraceSegments", "xray:PutSpans", "xray:PutSpansForIndexing"], resources=["*"]
                )
            )
        if data.texts is not None:
            role.add_to_principal_policy(
                iam.PolicyStatement(
                    actions=["kms:GenerateDataKey", "kms:Decrypt"],
                    resources=[data.texts.key_arn],
                    conditions={
                        "StringEquals": {"kms:EncryptionContext:application": "penny"},
                        "ForAllValues:StringEquals": {"kms:EncryptionContextKeys": ["application", "user", "key"]},
                    },
                )
            )
        if data.login:
            self._allow_secrets(role, [data.login.secret_arn])
        else:
            data.cluster.grant_connect(role, SERVICE)
        for channel in deployment.channels:
            name = f"{deployment.prefix}/channels/{channel}"
            sm.Secret.from_secret_name_v2(self, f"Secret-{channel}", name).grant_read(role)

    def _allow_secrets(self, role: iam.IRole, arns: list[str]) -> None:
        """By the role alone: a grant on the key would have the data's stack depend on this one."""
        role.add_to_principal_policy(iam.PolicyStatement(actions=["secretsmanager:GetSecretValue"], resources=arns))
        via = f"secretsmanager.{self._deployment.region}.amazonaws.com"
        role.add_to_principal_policy(
            iam.PolicyStatement(
                actions=["kms:Decrypt"],
                resources=[self._data.key.key_arn],
                conditions={"StringEquals": {"kms:ViaService": via}},
            )
        )
