"""A custom resource of CloudFormation: runs the migration's task and tells how it ended. In Lambda, on boto3 alone."""

import time

import boto3

WAIT_SECONDS = 5

ENDED_BADLY = (
    "The migration ended with {code}: {reason} Nothing was deployed, and the database is as it was (a migration is one "
    "transaction). Its log is the stream migrate/migrate/{task}."
)


def start(event, context):
    """Starts the task. Deleting has nothing to undo, and a stack that rolls back keeps the newer schema."""
    properties = event["ResourceProperties"]
    if event["RequestType"] == "Delete" or _rolls_back(event["StackId"]):
        return {"PhysicalResourceId": event.get("PhysicalResourceId", properties["TaskDefinition"])}
    answer = _run_task(
        cluster=properties["Cluster"],
        taskDefinition=properties["TaskDefinition"],
        launchType="FARGATE",
        count=1,
        startedBy="penny-migration",
        clientToken=event["RequestId"],  # CloudFormation may ask twice
        networkConfiguration={
            "awsvpcConfiguration": {
                "subnets": properties["Subnets"],
                "securityGroups": [properties["SecurityGroup"]],
                "assignPublicIp": "DISABLED",
            }
        },
    )
    if not answer["tasks"]:
        reasons = ", ".join(failure.get("reason", "?") for failure in answer.get("failures", [])) or "no reason given"
        raise RuntimeError(f"The migration's task cannot be started: {reasons}.")
    return {"PhysicalResourceId": properties["TaskDefinition"], "Task": answer["tasks"][0]["taskArn"]}


def _run_task(**arguments):
    """A right that was given seconds ago, with this deployment, may not be known everywhere yet."""
    client = boto3.client("ecs")
    for _ in range(6):
        try:
            return client.run_task(**arguments)
        except client.exceptions.AccessDeniedException:
            time.sleep(WAIT_SECONDS)
    return client.run_task(**arguments)


def look(event, context):
    """Whether the task has ended. Raises when it did not end with 0: CloudFormation then rolls the deployment back."""
    task = event.get("Task")
    if event["RequestType"] == "Delete" or not task:
        return {"IsComplete": True}
    cluster = event["ResourceProperties"]["Cluster"]
    found = boto3.client("ecs").describe_tasks(cluster=cluster, tasks=[task])["tasks"]
    if not found:
        raise RuntimeError("The migration's task is gone and left no exit code.")
    if found[0]["lastStatus"] != "STOPPED":
        return {"IsComplete": False}
    container = next(iter(found[0].get("containers", [])), {})
    code = container.get("exitCode")
    if code != 0:
        reason = container.get("reason") or found[0].get("stoppedReason") or "no reason given."
        raise RuntimeError(ENDED_BADLY.format(code=code, reason=reason, task=task.rpartition("/")[2]))
    return {"IsComplete": True}


def _rolls_back(stack):
    """An older image would refuse a schema that is newer than it, and the rollback with it would fail."""
    status = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
    return "ROLLBACK" in status
