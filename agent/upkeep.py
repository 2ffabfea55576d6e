"""What a process does again and again: it renews its leases, takes up runs that are due, and keeps the log's days.

Each loop has a connection of its own, so that an exhausted pool cannot cost a lease.
"""

from __future__ import annotations

import asyncio
import contextlib

import asyncpg
import structlog

from agent.limits import Limits
from agent.live import LiveRuns
from agent.start import Agent
from memory import events, queue

log = structlog.get_logger(__name__)

HEARTBEAT_SECONDS = 1.0
MAINTENANCE_SECONDS = 60.0


class Upkeep:
    """The loops' steps. `queued` is how many runs wait on all servers, as of the last minute, and `queue_seconds` for
    how long the oldest; while `paused`, nothing is taken up."""

    def __init__(
        self, agent: Agent, live: LiveRuns, due: asyncio.Event, *, lease_seconds: float, limits: Limits
    ) -> None:
        self._agent = agent
        self._live = live
        self._due = due
        self._lease_seconds = lease_seconds
        self._limits = limits
        self.takeovers = self.queued = 0
        self.queue_seconds = 0.0
        self.paused = False

    async def heartbeat(self, worker: asyncpg.Connection) -> None:
        """Renews the leases; stops what is to be cancelled, and what another process took over."""
        await asyncio.sleep(min(HEARTBEAT_SECONDS, self._lease_seconds / 3))
        mine = self._live.all()
        if not mine:
            return
        held = await queue.heartbeat(worker, self._agent.owner, self._lease_seconds, [m.run.claim for m in mine])
        for live in mine:
            claim = live.run.claim
            if claim.run_id not in held:
                self._live.lost(claim)
            elif held[claim.run_id]:
                self._live.stop(live, "cancel")

    async def sweep(self, worker: asyncpg.Connection) -> None:
        """Takes up what is due, as far as this process may."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._lease_seconds / 4):  # wait_for may swallow a cancellation (Python 3.11)
                await self._due.wait()
        self._due.clear()
        while not self.paused and len(self._live) < self._limits.runs_at_once:
            claim = await queue.claim_next(worker, self._agent.owner, self._lease_seconds, self._limits.runs_per_user)
            if claim is None:
                return
            if claim.attempt > 1:
                self.takeovers += 1
                self._agent.metrics.count("RunsHandedOver" if claim.handed_over else "LeaseTakeovers")
                log.info(
                    "run.taken_over", run_id=str(claim.run_id), attempt=claim.attempt, handed_over=claim.handed_over
                )
                self._agent.reached("takeover.claimed")
            async with self._agent.db.transaction(claim.user) as tx:
                last = await events.last_seq(tx, claim.run_id)
                ring = tx.ring
            if ring.trouble is not None:  # another server may have the key, or this one once the lease is over
                log.warning("run.left_alone", run_id=str(claim.run_id), code=ring.trouble.code)
                continue
            self._live.launch(self._live.made(claim, last, ring))

    async def count(self, worker: asyncpg.Connection) -> None:
        """Looks at the queue's depth and age."""
        self.queued, self.queue_seconds = await queue.queued(worker)

    async def keep_events(self, worker: asyncpg.Connection) -> None:
        """Makes the log's coming days and drops those past."""
        try:
            if dropped := await events.keep(worker, self._limits.event_retention_days):
                log.info("runner.events_dropped", days=dropped)
        except asyncpg.LockNotAvailableError:
            log.info("runner.events_busy")  # the next minute will do: partitions are made days ahead
