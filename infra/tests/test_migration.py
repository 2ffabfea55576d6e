"""The custom resource that migrates: it runs the task, waits, and fails the deployment when the task fails."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.ecs.models import ecs_backends

from infra.stacks.migration import FUNCTION

REGION = "eu-west-1"
ACCOUNT = "123456789012"
TEMPLATE = json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})


@pytest.fixture
def function() -> ModuleType:
    """The function's code as Lambda loads it."""
    spec = importlib.util.spec_from_file_location("migrate", FUNCTION / "index.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def event(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """What CloudFormation sends when the stack is made, with a cluster and a task definition that exist."""
    for name, value in {"AWS_DEFAULT_REGION": REGION, "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        ecs = boto3.client("ecs")
        cluster = ecs.create_cluster(clusterName="penny")["cluster"]["clusterArn"]
        definition = ecs.register_task_definition(
            family="migrate",
            networkMode="awsvpc",
            requiresCompatibilities=["FARGATE"],
            cpu="512",
            memory="1024",
            containerDefinitions=[{"name": "migrate", "image": "penny", "memory": 512}],
        )["taskDefinition"]["taskDefinitionArn"]
        ec2 = boto3.client("ec2")
        subnet = ec2.describe_subnets()["Subnets"][0]
        group = ec2.create_security_group(GroupName="t", Description="t", VpcId=subnet["VpcId"])["GroupId"]
        stack = boto3.client("cloudformation").create_stack(StackName="penny", TemplateBody=TEMPLATE)["StackId"]
        yield {
            "RequestType": "Create",
            "RequestId": "one",
            "StackId": stack,
            "ResourceProperties": {
                "Cluster": cluster,
                "TaskDefinition": definition,
                "Subnets": [subnet["SubnetId"]],
                "SecurityGroup": group,
            },
        }


def ended(event: dict[str, Any], code: int | None) -> None:
    """Has the one task of the cluster be over."""
    (task,) = ecs_backends[ACCOUNT][REGION].tasks["penny"].values()
    task.last_status, task.desired_status = "STOPPED", "STOPPED"
    task.stopped_reason = "Essential container in task exited"
    task.containers = [type("C", (), {"exit_code": code, "response_object": {"name": "migrate", "exitCode": code}})()]


def tasks() -> list[str]:
    """The tasks that were started."""
    started: list[str] = boto3.client("ecs").list_tasks(cluster="penny")["taskArns"]
    return started


def test_it_is_done_when_the_task_ended_with_0(function: ModuleType, event: dict[str, Any]) -> None:
    """And not before."""
    answer = function.start(event, None)
    assert answer["PhysicalResourceId"] == event["ResourceProperties"]["TaskDefinition"]
    assert tasks() == [answer["Task"]]
    assert function.look({**event, **answer}, None) == {"IsComplete": False}
    ended(event, 0)
    assert function.look({**event, **answer}, None) == {"IsComplete": True}


@pytest.mark.parametrize("code", [1, 137, None])
def test_it_fails_when_the_task_did(function: ModuleType, event: dict[str, Any], code: int | None) -> None:
    """With where to read why."""
    answer = function.start(event, None)
    ended(event, code)
    with pytest.raises(RuntimeError, match=rf"ended with {code}: .* migrate/migrate/"):
        function.look({**event, **answer}, None)


def test_a_stack_that_rolls_back_runs_nothing(function: ModuleType, event: dict[str, Any]) -> None:
    """The older image would refuse the newer schema, and with it the rollback would fail."""
    from moto.cloudformation.models import cloudformation_backends

    cloudformation_backends[ACCOUNT][REGION].get_stack("penny").status = "UPDATE_ROLLBACK_IN_PROGRESS"
    answer = function.start({**event, "RequestType": "Update", "PhysicalResourceId": "old"}, None)
    assert answer == {"PhysicalResourceId": "old"}
    assert tasks() == []
    assert function.look({**event, **answer}, None) == {"IsComplete": True}


def test_deleting_undoes_nothing(function: ModuleType, event: dict[str, Any]) -> None:
    """The schema stays with the data."""
    answer = function.start({**event, "RequestType": "Delete", "PhysicalResourceId": "old"}, None)
    assert answer == {"PhysicalResourceId": "old"}
    assert tasks() == []


def test_a_right_that_is_seconds_old_is_waited_for(
    function: ModuleType, event: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first calls may be refused; the task is started once."""
    client, refused = boto3.client("ecs"), iter([True, True])
    start = client.run_task

    def late(**arguments: Any) -> Any:
        if next(refused, False):
            raise client.exceptions.AccessDeniedException({"Error": {"Code": "AccessDeniedException"}}, "RunTask")
        return start(**arguments)

    client.run_task = late
    real = boto3.client
    monkeypatch.setattr(boto3, "client", lambda name: client if name == "ecs" else real(name))
    monkeypatch.setattr(function, "WAIT_SECONDS", 0)
    assert function.start(event, None)["Task"] in tasks()
    assert len(tasks()) == 1
