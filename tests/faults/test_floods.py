"""Floods by strangers, and by a user beyond the limits: the service goes on answering, and its memory is bounded."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import psutil
from trials import times

from lab.bedrock_emulator import BedrockEmulator

SILENT, DRIPPING, PASSING = 400, 400, 400
HEAD = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
MEGABYTES = 60
"""What a server may grow by: connections cost kilobytes each, and half a request what was sent of it, to 64 KiB."""


@asynccontextmanager
async def connections(server: Any, count: int, say: bytes = b"") -> AsyncIterator[list[asyncio.StreamWriter]]:
    """So many, each of which has said that."""
    parts = urlsplit(server.url)
    made: list[asyncio.StreamWriter] = []
    try:
        for _ in range(count):
            _, writer = await asyncio.open_connection(parts.hostname, parts.port)
            writer.write(say)
            made.append(writer)
        yield made
    finally:
        for writer in made:
            writer.transport.abort()


def grown(process: psutil.Process, before: int) -> float:
    return (process.memory_info().rss - before) / 1e6


async def well(server: Any, reader: Any, session: str) -> None:
    """It answers, with a reply too."""
    assert (await server.client.get("/readyz")).status_code == 200
    following = reader(await server.say(session, "say 3 0"))
    await following.read_to_end([server])
    following.check()


async def test_connections_that_ask_for_nothing_stop_nothing(
    serve: Any, reader: Any, tell: Callable[[str], None]
) -> None:
    """Silent ones, ones that drip a head, ones that come and go: replies are made meanwhile."""
    server = await serve()
    session = await server.new_session()
    await well(server, reader, session)
    process = psutil.Process(server.pid)
    before = process.memory_info().rss
    async with connections(server, SILENT), connections(server, DRIPPING, HEAD) as dripping:
        for n in range(3):
            for writer in dripping:
                writer.write(b"X-%d: slow\r\n" % n)
            await well(server, reader, session)
        for _ in range(PASSING // 20):
            async with connections(server, 20, b"GET / HTTP/1.1\r\n"):
                pass
        await well(server, reader, session)
        more = grown(process, before)
    tell(f"flood: {SILENT} silent, {DRIPPING} dripping, {PASSING} passing connections: {more:.0f} MB, replies made")
    assert more < MEGABYTES


async def test_heads_without_end_are_cut_off(serve: Any, reader: Any, tell: Callable[[str], None]) -> None:
    """Addresses and headers of megabytes by many at once: a few dozen kilobytes of each are taken, and no time: a long
    address once took the process minutes."""
    server = await serve()
    session = await server.new_session()
    await well(server, reader, session)
    process = psutil.Process(server.pid)
    before = process.memory_info().rss

    async def endless(writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            for _ in range(64):
                writer.write(b"a" * 65_536)
                await writer.drain()
                if writer.transport.is_closing():
                    break

    for begin in (b"GET /", HEAD + b"X-A: "):
        async with connections(server, times(20), begin) as flood:
            sending = asyncio.gather(*(endless(writer) for writer in flood))
            await well(server, reader, session)
            async with asyncio.timeout(120):
                await sending
    more = grown(process, before)
    tell(f"flood: {2 * times(20)} heads of 4 MiB: {more:.0f} MB, replies made")
    assert more < MEGABYTES


async def test_bodies_of_strangers_hold_a_bounded_memory(serve: Any, reader: Any, tell: Callable[[str], None]) -> None:
    """Sixty bodies of 4 MiB, each without its last byte, by nobody: some are refused, others are answered meanwhile,
    and once they are gone so is what they held."""
    server = await serve()
    session = await server.new_session()
    await well(server, reader, session)
    size = 4 * 1024 * 1024
    begin = b"POST /ag-ui HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    parts = urlsplit(server.url)

    enough = asyncio.Event()

    async def one() -> bytes:
        """What the server says to it until it is enough."""
        reading, writer = await asyncio.open_connection(parts.hostname, parts.port)
        said = asyncio.create_task(reading.read(12))
        try:
            writer.write(begin % size + b" " * (size - 1))
            await asyncio.wait({said, asyncio.create_task(enough.wait())}, return_when=asyncio.FIRST_COMPLETED)
            return said.result() if said.done() and not said.exception() else b""
        finally:
            said.cancel()
            writer.transport.abort()

    process = psutil.Process(server.pid)
    before = process.memory_info().rss
    bodies = [asyncio.create_task(one()) for _ in range(60)]
    async with asyncio.timeout(120):
        while not any(task.done() for task in bodies):  # noqa: ASYNC110 -- nobody tells
            await asyncio.sleep(0.05)
    more = grown(process, before)
    assert (await server.client.get("/healthz")).status_code == 200
    enough.set()
    answers = await asyncio.gather(*bodies)
    refused = sum(answer.endswith(b" 503") for answer in answers)
    assert refused
    await well(server, reader, session)
    tell(f"flood: 60 bodies of 4 MiB without an end: {refused} refused, {more:.0f} MB")
    assert more < 2 * 128 + MEGABYTES


async def test_streams_beyond_the_limits_are_refused(
    serve: Any, reader: Any, emulator: BedrockEmulator, tell: Callable[[str], None]
) -> None:
    """One user opens three times the streams that may be open: 429 with Retry-After for the rest, another user is
    served, and once they are closed so is the first."""
    server = await serve(PENNY_LIMITS_OPEN_PER_USER="20", PENNY_LIMITS_RUNS_PER_USER="5")
    session = await server.new_session()
    other = (await server.client.get("/dev/token", params={"user": "other"})).json()["token"]
    async with contextlib.AsyncExitStack() as stack:
        answers = []
        for _ in range(60):
            stream = server.client.stream("GET", f"/v1/sessions/{session}/events")
            answers.append(await stack.enter_async_context(stream))
        refused = [answer for answer in answers if answer.status_code == 429]
        assert [answer.status_code for answer in answers].count(200) == 20
        assert len(refused) == 40
        for answer in refused:
            assert (await answer.aread())[:1] == b"{"
            assert answer.json()["code"] == "too_many_open"
            assert math.isfinite(float(answer.headers["Retry-After"]))
        else_ = {"Authorization": f"Bearer {other}"}
        assert (await server.client.get("/v1/sessions", headers=else_)).status_code == 200
    async with asyncio.timeout(60):
        while (await server.client.get("/v1/sessions")).status_code == 429:  # noqa: ASYNC110 -- nobody tells
            await asyncio.sleep(0.1)
    await well(server, reader, session)
    tell("flood: 60 streams of one user: 20 open, 40 refused, others served")
