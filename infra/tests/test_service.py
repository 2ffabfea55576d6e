"""How Penny runs there: what a task is, what it may do, how it is deployed and scaled."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from infra.tests.conftest import ROOT, Templates


def container(templates: Templates, name: str) -> dict[str, Any]:
    """The container of that name."""
    found: list[dict[str, Any]] = [
        c for t in templates.of("AWS::ECS::TaskDefinition").values() for c in t["ContainerDefinitions"]
    ]
    return next(c for c in found if c["Name"] == name)


def constant(file: str, name: str) -> Any:
    """A number that Penny's own code has at the top of a module."""
    for node in ast.parse((ROOT / file).read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            return ast.literal_eval(node.value)
    raise AssertionError(f"{file} has no {name}")


@pytest.mark.parametrize("name", ["penny", "migrate"])
def test_a_container_can_write_nothing_but_tmp(any_size: Templates, name: str) -> None:
    """Its root is read-only, its user has no rights, and /tmp is the one place to write."""
    c = container(any_size, name)
    assert c["ReadonlyRootFilesystem"]
    assert c["User"] == "10001"
    assert [m["ContainerPath"] for m in c["MountPoints"]] == ["/tmp"]
    assert not c.get("Privileged")


def test_the_service_is_started_as_agreed(any_size: Templates) -> None:
    """The command and port of the image."""
    c = container(any_size, "penny")
    assert c["Command"] == ["penny", "serve", "--host", "0.0.0.0", "--port", "8000"]
    assert c["PortMappings"][0]["ContainerPort"] == 8000
    assert container(any_size, "migrate")["Command"] == ["penny", "migrate"]


def test_every_setting_is_one_that_penny_knows(any_size: Templates) -> None:
    """An unknown PENNY_ name would end each task at its start."""
    tree = ast.parse((ROOT / "penny" / "settings.py").read_text())
    settings = next(n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == "Settings")
    known = {f"PENNY_{ast.unparse(n.target).upper()}" for n in settings.body if isinstance(n, ast.AnnAssign)}
    assert len(known) > 40
    for name in ("penny", "migrate"):
        given = {e["Name"] for e in container(any_size, name)["Environment"] if e["Name"].startswith("PENNY_")}
        assert given
        assert given <= known


def test_traces_go_to_xray_when_asked_for(production: Templates, everything: Templates) -> None:
    """One reply in twenty; else none."""
    of = {e["Name"]: e["Value"] for e in container(everything, "penny")["Environment"]}
    assert of["PENNY_TRACES"] == "otlp"
    assert of["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"] == "https://xray.eu-west-1.amazonaws.com/v1/traces"
    assert "PENNY_TRACES" not in {e["Name"] for e in container(production, "penny")["Environment"]}


def test_no_password_stands_in_a_variable(any_size: Templates) -> None:
    """Addresses name a user only; passwords are fetched from Secrets Manager."""
    for name in ("penny", "migrate"):
        for entry in container(any_size, name)["Environment"]:
            assert "resolve:secretsmanager" not in str(entry["Value"])
            assert "password" not in str(entry["Value"]).lower()


def variables(templates: Templates, name: str) -> dict[str, Any]:
    """The environment of the container of that name."""
    return {entry["Name"]: entry["Value"] for entry in container(templates, name)["Environment"]}


def test_a_service_by_tokens_has_no_password_and_connects_as_one_user(by_tokens: Templates) -> None:
    """The migration makes the login that the service's role may connect as; there is no secret of it, and no
    rotation."""
    service, migration = variables(by_tokens, "penny"), variables(by_tokens, "migrate")
    assert service["PENNY_DATABASE_IAM"] == "true"
    assert "PENNY_DATABASE_SECRET" not in service
    assert migration["PENNY_DATABASE_LOGIN_IAM"] == "penny_service"
    assert "PENNY_DATABASE_LOGIN_SECRET" not in migration
    (connect,) = [s for n, s in by_tokens.statements("TaskService") if s["Action"] == "rds-db:connect"]
    resource = "".join(map(str, connect["Resource"]["Fn::Join"][1]))
    assert resource.endswith("/penny_service")
    assert "DBClusterResourceId" in resource
    assert not by_tokens.of("AWS::SecretsManager::RotationSchedule")


def test_the_databases_certificate_is_verified(any_size: Templates) -> None:
    """By RDS's own authorities; the proxy's certificate is from others."""
    proxied = any_size.deployment.database_proxy
    assert variables(any_size, "penny")["PENNY_DATABASE_CA"] == ("rds-proxy" if proxied else "rds")
    assert variables(any_size, "migrate")["PENNY_DATABASE_CA"] == "rds"
    for name in ("penny", "migrate"):
        assert "sslmode=verify-full" in str(variables(any_size, name)["PENNY_DATABASE_URL"])


def test_timeouts_are_in_order(any_size: Templates) -> None:
    """Heartbeat, then the balancer's idle timeout, then keep-alive; and a drain ends before the task is killed."""
    balancer = any_size.one("AWS::ElasticLoadBalancingV2::LoadBalancer")
    attributes = {a["Key"]: a["Value"] for a in balancer["LoadBalancerAttributes"]}
    idle = int(attributes["idle_timeout.timeout_seconds"])
    assert 15 * 2 < idle < constant("penny/server.py", "KEEP_ALIVE_SECONDS")
    c = container(any_size, "penny")
    drain = next(int(e["Value"]) for e in c["Environment"] if e["Name"] == "PENNY_DRAIN_SECONDS")
    assert drain + 10 <= c["StopTimeout"] <= 120


def test_targets_are_judged_by_readyz(any_size: Templates) -> None:
    """A task that drains or has no database gets no requests; the fewest open streams get the next."""
    group = any_size.one("AWS::ElasticLoadBalancingV2::TargetGroup")
    assert group["HealthCheckPath"] == "/readyz"
    attributes = {a["Key"]: a["Value"] for a in group["TargetGroupAttributes"]}
    assert attributes["load_balancing.algorithm.type"] == "least_outstanding_requests"


def test_the_listener_speaks_tls_only(any_size: Templates) -> None:
    """There is one, on 443, with a policy of TLS 1.2 and later."""
    listener = any_size.one("AWS::ElasticLoadBalancingV2::Listener")
    assert (listener["Port"], listener["Protocol"]) == (443, "HTTPS")
    assert listener["SslPolicy"].startswith("ELBSecurityPolicy-TLS13-1-2")


def test_the_migration_comes_before_the_new_tasks(any_size: Templates) -> None:
    """The service waits for it, it waits for the way to the database, and a new image runs it again."""
    service = any_size.resource("AWS::ECS::Service")
    migration = any_size.resource("Custom::PennyMigration")
    names = {
        name for name, r in any_size.stacks["Service"]["Resources"].items() if r["Type"] == "Custom::PennyMigration"
    }
    assert names <= set(service["DependsOn"])
    assert "DatabaseDoor" in migration["DependsOn"]
    definition = migration["Properties"]["TaskDefinition"]["Ref"]
    assert definition in any_size.stacks["Service"]["Resources"]


def test_a_deployment_that_fails_goes_back(any_size: Templates) -> None:
    """Old tasks serve until new ones are ready; the breaker rolls back."""
    configuration = any_size.one("AWS::ECS::Service")["DeploymentConfiguration"]
    assert configuration["DeploymentCircuitBreaker"] == {"Enable": True, "Rollback": True}
    assert configuration["MinimumHealthyPercent"] == 100


def test_shells_are_off_unless_asked_for(production: Templates, everything: Templates) -> None:
    """`exec = true` is the way."""
    assert not production.one("AWS::ECS::Service").get("EnableExecuteCommand")
    assert everything.one("AWS::ECS::Service")["EnableExecuteCommand"]


def test_no_policy_allows_every_action(any_size: Templates) -> None:
    """Not of a service, and not of all."""
    for name, statement in any_size.statements():
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        assert not [a for a in actions if a == "*" or a.endswith(":*")], name


def test_the_task_reads_its_own_secrets_only(production: Templates) -> None:
    """The login of the service and the channels' settings; not the owner's password."""
    readable = [
        s["Resource"] for _, s in production.statements("TaskServiceTaskRole") if "secretsmanager" in str(s["Action"])
    ]
    assert len(readable) == 2
    assert "Login" in str(readable[0])
    assert "secret:penny-example/channels/slack" in str(readable[1])


def test_tasks_follow_cpu_streams_and_the_clock(production: Templates) -> None:
    """Two policies, and a higher least number of tasks in the busy hours."""
    policies = production.of("AWS::ApplicationAutoScaling::ScalingPolicy").values()
    metrics = {
        c.get("PredefinedMetricSpecification", c.get("CustomizedMetricSpecification"))[key]: c["TargetValue"]
        for p in policies
        for c in [p["TargetTrackingScalingPolicyConfiguration"]]
        for key in ("PredefinedMetricType", "MetricName")
        if key in c.get("PredefinedMetricSpecification", c.get("CustomizedMetricSpecification"))
    }
    size = production.deployment.size
    assert metrics == {"ECSServiceAverageCPUUtilization": 60, "ActiveStreams": size.streams_per_task}
    target = production.one("AWS::ApplicationAutoScaling::ScalableTarget")
    least = {a["Schedule"]: a["ScalableTargetAction"]["MinCapacity"] for a in target["ScheduledActions"]}
    assert least == {"cron(0 6 ? * MON-FRI *)": size.tasks_busy, "cron(0 20 ? * MON-FRI *)": size.tasks}


def test_the_firewall_lets_people_write_what_they_like(any_size: Templates) -> None:
    """Rules about bodies are counted only: a message may hold any text, and an import is larger than 8 KB."""
    acl = any_size.one("AWS::WAFv2::WebACL")
    common = next(r for r in acl["Rules"] if "Common" in r["Name"])
    overridden = common["Statement"]["ManagedRuleGroupStatement"]["RuleActionOverrides"]
    assert {o["Name"] for o in overridden} >= {"SizeRestrictions_BODY", "CrossSiteScripting_BODY"}
    assert all("Count" in o["ActionToUse"] for o in overridden)
    assert len(any_size.of("AWS::WAFv2::WebACLAssociation")) == 1


def test_the_firewalls_log_holds_no_tokens(any_size: Templates) -> None:
    """The header that carries them is left out, and requests are not sampled."""
    logging = any_size.one("AWS::WAFv2::LoggingConfiguration")
    assert {"authorization", "cookie"} <= {f["SingleHeader"]["Name"] for f in logging["RedactedFields"]}
    acl = any_size.one("AWS::WAFv2::WebACL")
    assert not acl["VisibilityConfig"]["SampledRequestsEnabled"]


def test_the_firewalls_log_is_named_as_waf_takes_it(any_size: Templates) -> None:
    """The group's ARN without the star that CloudWatch's own has at its end."""
    (destination,) = any_size.one("AWS::WAFv2::LoggingConfiguration")["LogDestinationConfigs"]
    assert destination.endswith(f":log-group:aws-waf-logs-{any_size.deployment.prefix}")


def test_a_user_pool_is_made_only_when_asked_for(production: Templates, everything: Templates) -> None:
    """And then Penny takes its tokens."""
    assert not production.of("AWS::Cognito::UserPool")
    assert everything.of("AWS::Cognito::UserPool")
    auth = {e["Name"]: e["Value"] for e in container(everything, "penny")["Environment"] if "AUTH" in e["Name"]}
    assert "cognito-idp.eu-west-1.amazonaws.com" in str(auth["PENNY_AUTH"])
    assert "Ref" in auth["PENNY_AUTH_AUDIENCE"]


def test_users_keys_are_wrapped_for_penny_alone(everything: Templates, production: Templates) -> None:
    """With encryption on, tasks may have keys made and unwrapped, for Penny's context, by a key that stays; nothing
    else, and nothing without it."""
    (allowed,) = [s for n, s in everything.statements("TaskService") if "kms:GenerateDataKey" in s["Action"]]
    assert allowed["Action"] == ["kms:GenerateDataKey", "kms:Decrypt"]
    assert "TextsKey" in str(allowed["Resource"])
    assert allowed["Condition"]["StringEquals"] == {"kms:EncryptionContext:application": "penny"}
    told = {e["Name"]: e["Value"] for e in container(everything, "penny")["Environment"]}
    assert told["PENNY_ENCRYPTION"] == "on"
    assert "TextsKey" in str(told["PENNY_ENCRYPTION_KEY"])
    assert not {e["Name"] for e in container(everything, "migrate")["Environment"]} & {"PENNY_ENCRYPTION_KEY"}
    assert "TextsKey" not in str(production.stacks)
