"""The runner: takes messages, makes replies in this process, takes over what others left, and serves events to readers.

The `run` table is the queue. A process runs what it accepts at once if it can, claims what is due, renews its leases
every second, and hands over what it cannot finish (agent/live.py, agent/upkeep.py). Readers (agent/readers.py) are
apart from runs.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import asdict, replace
from uuid import UUID

import asyncpg
import structlog

from agent.intake import Along, Confirmed, Intake
from agent.limits import Limits, Metrics
from agent.live import LiveRuns
from agent.readers import Readers
from agent.start import Agent
from agent.upkeep import MAINTENANCE_SECONDS, Upkeep
from db.loops import forever
from memory.acceptance import IfRunning
from memory.frames import Frame
from memory.runs import Accepted

log = structlog.get_logger(__name__)

END_SECONDS = 5.0

RUN_PATIENCE_SECONDS = 30.0
"""How long accepted work waits for a database connection; a request waits for a moment only."""


class Runner:
    """Runs replies in this process."""

    def __init__(self, agent: Agent, *, lease_seconds: float, limits: Limits | None = None) -> None:
        self._db = agent.db
        self._agent = replace(agent, db=agent.db.patient(RUN_PATIENCE_SECONDS))
        self._limits = limits or Limits()
        self._due = asyncio.Event()
        self._readers = Readers(self._db, agent.metrics)
        self._live = LiveRuns(self._agent, started=self._readers.runs.nudge, ended=self._ended)
        self._upkeep = Upkeep(self._agent, self._live, self._due, lease_seconds=lease_seconds, limits=self._limits)
        self._intake = Intake(
            self._db, self._agent, self._live, self._due.set, lease_seconds=lease_seconds, limits=self._limits
        )
        self._loops: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Starts writing events, renewing leases and looking for runs that are due."""
        worker = await self._agent.db.worker_connection()
        try:
            await self._upkeep.keep_events(worker)
            await self._agent.rollouts.begin(worker, self._agent.prompt())
        finally:
            await worker.close()
        await self._live.log.start()
        steps = {
            "heartbeat": self._upkeep.heartbeat,
            "sweep": self._upkeep.sweep,
            "followers": self._readers.runs.poll,
            "feeds": self._readers.feeds.poll,
            "maintenance": self._maintain,
            "rollouts": self._agent.rollouts.step,
        }
        self._loops = [asyncio.create_task(forever(self._agent.db, step), name=name) for name, step in steps.items()]

    async def stop(self, drain_seconds: float = 0.0) -> None:
        """Takes nothing new, lets running replies finish for so long, hands the rest over, and stops."""
        self._intake.draining = self._upkeep.paused = True
        tasks = [live.task for live in self._live.all()]
        if tasks and drain_seconds > 0:
            await asyncio.wait(tasks, timeout=drain_seconds)
        left = self._live.all()
        for live in left:
            self._live.stop(live, "handover")
        if left:
            await asyncio.wait([live.task for live in left], timeout=END_SECONDS)
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        await self._live.summarizer.stop()
        await self._live.log.stop()
        if left:
            await self._live.release([live.run.claim for live in left])
        self._readers.stop()

    async def submit(
        self,
        user: UUID,
        session_id: UUID,
        text: str,
        *,
        client_id: str | None = None,
        if_running: IfRunning = "enqueue",
        edit_of: UUID | None = None,
        along: Along | None = None,
    ) -> Accepted:
        """Takes a user's message; its run starts at once unless the session has one under way. With `edit_of` it takes
        the place of that message and of all that was said after. `along` writes more in the same transaction; what it
        raises undoes all. Raises InvalidInput, NotFound, ClientIdReused, RunActive, NotEditable, Draining."""
        return await self._intake.submit(
            user, session_id, text, client_id=client_id, if_running=if_running, edit_of=edit_of, along=along
        )

    async def retry(self, user: UUID, run_id: UUID) -> Accepted:
        """Says the message of a failed or cancelled run again, once however often it is asked. Raises NotFound,
        NotOver, Draining."""
        return await self._intake.retry(user, run_id)

    async def confirm(
        self, user: UUID, proposal_id: UUID, hash_: str, *, approval: str, follow_up: bool = False
    ) -> Confirmed:
        """Carries a proposal out as tools.proposals.confirm does; with `follow_up`, a short run answers the decision,
        in the same transaction and as surely once. Raises as that does."""
        return await self._intake.confirm(user, proposal_id, hash_, approval=approval, follow_up=follow_up)

    async def cancel(self, user: UUID, run_id: UUID) -> None:
        """Stops the run, on whatever server it is: a queued one at once, one that is over stays as it is. Raises
        NotFound."""
        await self._intake.cancel(user, run_id)

    def events(self, user: UUID, run_id: UUID, after: int = 0) -> AsyncIterator[Frame]:
        """The run's events after `after`, from the start to the terminal one, live or long past. A reader that falls
        behind a live run by READER_BYTES is let go, and every reader when this server stops; both go on by asking
        again. Raises NotFound, EventsGone."""
        return self._readers.events(self._live, user, run_id, after)

    def feed(self, user: UUID, session_id: UUID, after: int = 0) -> AsyncIterator[Frame]:
        """What happened in the session after the event `after`, and what happens, until this server stops. Raises
        NotFound, at any time when the session is deleted."""
        return self._readers.feed(user, session_id, after)

    def metrics(self) -> Metrics:
        """How things stand in this process; the queue is all servers', as of the last minute."""
        flushes = self._live.log.flushes
        return Metrics(
            queued=self._upkeep.queued,
            queue_seconds=self._upkeep.queue_seconds,
            running=len(self._live),
            takeovers=self._upkeep.takeovers,
            flushes=flushes.count,
            flush_seconds_mean=flushes.total / flushes.count if flushes.count else 0.0,
            flush_seconds_longest=flushes.longest,
            readers=self._readers.count,
            dropped_readers=self._readers.dropped,
        )

    def _ended(self, others_wait: bool) -> None:
        """A run ended here: looks for what is due when there may be something."""
        if others_wait or len(self._live) + 1 >= self._limits.runs_at_once:
            self._due.set()

    async def _maintain(self, worker: asyncpg.Connection) -> None:
        await self._upkeep.count(worker)
        log.info("runner.metrics", **asdict(self.metrics()))
        await asyncio.sleep(MAINTENANCE_SECONDS)
        await self._upkeep.keep_events(worker)
