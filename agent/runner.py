"""The runner: takes messages, makes replies in this process, takes over what others left, and serves events to readers.

The `run` table is the queue. A process runs what it accepts at once if it can, claims what is due, renews its leases
every second, and hands over what it cannot finish. Readers are apart from runs: any number, from any event on.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict, dataclass, replace
from uuid import UUID

import asyncpg
import structlog

from agent.followers import Followers
from agent.history import clean
from agent.run import Agent, Run, StopReason
from db.connection import DatabaseUnavailable, PoolExhausted
from domain.errors import InvalidInput, PennyError, Unavailable
from memory import event_log, feed, runs
from memory.event_log import EventLog, Frame, Stream
from memory.runs import RUNS_PER_USER, Accepted, Claim, IfRunning, LeaseLost

log = structlog.get_logger(__name__)

HEARTBEAT_SECONDS = 1.0
READER_BYTES = 256 * 1024
"""How far a reader may fall behind a live run before it is let go."""

MAINTENANCE_SECONDS = 60.0
RECONNECT_SECONDS = 1.0
END_SECONDS = 5.0
INSIST_SECONDS = 10.0
FEED_PAUSES = (0.05, 0.4)
"""Seconds between two looks at the feeds that are followed."""

RUN_PATIENCE_SECONDS = 30.0
"""How long accepted work waits for a database connection; a request waits for a moment only."""

TERMINAL = frozenset({"run.finished", "run.failed", "run.cancelled"})


class Draining(Unavailable):
    """This server is about to stop and takes nothing new."""

    code = "draining"


@dataclass(frozen=True)
class Limits:
    """Bounds of one process, of one user on all of them, and of one message (in code points)."""

    runs_at_once: int = 500
    runs_per_user: int = RUNS_PER_USER
    message_characters: int = 8_000
    event_retention_days: int = 7


@dataclass(frozen=True)
class Metrics:
    """A snapshot of one process. `queued` counts runs that wait, on all servers; seconds are of flushes of the log."""

    queued: int
    running: int
    takeovers: int
    flushes: int
    flush_seconds_mean: float
    flush_seconds_longest: float
    readers: int
    dropped_readers: int


@dataclass
class _Live:
    run: Run
    task: asyncio.Task[None]
    stopped_at: float = 0.0


class Runner:
    """Runs replies in this process."""

    def __init__(self, agent: Agent, *, lease_seconds: float, limits: Limits | None = None) -> None:
        self._db = agent.db
        self._agent = replace(agent, db=agent.db.patient(RUN_PATIENCE_SECONDS))
        self._lease_seconds = lease_seconds
        self._limits = limits or Limits()
        self._live: dict[UUID, _Live] = {}
        self._log = EventLog(agent.owner, agent.db.worker_connection, self._lost, agent.reached)
        self._due = asyncio.Event()
        self._loops: list[asyncio.Task[None]] = []
        self._followers = Followers(event_log.positions)
        self._feeds = Followers(feed.positions, FEED_PAUSES)
        self._readers = self._dropped_readers = self._takeovers = self._queued = 0
        self._stopped = False
        self.draining = False

    async def start(self) -> None:
        """Starts writing events, renewing leases and looking for runs that are due."""
        worker = await self._agent.db.worker_connection()
        try:
            await self._keep_events(worker)
        finally:
            await worker.close()
        await self._log.start()
        self._loops = [
            asyncio.create_task(self._forever(self._heartbeat), name="heartbeat"),
            asyncio.create_task(self._forever(self._sweep), name="sweep"),
            asyncio.create_task(self._forever(self._followers.poll), name="followers"),
            asyncio.create_task(self._forever(self._feeds.poll), name="feeds"),
            asyncio.create_task(self._forever(self._maintain), name="maintenance"),
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
        self._stopped = True
        self._followers.nudge_all()
        self._feeds.nudge_all()

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
        async with self._db.transaction(user) as tx:
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
            run = self._made(accepted.claim, 0) if accepted.claim else None
            if run is not None:
                await run.load(tx)
            self._agent.reached("accept.storing")
        self._agent.reached("accept.stored")
        if run is not None:
            self._launch(run)
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
            self._stop(live, "cancel")

    async def events(self, user: UUID, run_id: UUID, after: int = 0) -> AsyncIterator[Frame]:
        """The run's events after `after`, from the start to the terminal one, live or long past. A reader that falls
        behind a live run by READER_BYTES is let go, and every reader when this server stops; both go on by asking
        again. Raises NotFound, EventsGone."""
        self._readers += 1
        try:
            live = self._live.get(run_id)
            if live is not None and live.run.claim.user == user and live.run.stream.first_shown <= after + 1:
                async for frame in self._follow(live.run.stream, after):  # most readers need no database
                    after = frame.seq
                    yield frame
                    if frame.type in TERMINAL:
                        return
                if not live.run.stream.ended:
                    return
            async with self._db.read(user) as tx:
                day = await event_log.day_of(tx, run_id)
            with self._followers.follow(run_id, day) as followed:
                while not self._stopped:
                    live = self._live.get(run_id)
                    if live is not None and live.run.stream.first_shown <= after + 1:
                        async for frame in self._follow(live.run.stream, after):
                            after = frame.seq
                            yield frame
                            if frame.type in TERMINAL:
                                return
                        if not live.run.stream.ended:
                            return
                    async with self._db.read(user) as tx:
                        frames, ended = await event_log.read(tx, run_id, after)
                    for frame in frames:
                        after = frame.seq
                        yield frame
                    if ended:
                        return
                    if self._live.get(run_id) in (None, live):
                        await followed.beyond(after)
        finally:
            self._readers -= 1

    async def feed(self, user: UUID, session_id: UUID, after: int = 0) -> AsyncIterator[Frame]:
        """What happened in the session after the event `after`, and what happens, until this server stops. Raises
        NotFound, at any time when the session is deleted."""
        self._readers += 1
        try:
            with self._feeds.follow(session_id) as followed:
                while not self._stopped:
                    async with self._db.read(user) as tx:
                        frames = await feed.read(tx, session_id, after)
                    for frame in frames:
                        after = frame.seq
                        yield frame
                    if not frames:
                        await followed.beyond(after)
        finally:
            self._readers -= 1

    async def _follow(self, stream: Stream, after: int) -> AsyncIterator[Frame]:
        """What is shown after `after`, as it comes, until the stream ends or the reader is too slow."""
        at = after + 1 - stream.first_shown
        taken = sum(len(frame.data) for frame in stream.shown[:at])
        allowed = max(READER_BYTES, stream.bytes_shown - taken)
        while True:
            while at < len(stream.shown):
                if stream.bytes_shown - taken > allowed:
                    self._dropped_readers += 1
                    return
                frame = stream.shown[at]
                at += 1
                taken += len(frame.data)
                yield frame
            if stream.ended or self._stopped:
                return
            await stream.changed()

    def metrics(self) -> Metrics:
        """How things stand in this process; the queue is all servers', as of the last minute."""
        flushes = self._log.flushes
        return Metrics(
            queued=self._queued,
            running=len(self._live),
            takeovers=self._takeovers,
            flushes=flushes.count,
            flush_seconds_mean=flushes.total / flushes.count if flushes.count else 0.0,
            flush_seconds_longest=flushes.longest,
            readers=self._readers,
            dropped_readers=self._dropped_readers,
        )

    def _made(self, claim: Claim, last_seq: int) -> Run:
        return Run(self._agent, claim, self._log.open(claim, last_seq))

    def _launch(self, run: Run) -> None:
        claim = run.claim
        if (before := self._live.get(claim.run_id)) is not None:  # our lease ran out while we were stopped
            self._stop(before, "handover")
        self._followers.nudge(claim.run_id)
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
        """Stops a run that is not ending anyway. Called again (by the heartbeat), it insists, but not at once: a second
        cancellation in the middle of LangGraph's cleaning up would leave the model's stream open."""
        now = asyncio.get_running_loop().time()
        if not live.run.ending and (live.run.stop_reason is None or now - live.stopped_at > INSIST_SECONDS):
            live.run.stop_reason = live.run.stop_reason or reason
            live.stopped_at = now
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
            claim = await runs.claim_next(worker, self._agent.owner, self._lease_seconds, self._limits.runs_per_user)
            if claim is None:
                return
            if claim.attempt > 1:
                self._takeovers += 1
                log.info("run.taken_over", run_id=str(claim.run_id), attempt=claim.attempt)
                self._agent.reached("takeover.claimed")
            async with self._agent.db.transaction(claim.user) as tx:
                last = await event_log.last_seq(tx, claim.run_id)
            self._launch(self._made(claim, last))

    async def _maintain(self, worker: asyncpg.Connection) -> None:
        self._queued = await runs.queued(worker)
        log.info("runner.metrics", **asdict(self.metrics()))
        await asyncio.sleep(MAINTENANCE_SECONDS)
        await self._keep_events(worker)

    async def _keep_events(self, worker: asyncpg.Connection) -> None:
        try:
            if dropped := await event_log.keep(worker, self._limits.event_retention_days):
                log.info("runner.events_dropped", days=dropped)
        except asyncpg.LockNotAvailableError:
            log.info("runner.events_busy")  # the next minute will do: partitions are made days ahead

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
