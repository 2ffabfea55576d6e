"""The runner: takes messages, makes replies in this process, takes over what others left, and serves events to readers.

The `run` table is the queue. A process runs what it accepts at once if it can, claims what is due, renews its leases
every second, and hands over what it cannot finish. Readers are apart from runs: any number, from any event on.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

import asyncpg
import structlog

from agent.history import clean
from agent.run import Agent, Run, StopReason
from db.connection import DatabaseUnavailable, PoolExhausted
from domain.errors import InvalidInput, PennyError, Unavailable
from memory import event_log, runs
from memory.event_log import EventLog, Frame
from memory.runs import RUNS_PER_USER, Accepted, Claim, IfRunning, LeaseLost

log = structlog.get_logger(__name__)

HEARTBEAT_SECONDS = 1.0
POLL_SECONDS = (0.05, 0.25)
RECONNECT_SECONDS = 1.0
END_SECONDS = 5.0

TERMINAL = frozenset({"run.finished", "run.failed", "run.cancelled"})


class Draining(Unavailable):
    """This server is about to stop and takes nothing new."""

    code = "draining"


@dataclass(frozen=True)
class Limits:
    """Bounds of one process, of one user on all of them, and of one message. `message_characters` counts code points."""

    runs_at_once: int = 500
    runs_per_user: int = RUNS_PER_USER
    message_characters: int = 8_000


@dataclass
class _Live:
    run: Run
    task: asyncio.Task[None]


class Runner:
    """Runs replies in this process."""

    def __init__(self, agent: Agent, *, lease_seconds: float, limits: Limits | None = None) -> None:
        self._agent = agent
        self._lease_seconds = lease_seconds
        self._limits = limits or Limits()
        self._live: dict[UUID, _Live] = {}
        self._log = EventLog(agent.owner, agent.db.worker_connection, self._lost, agent.reached)
        self._due = asyncio.Event()
        self._loops: list[asyncio.Task[None]] = []
        self.draining = False

    async def start(self) -> None:
        """Starts writing events, renewing leases and looking for runs that are due."""
        await self._log.start()
        self._loops = [
            asyncio.create_task(self._forever(self._heartbeat), name="heartbeat"),
            asyncio.create_task(self._forever(self._sweep), name="sweep"),
        ]

    async def stop(self, drain_seconds: float = 0.0) -> None:
        """Takes nothing new, lets running replies finish for so long, hands the rest over, and stops."""
        self.draining = True
        tasks = [live.task for live in self._live.values()]
        if tasks and drain_seconds > 0:
            await asyncio.wait(tasks, timeout=drain_seconds)
        left = list(self._live.values())
        for live in left:
            self._stop(live, "handover")
        if left:
            await asyncio.wait([live.task for live in left], timeout=END_SECONDS)
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        await self._log.stop()
        if left:
            await self._release([live.run.claim for live in left])

    async def _release(self, claims: list[Claim]) -> None:
        """Lets others take the runs over at once; if the database is away their leases run out instead."""
        with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError, PennyError):
            worker = await self._agent.db.worker_connection()
            await runs.release(worker, self._agent.owner, claims)
            await worker.close()

    async def submit(
        self,
        user: UUID,
        session_id: UUID,
        text: str,
        *,
        client_id: str | None = None,
        if_running: IfRunning = "enqueue",
    ) -> Accepted:
        """Takes a user's message; its run starts at once unless the session has one under way. Raises InvalidInput,
        NotFound, ClientIdReused, RunActive, Draining."""
        if self.draining:
            raise Draining("This server is stopping; please send the message again.")
        text = clean(text).strip()
        if not text:
            raise InvalidInput("The message is empty; write what you want to know or change.")
        if len(text) > self._limits.message_characters:
            raise InvalidInput(
                f"The message has {len(text):,} characters; at most {self._limits.message_characters:,} are possible."
            )
        async with self._agent.db.transaction(user) as tx:
            accepted = await runs.accept(
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
            self._agent.reached("accept.storing")
        self._agent.reached("accept.stored")
        if accepted.claim is not None:
            self._launch(accepted.claim, 0)
        for run_id in accepted.interrupts:
            await self.cancel(user, run_id)
        self._due.set()
        return accepted

    async def cancel(self, user: UUID, run_id: UUID) -> None:
        """Stops the run, on whatever server it is; a run that is over stays as it is. Raises NotFound."""
        async with self._agent.db.transaction(user) as tx:
            over = await runs.request_cancel(tx, run_id)
        live = self._live.get(run_id)
        if not over and live is not None:
            self._stop(live, "cancel")

    async def events(self, user: UUID, run_id: UUID, after: int = 0) -> AsyncIterator[Frame]:
        """The run's events after `after`, from the start to the terminal one, live or long past. Raises NotFound."""
        pause = POLL_SECONDS[0]
        known = False
        while True:
            live = self._live.get(run_id)
            if live is not None and live.run.claim.user == user and live.run.stream.first_shown <= after + 1:
                async for frame in self._follow(live, after):
                    after = frame.seq
                    yield frame
                    if frame.type in TERMINAL:
                        return
                known = True
            async with self._agent.db.transaction(user) as tx:
                if not known:
                    await runs.get(tx, run_id)
                    known = True
                frames, ended = await event_log.read(tx, run_id, after)
            for frame in frames:
                after = frame.seq
                yield frame
            if ended:
                return
            pause = POLL_SECONDS[0] if frames else min(pause * 1.5, POLL_SECONDS[1])
            if run_id not in self._live:
                await asyncio.sleep(pause)

    async def _follow(self, live: _Live, after: int) -> AsyncIterator[Frame]:
        stream = live.run.stream
        at = after + 1 - stream.first_shown
        while True:
            while at < len(stream.shown):
                yield stream.shown[at]
                at += 1
            if stream.ended:
                return
            await stream.changed()

    def _launch(self, claim: Claim, last_seq: int) -> None:
        if (before := self._live.get(claim.run_id)) is not None:  # our lease ran out while we were stopped
            self._stop(before, "handover")
        run = Run(self._agent, claim, self._log.open(claim, last_seq))
        task = asyncio.create_task(self._perform(run), name=f"run-{claim.run_id}")
        self._live[claim.run_id] = _Live(run, task)

    async def _perform(self, run: Run) -> None:
        try:
            await run.perform()
        except LeaseLost:
            log.info("run.lease_lost", run_id=str(run.claim.run_id), attempt=run.claim.attempt)
        except asyncio.CancelledError:
            log.info("run.handed_over", run_id=str(run.claim.run_id))
        except (DatabaseUnavailable, PoolExhausted) as away:
            log.warning("run.interrupted", run_id=str(run.claim.run_id), error=type(away).__name__)
            await self._give_back(run.claim)
        except Exception:  # not ended: its lease runs out and a fresh attempt goes on from what is stored
            log.exception("run.broke", run_id=str(run.claim.run_id))
        finally:
            run.stream.abandon()
            if (live := self._live.get(run.claim.run_id)) is not None and live.run is run:
                del self._live[run.claim.run_id]  # not the attempt that took over from this one, here
            self._due.set()

    async def _give_back(self, claim: Claim) -> None:
        """Lets a fresh attempt go on, here or elsewhere, when the database has had a moment."""
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(RECONNECT_SECONDS)
        await self._release([claim])

    def _stop(self, live: _Live, reason: StopReason) -> None:
        """Stops a run that is not ending anyway; called again (by the heartbeat), it insists."""
        if not live.run.ending:
            live.run.stop_reason = live.run.stop_reason or reason
            live.task.cancel()

    def _lost(self, claim: Claim) -> None:
        """The database says that another process owns the run (or that it is over)."""
        live = self._live.get(claim.run_id)
        if live is not None and live.run.claim.attempt == claim.attempt:
            self._stop(live, "handover")

    async def _heartbeat(self, worker: asyncpg.Connection) -> None:
        await asyncio.sleep(min(HEARTBEAT_SECONDS, self._lease_seconds / 3))
        mine = list(self._live.values())
        if not mine:
            return
        held = await runs.heartbeat(worker, self._agent.owner, self._lease_seconds, [m.run.claim for m in mine])
        for live in mine:
            claim = live.run.claim
            if claim.run_id not in held:
                self._lost(claim)
            elif held[claim.run_id]:
                self._stop(live, "cancel")

    async def _sweep(self, worker: asyncpg.Connection) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._lease_seconds / 4):  # wait_for may swallow a cancellation (Python 3.11)
                await self._due.wait()
        self._due.clear()
        while not self.draining and len(self._live) < self._limits.runs_at_once:
            claim = await runs.claim_next(
                worker, self._agent.owner, self._lease_seconds, self._limits.runs_per_user
            )
            if claim is None:
                return
            if claim.attempt > 1:
                log.info("run.taken_over", run_id=str(claim.run_id), attempt=claim.attempt)
                self._agent.reached("takeover.claimed")
            async with self._agent.db.transaction(claim.user) as tx:
                last = await event_log.last_seq(tx, claim.run_id)
            self._launch(claim, last)

    async def _forever(self, step: Callable[[asyncpg.Connection], Awaitable[None]]) -> None:
        """Repeats a step on a connection of its own; after an error with a fresh one."""
        connection: asyncpg.Connection | None = None
        while True:
            try:
                if connection is None or connection.is_closed():
                    connection = await self._agent.db.worker_connection()
                await step(connection)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, PennyError) as error:
                log.warning("runner.step_failed", step=getattr(step, "__name__", ""), error=type(error).__name__)
                if connection is not None:
                    connection.terminate()
                connection = None
                await asyncio.sleep(RECONNECT_SECONDS)
            except asyncio.CancelledError:
                if connection is not None:
                    connection.terminate()
                raise
