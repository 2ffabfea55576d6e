"""The alarms, as data: what is wrong for whom, from what number on, and the runbook that says what to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cw
from aws_cdk import aws_elasticloadbalancingv2 as elb

from infra.deployment import Deployment
from infra.stacks.data import Data
from infra.stacks.metrics import database, own
from infra.stacks.service import Service


@dataclass(frozen=True)
class Watch:
    """One alarm. `page` wakes somebody; the others wait for the morning."""

    name: str
    means: str
    runbook: str
    metric: cw.IMetric
    above: float
    minutes: int = 3
    """Of the last this many periods, all but one (at least one) must be above."""
    page: bool = False
    missing: Literal["fine", "bad"] = "fine"
    below: bool = False


def watches(deployment: Deployment, data: Data, service: Service) -> Iterator[Watch]:
    """Every alarm of a deployment."""
    yield from _people(service)
    yield from _model()
    yield from _replies()
    yield from _database(deployment, data)
    yield from _spend(deployment)


def _people(service: Service) -> Iterator[Watch]:
    group, balancer = service.target_group.metrics, service.balancer.metrics
    minute = Duration.minutes(1)
    target_5xx = balancer.http_code_target(elb.HttpCodeTarget.TARGET_5XX_COUNT, period=minute, statistic="Sum")
    own_5xx = balancer.http_code_elb(elb.HttpCodeElb.ELB_5XX_COUNT, period=minute, statistic="Sum")
    yield Watch("Errors", "Requests end in 5xx.", "errors.md", target_5xx, above=10, page=True)
    yield Watch("BalancerErrors", "The load balancer has no task to ask.", "errors.md", own_5xx, above=5, page=True)
    yield Watch(
        "UnhealthyTasks",
        "A task does not answer /readyz.",
        "errors.md",
        group.unhealthy_host_count(period=minute, statistic="Maximum"),
        above=0,
        minutes=5,
    )
    yield Watch(
        "NoTasks",
        "No task is ready: nobody can talk to Penny.",
        "errors.md",
        group.healthy_host_count(period=minute, statistic="Minimum"),
        above=1,
        below=True,
        minutes=2,
        page=True,
        missing="bad",
    )
    yield Watch(
        "SlowFirstToken",
        "One in twenty waits more than 5 s for the first words of a reply.",
        "slow-replies.md",
        own("FirstTokenMs", "p95"),
        above=5000,
        minutes=5,
        page=True,
    )


def _model() -> Iterator[Watch]:
    throttles, errors = own("BedrockThrottles", "Sum"), own("BedrockErrors", "Sum")
    yield Watch("BedrockThrottles", "Bedrock turns calls away.", "bedrock-throttled.md", throttles, above=20, minutes=5)
    yield Watch("BedrockErrors", "Bedrock fails.", "bedrock-throttled.md", errors, above=20, minutes=5, page=True)


def _replies() -> Iterator[Watch]:
    failed = own("RunsFailed", "Sum")
    yield Watch("RunsFailed", "Replies end without an answer.", "stuck-runs.md", failed, above=10, minutes=5, page=True)
    yield Watch(
        "QueueAge",
        "The oldest waiting reply has waited for more than a minute.",
        "stuck-runs.md",
        own("QueueAgeSeconds", "Maximum"),
        above=60,
        minutes=5,
        page=True,
    )
    takeovers = own("LeaseTakeovers", "Sum")
    yield Watch("LeaseTakeovers", "Tasks die or stall under replies.", "stuck-runs.md", takeovers, above=5, minutes=5)
    yield Watch(
        "ReadersDropped",
        "Readers fall behind and are let go.",
        "slow-replies.md",
        own("ReadersDropped", "Sum"),
        above=50,
        minutes=5,
    )
    age = own("OutboxAgeSeconds", "Maximum")
    yield Watch("OutboxAge", "Replies do not reach messaging apps.", "stuck-runs.md", age, above=300, minutes=5)
    dead = own("OutboxDead", "Maximum")
    yield Watch("OutboxDead", "Replies to messaging apps were given up.", "stuck-runs.md", dead, above=0, minutes=1)


def _database(deployment: Deployment, data: Data) -> Iterator[Watch]:
    cluster = data.cluster.cluster_identifier
    size = deployment.size
    connections = database(cluster, "DatabaseConnections", "Maximum")
    most = 0.8 * connections_allowed(size.acu_most)
    yield Watch("Connections", "The database's connections run out.", "database.md", connections, above=most, page=True)
    waiting = own("DatabasePoolWaitMs", "p95")
    yield Watch("PoolWait", "Requests wait for a connection.", "database.md", waiting, above=500, minutes=5)
    capacity = database(cluster, "ACUUtilization", "Maximum")
    yield Watch("Capacity", "The database is as large as it may grow.", "database.md", capacity, above=90, minutes=10)
    if size.readers:
        lag = database(cluster, "AuroraReplicaLagMaximum", "Maximum")
        yield Watch("ReplicaLag", "Reports read what is over a second old.", "failover.md", lag, above=1000, minutes=5)


def _spend(deployment: Deployment) -> Iterator[Watch]:
    # A day's share of the month's budget, three times over, in one hour of model calls: not a busy day but a loop.
    hourly = float(deployment.monthly_budget_usd) / 30 / 8
    cost = own("CostUsd", "Sum", Duration.hours(1))
    yield Watch(
        "Spend", "The model costs far more than planned.", "cost-spike.md", cost, above=hourly, minutes=1, page=True
    )


def connections_allowed(acu: float) -> int:
    """What Aurora PostgreSQL allows by default at its most: memory / 9531392 bytes, 2 GiB an ACU, at most 5000."""
    return min(5000, int(acu * 2 * 1024**3 / 9_531_392))
