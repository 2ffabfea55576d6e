"""The metrics that are looked at: Penny's own, from its log, and those of the services it stands on."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cw

NAMESPACE = "Penny"
SERVICE = {"Service": "penny"}


def own(name: str, statistic: str, period: Duration | None = None, **dimensions: str) -> cw.Metric:
    """One that Penny tells, of all tasks together; by the minute unless `period` is given."""
    return cw.Metric(
        namespace=NAMESPACE,
        metric_name=name,
        dimensions_map={**SERVICE, **dimensions},
        statistic=statistic,
        period=period or Duration.minutes(1),
    )


def database(cluster: str, name: str, statistic: str, role: str | None = None) -> cw.Metric:
    """One of Aurora's, of the cluster or of its WRITER or READERs."""
    dimensions = {"DBClusterIdentifier": cluster, **({"Role": role} if role else {})}
    return cw.Metric(
        namespace="AWS/RDS",
        metric_name=name,
        dimensions_map=dimensions,
        statistic=statistic,
        period=Duration.minutes(1),
    )


def model(profile: str, name: str, statistic: str) -> cw.Metric:
    """One that Bedrock tells of an inference profile."""
    return cw.Metric(
        namespace="AWS/Bedrock",
        metric_name=name,
        dimensions_map={"ModelId": profile},
        statistic=statistic,
        period=Duration.minutes(1),
    )
