"""What runs cost: events logged a second, how soon a reader on another process has them, and what a turn takes.

`python -m bench.runs`. A PostgreSQL of its own that keeps its promises (fsync), and a model that is a script; the
processes share this machine's cores. Statements are those of the turn itself; the log's flushes are counted apart.
"""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import shutil
import statistics
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from multiprocessing.connection import Connection
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import structlog

import db.engine
from agent.graph import build_graph
from agent.runner import Runner
from agent.scripted import ScriptedModel
from agent.start import Agent
from bench.record import quick, record
from bench.service import new_home
from db.connection import Endpoint, open_connection
from db.embedded import Server, embedded
from db.engine import Database
from db.migrate import migrate
from db.schema import APP
from domain.clock import SystemClock, today
from ledger import household
from memory import acceptance, sessions, steps
from memory.acceptance import Terms
from memory.event_log import EventLog, Stream
from memory.frames import lines
from prompts import library

STREAMS = 200
LOG_SECONDS = 4.0
READS = 60
TURNS = 30
LONG = 1000
PLAIN: list[dict[str, Any]] = [{"text": "You spent 412.30 on groceries, a little less than the month before."}]
TOOL: list[dict[str, Any]] = [
    {"tool_calls": [{"name": "get_spending", "args": {"by": "category", "category": "Groceries"}}]},
    {"text": "{summary}"},
]


class Statements:
    """How many statements the pool's connections have sent, BEGIN and COMMIT among them."""

    def __init__(self) -> None:
        self.count = 0
        db.engine.open_connection = self._open  # type: ignore[attr-defined]

    async def _open(
        self, endpoint: Endpoint, role: str | None, application: str, *patience: float
    ) -> asyncpg.Connection:
        connection = await open_connection(endpoint, role, application, *patience)
        if role == APP:
            connection.add_query_logger(self._sent)
        return connection

    def _sent(self, _: object) -> None:
        self.count += 1


@asynccontextmanager
async def runner(database: Database, script: Sequence[dict[str, Any]], owner: str) -> AsyncIterator[Runner]:
    """A runner whose model plays the script."""
    prompt = library.load()
    agent = Agent(database, ScriptedModel(script), lambda: prompt, SystemClock(), build_graph(), owner)
    made = Runner(agent, lease_seconds=30)
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


async def a_stream(database: Database, log: EventLog, user: UUID) -> Stream:
    """The stream of a run that was just accepted, with nobody making it but us."""
    async with database.transaction(user) as tx:
        accepted = await acceptance.accept(tx, (await sessions.create(tx)).id, "hi", Terms("bench", 600, "", ""))
    assert accepted.claim is not None
    return log.open(accepted.claim, 0, await database.ring(user))


async def logged(database: Database) -> float:
    """Events a second that the one writer logs, of many runs whose events wait whenever it comes by."""
    log = EventLog("bench", database.worker_connection, lambda _: None)
    users = [await database.resolve_user("bench", "", f"log {n}") for n in range(STREAMS)]
    streams = [await a_stream(database, log, user) for user in users]
    await log.start()
    began, emitted = time.monotonic(), 0
    while time.monotonic() - began < LOG_SECONDS:
        for stream in streams:  # an event that does not join the one before
            stream.emit("tool.started", {"call_id": f"call {emitted}", "label": "Looking at October groceries"})
        emitted += 1
        while emitted - min(stream.last_seq for stream in streams) > 5:  # noqa: ASYNC110 -- nobody tells
            await asyncio.sleep(0.001)
    await log.stop()
    return sum(stream.last_seq for stream in streams) / (time.monotonic() - began)


def follow(server: Server, user: UUID, run_id: UUID, pipe: Connection) -> None:
    """A process of its own: follows the run and tells when each event came, by the machine's monotonic clock."""

    async def read() -> list[tuple[int, float]]:
        database = await Database.connect(server.app_url, worker_url=server.worker_url)
        async with runner(database, PLAIN, "reader") as reading:
            pipe.send("ready")
            came = [(frame.seq, time.monotonic()) async for frame in reading.events(user, run_id)]
        await database.close()
        return came

    pipe.send(asyncio.run(read()))


async def elsewhere(database: Database, server: Server) -> list[float]:
    """Milliseconds from an event's being made here, flush and commit included, to its coming out of another process."""
    log = EventLog("bench", database.worker_connection, lambda _: None)
    user = await database.resolve_user("bench", "", "reader")
    stream = await a_stream(database, log, user)
    await log.start()
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=follow, args=(server, user, stream.claim.run_id, theirs))
    process.start()
    await asyncio.to_thread(ours.recv)
    made = []
    for n in range(READS):
        made.append(time.monotonic())
        stream.emit("text.delta", {"text": f"{n} "})
        await asyncio.sleep(0.083)
    stream.emit("run.finished", {})
    frames = await log.take_last(stream)
    async with database.transaction(user) as tx:
        await steps.complete(
            tx, stream.claim, "bench", status="finished", messages=[], events=lines(frames),
            spent=[], error=None,
        )  # fmt: skip
    came: list[tuple[int, float]] = await asyncio.to_thread(ours.recv)
    process.join()
    await log.stop()
    return [(at - made[seq - 1]) * 1000 for seq, at in came if seq <= READS]


@asynccontextmanager
async def talking(database: Database, script: Sequence[dict[str, Any]], sent: Statements) -> AsyncIterator[Any]:
    """`await one()` is one turn of a session of a household, read to its end: (wall ms, CPU ms, statements, flushes,
    bytes of events)."""
    user = await database.resolve_user("bench", "", uuid4().hex)
    async with database.transaction(user) as tx:
        await household.seed(tx, today(SystemClock(), "UTC"))
        session = (await sessions.create(tx)).id
    async with runner(database, script, f"turns {uuid4().hex}") as made:

        async def one() -> tuple[float, float, int, int, int]:
            began, cpu, statements, flushes = time.monotonic(), time.process_time(), sent.count, made.metrics().flushes
            accepted = await made.submit(user, session, "what did I spend on groceries?", client_id=uuid4().hex)
            live = made.events(user, accepted.run_id)
            size = sum([len(frame.data) async for frame in live])
            return (
                (time.monotonic() - began) * 1000, (time.process_time() - cpu) * 1000, sent.count - statements,
                made.metrics().flushes - flushes, size,
            )  # fmt: skip

        yield one


def row(name: str, figures: Sequence[tuple[float, float, int, int, int]]) -> dict[str, float]:
    """Prints the medians, and gives them."""
    wall, cpu, statements, flushes, size = (statistics.median(column) for column in zip(*figures, strict=True))
    print(f"{name:<12}{wall:>10.1f}{cpu:>10.1f}{statements:>12.0f}{flushes:>10.0f}{size:>10.0f}")
    return {"ms": wall, "cpu": cpu, "statements": statements, "bytes": size}


async def main() -> None:
    """Prints the figures."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    sent, home = Statements(), new_home()
    try:
        async with embedded(home) as server:
            await migrate(
                server.admin_url, passwords={"app": server.credentials.app, "worker": server.credentials.worker}
            )
            database = await Database.connect(server.app_url, worker_url=server.worker_url)
            speed = await logged(database)
            record("log.events", speed)
            print(f"{speed:,.0f} events a second logged, of {STREAMS} runs")
            delays = sorted(await elsewhere(database, server))
            p95 = delays[int(len(delays) * 0.95)]
            print(f"a reader on another process: p50 {statistics.median(delays):.0f} ms, p95 {p95:.0f} ms")
            record("log.elsewhere.p50", statistics.median(delays))
            record("log.elsewhere.p95", p95)
            print(f"\n{'a turn':<12}{'ms':>10}{'CPU ms':>10}{'statements':>12}{'flushes':>10}{'bytes':>10}")
            for name, script in (("plain", PLAIN), ("with a tool", TOOL * (TURNS + 5))):
                async with talking(database, script, sent) as one:
                    for _ in range(5):
                        await one()
                    told = row(name, [await one() for _ in range(TURNS)])
                for what, value in told.items():
                    record(f"turn.{name.rpartition(' ')[2]}.{what}", value)
            last = LONG // 5 if quick() else LONG
            async with talking(database, PLAIN, sent) as one:
                figures = [await one() for _ in range(last)]
            early, late = row("turn 10", figures[5:25]), row(f"turn {last:,}", figures[-20:])
            if last == LONG:
                for what, name in (("ms", ""), ("statements", ".statements"), ("bytes", ".bytes")):
                    record(f"turn.1000_of_10{name}", late[what] / early[what])
            await database.close()
    finally:
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    asyncio.run(main())
