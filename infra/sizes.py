"""The sizes that Penny is deployed in, as data. Everything that differs between them stands here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Size:
    """What a deployment has of everything. CPU in units of 1/1024 vCPU, memory in MiB, ACU in Aurora capacity units."""

    name: str
    cpu: int
    memory: int
    tasks: int
    """Tasks at least."""
    tasks_most: int
    tasks_busy: int
    """Tasks at least in the busy hours, where those are set."""
    streams_per_task: int
    """Replies under way in a task that scaling aims at; docs/scale.md says how it was measured."""
    acu: float
    acu_most: float
    readers: int
    nat_gateways: int
    backup_days: int
    log_days: int
    interface_endpoints: bool
    """AWS's services by addresses of the network's own, one in each zone; else through NAT."""
    protected: bool
    """Database, load balancer and backups cannot be deleted by a command alone."""
    enhanced_insights: bool
    """Container Insights by task, and the database's by query over 15 months."""

    @property
    def connections(self) -> int:
        """Connections that all tasks together may open: a pool of ten, and six of a task's own."""
        return self.tasks_most * 16


SMALL = Size(
    name="small",
    cpu=512,
    memory=1024,
    tasks=1,
    tasks_most=4,
    tasks_busy=1,
    streams_per_task=50,
    acu=0.5,
    acu_most=4,
    readers=0,
    nat_gateways=1,
    backup_days=7,
    log_days=14,
    interface_endpoints=False,
    protected=False,
    enhanced_insights=False,
)
"""A team that tries it: one task, one database instance, an outage of some minutes when a zone fails."""

STAGING = Size(
    name="staging",
    cpu=1024,
    memory=2048,
    tasks=2,
    tasks_most=6,
    tasks_busy=2,
    streams_per_task=100,
    acu=0.5,
    acu_most=8,
    readers=1,
    nat_gateways=1,
    backup_days=7,
    log_days=14,
    interface_endpoints=True,
    protected=False,
    enhanced_insights=False,
)
"""The shape of production at a fraction of its price: a reader to fail over to, and two tasks to drain between."""

PRODUCTION = Size(
    name="production",
    cpu=1024,
    memory=2048,
    tasks=3,
    tasks_most=40,
    tasks_busy=6,
    streams_per_task=100,
    acu=2,
    acu_most=64,
    readers=2,
    nat_gateways=3,
    backup_days=35,
    log_days=90,
    interface_endpoints=True,
    protected=True,
    enhanced_insights=True,
)
"""A zone may fail unnoticed: a task, a database instance and a NAT gateway in each of three."""

SIZES = {size.name: size for size in (SMALL, STAGING, PRODUCTION)}
