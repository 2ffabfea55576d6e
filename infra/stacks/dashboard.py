"""One dashboard, read from top to bottom: do people get answers, and if not, which part is it."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cw
from aws_cdk import aws_elasticloadbalancingv2 as elb
from constructs import Construct

from infra.deployment import Deployment
from infra.stacks.data import Data
from infra.stacks.metrics import database, model, own
from infra.stacks.service import Service

FULL = 24


def dashboard(
    scope: Construct, deployment: Deployment, *, data: Data, service: Service, alarms: Sequence[cw.IAlarm]
) -> cw.Dashboard:
    """The dashboard `penny-<name>`."""
    board = cw.Dashboard(scope, "Dashboard", dashboard_name=deployment.prefix, default_interval=Duration.hours(3))
    board.add_widgets(
        cw.TextWidget(
            markdown=f"# Penny, {deployment.name}\nhttps://{deployment.domain} · {deployment.model} · what to do when "
            f"something is red: {deployment.runbooks}/README.md",
            width=FULL,
            height=2,
        )
    )
    board.add_widgets(cw.AlarmStatusWidget(title="Alarms", alarms=alarms, width=FULL, height=4))
    for title, widgets in (
        ("Do people get answers?", _answers(service)),
        ("Bedrock", _bedrock(service)),
        ("Replies: queue, tasks, readers", _replies(service)),
        ("Database", _database(data)),
        ("Money", _money(service)),
    ):
        board.add_widgets(cw.TextWidget(markdown=f"## {title}", width=FULL, height=1))
        board.add_widgets(*widgets)
    board.add_widgets(
        cw.LogQueryWidget(
            title="Latest errors",
            log_group_names=[service.log_group.log_group_name],
            query_lines=[
                "fields @timestamp, event, code, run_id",
                "filter level = 'error'",
                "sort @timestamp desc",
                "limit 30",
            ],
            width=FULL,
            height=6,
        )
    )
    return board


def _graph(
    title: str, *left: cw.IMetric, right: Sequence[cw.IMetric] = (), unit: str = "", width: int = 8
) -> cw.GraphWidget:
    return cw.GraphWidget(
        title=title,
        left=list(left),
        right=list(right),
        left_y_axis=cw.YAxisProps(min=0, label=unit, show_units=False),
        right_y_axis=cw.YAxisProps(min=0, show_units=False),
        width=width,
        height=6,
        legend_position=cw.LegendPosition.BOTTOM,
    )


def _answers(service: Service) -> list[cw.IWidget]:
    balancer, minute = service.balancer.metrics, Duration.minutes(1)
    return [
        _graph(
            "First words of a reply",
            own("FirstTokenMs", "p50"),
            own("FirstTokenMs", "p95"),
            own("FirstTokenMs", "p99"),
            unit="ms",
        ),
        _graph("Replies", own("RunsFinished", "Sum"), right=[own("RunsFailed", "Sum")], unit="a minute; failed: right"),
        _graph(
            "Requests",
            balancer.request_count(period=minute),
            right=[
                balancer.http_code_target(elb.HttpCodeTarget.TARGET_5XX_COUNT, period=minute),
                balancer.http_code_elb(elb.HttpCodeElb.ELB_5XX_COUNT, period=minute),
            ],
            unit="a minute; 5xx: right",
        ),
    ]


def _bedrock(service: Service) -> list[cw.IWidget]:
    profile = service.task.profile.attr_inference_profile_id
    return [
        _graph("Turned away and failed", own("BedrockThrottles", "Sum"), own("BedrockErrors", "Sum"), unit="a minute"),
        _graph("Time of a whole turn", own("TurnMs", "p50"), own("TurnMs", "p95"), unit="ms"),
        _graph(
            "As Bedrock counts",
            model(profile, "Invocations", "Sum"),
            model(profile, "InvocationThrottles", "Sum"),
            right=[model(profile, "InvocationLatency", "p95")],
            unit="a minute; ms: right",
        ),
        *_tenants(service),
    ]


def _tenants(service: Service) -> list[cw.IWidget]:
    calls = [
        model(profile.attr_inference_profile_id, "Invocations", "Sum").with_(label=tenant)
        for tenant, profile in service.task.tenants.items()
    ]
    return [_graph("Calls of the model by tenant", *calls, unit="a minute")] if calls else []


def _replies(service: Service) -> list[cw.IWidget]:
    cpu = service.service.metric_cpu_utilization(period=Duration.minutes(1))
    memory = service.service.metric_memory_utilization(period=Duration.minutes(1))
    healthy = service.target_group.metrics.healthy_host_count(period=Duration.minutes(1), statistic="Minimum")
    return [
        _graph(
            "Waiting", own("RunsQueued", "Maximum"), right=[own("QueueAgeSeconds", "Maximum")], unit="replies; s: right"
        ),
        _graph("Tasks", healthy, right=[cpu, memory], unit="ready; % CPU and memory: right"),
        _graph(
            "Streams of a task",
            own("ActiveStreams", "Average"),
            own("ActiveStreams", "Maximum"),
            own("Readers", "Maximum"),
        ),
        _graph(
            "Taken over, handed over, readers let go",
            own("LeaseTakeovers", "Sum"),
            own("RunsHandedOver", "Sum"),
            own("ReadersDropped", "Sum"),
            unit="a minute",
        ),
        _graph("Event log", own("FlushMs", "p50"), own("FlushMs", "p99"), unit="ms a flush"),
        _graph(
            "Messaging apps",
            own("OutboxAgeSeconds", "Maximum"),
            right=[own("OutboxDead", "Maximum")],
            unit="s; given up: right",
        ),
    ]


def _database(data: Data) -> list[cw.IWidget]:
    cluster = data.cluster.cluster_identifier
    return [
        _graph(
            "Capacity",
            database(cluster, "ServerlessDatabaseCapacity", "Maximum"),
            right=[database(cluster, "ACUUtilization", "Maximum")],
            unit="ACU; %: right",
        ),
        _graph("Connections", database(cluster, "DatabaseConnections", "Maximum"), own("DatabasePoolInUse", "Maximum")),
        _graph("Waiting for one", own("DatabasePoolWaitMs", "p50"), own("DatabasePoolWaitMs", "p99"), unit="ms"),
        _graph(
            "Commits",
            database(cluster, "CommitLatency", "Average"),
            right=[database(cluster, "CommitThroughput", "Average")],
            unit="ms; a second: right",
        ),
        _graph("Readers behind", database(cluster, "AuroraReplicaLagMaximum", "Maximum"), unit="ms"),
        _graph(
            "Deadlocks",
            database(cluster, "Deadlocks", "Sum"),
            right=[database(cluster, "VolumeBytesUsed", "Maximum")],
            unit="bytes: right",
        ),
    ]


def _money(service: Service) -> list[cw.IWidget]:
    del service
    hour = Duration.hours(1)
    return [
        _graph("Model calls", own("CostUsd", "Sum", hour), unit="US dollars an hour", width=12),
        _graph(
            "Tokens",
            own("InputTokens", "Sum", hour),
            own("CacheReadTokens", "Sum", hour),
            right=[own("OutputTokens", "Sum", hour)],
            unit="an hour; out: right",
            width=12,
        ),
    ]
