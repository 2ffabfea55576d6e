"""The runner: takes messages, makes replies in this process, takes over what others left, and serves events to readers.

The `run` table is the queue. A process runs what it accepts at once if it can, claims what is due, renews its leases
every second, and hands over what it cannot finish (agent/live.py, agent/upkeep.py). Readers (agent/readers.py) are
apart from runs.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict, replace
from uuid import UUID

import asyncpg
import structlog

from agent.history import clean
from agent.limits import Limits, Metrics
from agent.live import LiveRuns
from agent.readers import Readers
from agent.start import Agent
from agent.upkeep import MAINTENANCE_SECONDS, Upkeep
from db.engine import Transaction
from db.loops import forever
from domain.errors import InvalidInput, Unavailable
from memory import acceptance, runs
from memory.acceptance import IfRunning
from memory.frames import Frame
from memory.runs import Accepted

log = structlog.get_logger(__name__)

END_SECONDS = 5.0

RUN_PATIENCE_SECONDS = 30.0
"""How long accepted work waits for a database connection; a request waits for a moment only."""

Along = Callable[[Transaction, Accepted], Awaitable[None]]
"""What a caller writes in the transaction that takes a message."""


class Draining(Unavailable):
    """This server is about to stop and takes nothing new."""

    code = "draining"


class Runner:
    """Runs replies in this process."""

    def __init__(self, agent: Agent, *, lease_seconds: float, limits: Limits | None = None) -> None:
        self._db = agent.db
        self._agent = replace(agent, db=agent.db.patient(RUN_PATIENCE_SECONDS))
        self._lease_seconds = lease_seconds
        self._limits = limits or Limits()
        self._due = asyncio.Event()
        self._readers = Readers(self._db)
        self._live = LiveRuns(self._agent, started=self._readers.runs.nudge, ended=self._due.set)
        self._upkeep = Upkeep(self._agent, self._live, self._due, lease_seconds=lease_seconds, limits=self._limits)
        self._loops: list[asyncio.Task[None]] = []
        self.draining = False

    async def start(self) -> None:
        """Starts writing events, renewing leases and looking for runs that are due."""
        worker = await self._agent.db.worker_connection()
        try:
            await self._upkeep.keep_events(worker)
        finally:
            await worker.close()
        await self._live.log.start()
        steps = {
            "heartbeat": self._upkeep.heartbeat,
            "sweep": self._upkeep.sweep,
            "followers": self._readers.runs.poll,
            "feeds": self._readers.feeds.poll,
            "maintenance": self._maintain,
        }
        self._loops = [asyncio.create_task(forever(self._agent.db, step), name=name) for name, step in steps.items()]

    async def stop(self, drain_seconds: float = 0.0) -> None:
        """Takes nothing new, lets running replies finish for so long, hands the rest over, and stops."""
        self.draining = self._upkeep.paused = True
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
        along: Along | None = None,
    ) -> Accepted:
        """Takes a user's message; its run starts at once unless the session has one under way. `along` writes more in
        the same transaction; what it raises undoes all. Raises InvalidInput, NotFound, ClientIdReused, RunActive,
        Draining."""
        if self.draining:
            raise Draining("This server is stopping; please send the message again.")
        text = clean(text).strip()
        if not text:
            raise InvalidInput("The message is empty; write what you want to know or change.")
        if len(text) > self._limits.message_characters:
            raise InvalidInput(
                f"The message has {len(text):,} characters; at most {self._limits.message_characters:,} are possible."
            )
        async with self._db.transaction(user) as tx:
            accepted = await acceptance.accept(
                tx,
                session_id,
                text,
                client_id=client_id,
                if_running=if_running,
                owner=self._agent.owner,
                lease_seconds=self._lease_seconds,
                model=self._agent.model.name,
                prompt_version=self._agent.prompt().version,
                queue_only=len(self._live) >= self._limits.runs_at_once,
                per_user=self._limits.runs_per_user,
            )
            if along is not None:
                await along(tx, accepted)
            run = self._live.made(accepted.claim, 0) if accepted.claim else None
            if run is not None:
                await run.load(tx)
            self._agent.reached("accept.storing")
        self._agent.reached("accept.stored")
        if run is not None:
            self._live.launch(run)
        for run_id in accepted.interrupts:
            await self.cancel(user, run_id)
        self._due.set()
        return accepted

    async def cancel(self, user: UUID, run_id: UUID) -> None:
        """Stops the run, on whatever server it is; a run that is over stays as it is. Raises NotFound."""
        async with self._db.transaction(user) as tx:
            over = await runs.request_cancel(tx, run_id)
        live = self._live.get(run_id)
        if not over and live is not None:
            self._live.stop(live, "cancel")

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
            running=len(self._live),
            takeovers=self._upkeep.takeovers,
            flushes=flushes.count,
            flush_seconds_mean=flushes.total / flushes.count if flushes.count else 0.0,
            flush_seconds_longest=flushes.longest,
            readers=self._readers.count,
            dropped_readers=self._readers.dropped,
        )

    async def _maintain(self, worker: asyncpg.Connection) -> None:
        await self._upkeep.count(worker)
        log.info("runner.metrics", **asdict(self.metrics()))
        await asyncio.sleep(MAINTENANCE_SECONDS)
        await self._upkeep.keep_events(worker)
