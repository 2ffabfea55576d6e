"""The log of run events: written before it is served, by one batching writer per process.

A `Stream` holds the events of one run that this process makes. `EventLog` writes those of all streams in one statement
per flush, fenced by (run, attempt, owner), and only then shows them to readers. The first text of a run is written at
once; after that flushes are at least FLUSH_SECONDS apart, and text that gathers meanwhile becomes one event.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import structlog

from db.sealing.ring import Ring
from domain.failpoints import Reached, inert
from domain.metrics import UNTOLD, Metrics
from memory.frames import Batch, Frame, lines, sealed
from memory.runs import Claim

log = structlog.get_logger(__name__)

FLUSH_SECONDS = 0.05
RETRY_SECONDS = 0.5

TEXT = "text.delta"


class Stream:
    """The events of one run as this process makes them; `shown` are logged and may be read."""

    def __init__(self, log_: EventLog, claim: Claim, last_seq: int, ring: Ring) -> None:
        self.log = log_
        self.claim = claim
        self.ring = ring
        self.last_seq = last_seq
        self.shown: list[Frame] = []
        self.first_shown = last_seq + 1
        self.bytes_shown = 0
        self.ended = False
        self.closing = False
        self._pending: list[tuple[str, dict[str, Any]]] = []
        self._unwritten: list[Frame] = []
        self._text_served = False
        self._changed = asyncio.Event()

    def emit(self, kind: str, data: dict[str, Any]) -> None:
        """Adds an event. Text joins the text that still waits to be written."""
        if kind == TEXT and self._pending and self._pending[-1][0] == TEXT:
            self._pending[-1][1]["text"] += data["text"]
            return
        self._pending.append((kind, dict(data)))
        self.log.wake(self, at_once=kind == TEXT and not self._text_served)
        if kind == TEXT:
            self._text_served = True

    @property
    def pending(self) -> bool:
        return bool(self._pending or self._unwritten)

    def take(self) -> list[Frame]:
        """Numbers the waiting events and hands them over to be written; a batch whose writing failed comes first, as it
        was, for its outcome is unknown and a reader may have it."""
        if self._unwritten:
            frames, self._unwritten = self._unwritten, []
            return frames
        frames = [
            Frame(seq, kind, orjson.dumps(data).decode())
            for seq, (kind, data) in enumerate(self._pending, self.last_seq + 1)
        ]
        self._pending.clear()
        self.last_seq += len(frames)
        return frames

    @property
    def unsure(self) -> bool:
        """Whether a batch may or may not have been written."""
        return bool(self._unwritten)

    def untake(self, frames: list[Frame]) -> None:
        """Takes back a batch whose writing failed."""
        self._unwritten = frames

    def show(self, frames: list[Frame], *, last: bool = False) -> None:
        """Makes logged frames visible to the readers of this process."""
        self.shown += frames
        self.bytes_shown += sum(len(f.data) for f in frames)
        self.ended = self.ended or last
        self._changed.set()
        self._changed = asyncio.Event()

    def abandon(self) -> None:
        """Ends the stream here without a terminal event: its readers go on from the database."""
        self.show([], last=True)

    async def changed(self) -> None:
        """Waits for more frames or the end."""
        await self._changed.wait()


@dataclass
class FlushTimes:
    """Seconds that the flushes took."""

    count: int = 0
    total: float = 0.0
    longest: float = 0.0

    def add(self, seconds: float) -> None:
        """One more flush."""
        self.count, self.total, self.longest = self.count + 1, self.total + seconds, max(self.longest, seconds)


class EventLog:
    """The process's one writer. `connect` gives a connection of its own, so an exhausted pool cannot hold it up."""

    def __init__(
        self,
        owner: str,
        connect: Callable[[], Awaitable[asyncpg.Connection]],
        on_lost: Callable[[Claim], None],
        reached: Reached = inert,
        metrics: Metrics = UNTOLD,
    ) -> None:
        self._owner = owner
        self._connect = connect
        self._on_lost = on_lost
        self._reached = reached
        self._metrics = metrics
        self._connection: asyncpg.Connection | None = None
        self._dirty: dict[Stream, None] = {}  # an ordered set; a run taken over here has two streams for a while
        self._wake = asyncio.Event()
        self._urgent = asyncio.Event()
        self._busy = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self.flushes = FlushTimes()

    async def start(self) -> None:
        """Connects and starts writing."""
        self._connection = await self._connect()
        self._task = asyncio.create_task(self._write(), name="event-log")

    async def stop(self) -> None:
        """Writes what waits and stops."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self._connection is not None and not self._connection.is_closed():
            await self._flush()
            await self._connection.close()

    def open(self, claim: Claim, last_seq: int, ring: Ring) -> Stream:
        """A stream for a run of this process, going on after `last_seq`; `ring` is its user's."""
        return Stream(self, claim, last_seq, ring)

    def wake(self, stream: Stream, *, at_once: bool) -> None:
        """A stream has something to write."""
        self._dirty[stream] = None
        self._wake.set()
        if at_once:
            self._urgent.set()

    async def take_last(self, stream: Stream) -> list[Frame]:
        """The stream's last events, for the caller to write with the end of the run and then to show. When this returns
        no flush of the stream is under way, so that the log's order is the events' order."""
        stream.closing = True  # a flush that waits for its turn before us must leave the last events to us
        async with self._busy:
            while stream.unsure:
                self._dirty[stream] = None
                await self._flush_locked()
            self._dirty.pop(stream, None)
            return stream.take()

    async def _write(self) -> None:
        while True:
            await self._wake.wait()
            try:
                await self._flush()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.warning("event_log.flush_failed", error=type(error).__name__)
                await asyncio.sleep(RETRY_SECONDS)
                await self._reconnect()
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FLUSH_SECONDS):
                    await self._urgent.wait()

    async def _reconnect(self) -> None:
        """A fresh connection after an error; without one the next flush fails, and we come back here."""
        if self._connection is not None:
            self._connection.terminate()
        with contextlib.suppress(Exception):  # the database may be away for a while: the loop tries again
            self._connection = await self._connect()

    async def _flush(self) -> None:
        async with self._busy:
            await self._flush_locked()

    async def _flush_locked(self) -> None:
        if self._connection is None:
            raise ConnectionError("the event log is not connected")
        self._wake.clear()
        self._urgent.clear()
        streams = [s for s in self._dirty if s.unsure or (s.pending and not s.closing)]
        self._dirty.clear()
        if not streams:
            return
        frames = [s.take() for s in streams]
        self._reached("events.writing")
        began = time.monotonic()
        try:
            ours = await self._insert(
                self._connection,
                [(s.claim, sealed(s.ring, s.claim.run_id, lines(f))) for s, f in zip(streams, frames, strict=True)],
            )
        except BaseException:
            for stream, unwritten in zip(streams, frames, strict=True):
                stream.untake(unwritten)
                self.wake(stream, at_once=False)
            raise
        self._reached("events.written")
        self.flushes.add(took := time.monotonic() - began)
        self._metrics.measure("FlushMs", took * 1000)
        for stream, logged in zip(streams, frames, strict=True):
            if (stream.claim.run_id, stream.claim.attempt) not in ours:
                self._on_lost(stream.claim)
                continue
            stream.show(logged)
            if stream.pending:
                self.wake(stream, at_once=False)

    async def _insert(
        self, connection: asyncpg.Connection, batches: list[tuple[Claim, Batch]]
    ) -> set[tuple[UUID, int]]:
        """Writes the batches of the runs that are still ours, and gives those runs and attempts. Again does no harm."""
        rows = await connection.fetch(
            """
            WITH ours AS (
                SELECT r.user_id, r.id, r.created_at, u.attempt, u.seq, u.last_seq, u.events
                  FROM unnest($1::uuid[], $2::int[], $3::int[], $4::int[], $5::text[])
                       AS u (run_id, attempt, seq, last_seq, events)
                  JOIN run r ON r.id = u.run_id AND r.attempt = u.attempt AND r.owner = $6 AND r.status = 'running'
                 ORDER BY r.id FOR SHARE OF r),
            logged AS (
                INSERT INTO run_event (user_id, run_id, day, attempt, seq, last_seq, events)
                SELECT user_id, id, (created_at AT TIME ZONE 'UTC')::date, attempt, seq, last_seq, events
                  FROM ours ON CONFLICT DO NOTHING)
            SELECT id, attempt FROM ours
            """,
            [c.run_id for c, _ in batches],
            [c.attempt for c, _ in batches],
            [b[0] for _, b in batches],
            [b[1] for _, b in batches],
            [b[2] for _, b in batches],
            self._owner,
        )
        return {(row["id"], row["attempt"]) for row in rows}
