"""Metrics out of the process: what nobody records by itself is looked up, and all is written, once a minute."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

import asyncpg
import structlog

from agent.runner import Runner
from db.engine import Database
from domain.errors import PennyError
from domain.metrics import Gauge
from memory import outbox, queue
from penny.emf import Emf

log = structlog.get_logger(__name__)

INTERVAL_SECONDS = 60.0

Gauges = Callable[[], Awaitable[Mapping[Gauge, float]]]
Write = Callable[[bytes], None]


def to_standard_output(line: bytes) -> None:
    """Where the container's log driver takes it from."""
    sys.stdout.buffer.write(line + b"\n")
    sys.stdout.buffer.flush()


async def standing(db: Database, runner: Runner) -> dict[Gauge, float]:
    """How things stand now. Raises what the database raises."""
    worker = await db.worker_connection()
    try:
        queued, oldest = await queue.queued(worker)
        unsent = await outbox.oldest(worker)
    finally:
        worker.terminate()
    here = runner.metrics()
    return {
        "RunsQueued": queued,
        "QueueAgeSeconds": oldest,
        "OutboxAgeSeconds": unsent,
        "Readers": here.readers,
        "ActiveStreams": here.running,
        "DatabasePoolInUse": db.in_use,
    }


@asynccontextmanager
async def told(
    emf: Emf, gauges: Gauges, *, write: Write = to_standard_output, interval: float = INTERVAL_SECONDS
) -> AsyncIterator[None]:
    """Writes the metrics every so many seconds while this is open, and what is left at its end."""
    task = asyncio.create_task(_tell(emf, gauges, write, interval), name="metrics")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        _write(emf, {}, write)


async def _tell(emf: Emf, gauges: Gauges, write: Write, interval: float) -> None:
    while True:
        await asyncio.sleep(interval)
        standing: Mapping[Gauge, float] = {}
        try:
            standing = await gauges()
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, PennyError) as error:
            log.warning("metrics.gauges_unknown", error=type(error).__name__)
        _write(emf, standing, write)


def _write(emf: Emf, standing: Mapping[Gauge, float], write: Write) -> None:
    with contextlib.suppress(OSError):  # nobody reads the log any more: the service goes on
        for line in emf.lines(standing, time.time_ns() // 1_000_000):
            write(line)
