"""What a connection may do before it has asked for anything."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
import uvicorn

from penny.connections import Patience

HEAD = b"GET / HTTP/1.1\r\nHost: localhost\r\n"


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Says how long the body was; /slow does so in 20 pieces over a second."""
    size, more = 0, True
    while more:
        message = await receive()
        size, more = size + len(message.get("body", b"")), message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(20 if scope["path"] == "/slow" else 0):
        await send({"type": "http.response.body", "body": b".", "more_body": True})
        await asyncio.sleep(0.05)
    await send({"type": "http.response.body", "body": str(size).encode()})


Opened = Callable[[], Any]
Serving = Callable[[Patience], AbstractAsyncContextManager[Opened]]


@pytest.fixture
def serving() -> Serving:
    """`async with serving(patience) as connect`: a server, and what opens a connection to it."""

    @asynccontextmanager
    async def run(patience: Patience) -> AsyncIterator[Opened]:
        config = uvicorn.Config(echo, http=patience.protocol, ws="none", lifespan="off", log_level="error", port=0)  # type: ignore[arg-type]
        server = uvicorn.Server(config)
        task = asyncio.create_task(server._serve())
        async with asyncio.timeout(60):
            while not server.started:  # noqa: ASYNC110 -- it tells nobody
                await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        try:
            yield lambda: asyncio.open_connection("127.0.0.1", port)
        finally:
            server.should_exit = True
            await task

    return run


async def ended(reader: asyncio.StreamReader) -> bytes:
    """What came until the server closed the connection."""
    async with asyncio.timeout(60):
        try:
            return await reader.read()
        except ConnectionError:  # it had not read all that was sent
            return b""


async def flood(writer: asyncio.StreamWriter, piece: bytes, times: int) -> None:
    """Sends so many, or until the server has enough."""
    with contextlib.suppress(ConnectionError):
        for _ in range(times):
            writer.write(piece)
            await writer.drain()


@pytest.mark.parametrize(
    ("begin", "piece"),
    [
        (b"GET /", b"a" * 16_384),
        (HEAD, b"X-A: " + b"a" * 8_000 + b"\r\n"),
        (HEAD, b"A:\r\n" * 4_000),
        (HEAD + b"X-B: ", b"b" * 16_384),
    ],
    ids=["address", "headers", "many small headers", "one header"],
)
async def test_an_endless_head_is_refused(serving: Serving, begin: bytes, piece: bytes) -> None:
    """Within a megabyte, by its length alone, and the next connection is served."""
    async with serving(Patience(head_seconds=600)) as connect:
        reader, writer = await connect()
        writer.write(begin)
        await flood(writer, piece, 64)
        assert (await ended(reader))[:12] in (b"", b"HTTP/1.1 431")
        writer.close()
        reader, writer = await connect()
        writer.write(HEAD + b"Connection: close\r\n\r\n")
        assert (await ended(reader)).startswith(b"HTTP/1.1 200")


async def test_a_long_head_that_is_within_the_limit_is_read(serving: Serving) -> None:
    """48 KiB of headers, a byte at a time at their end, then a body of two megabytes on the same connection."""
    async with serving(Patience()) as connect:
        reader, writer = await connect()
        writer.write(HEAD + b"X-A: " + b"a" * 48 * 1024 + b"\r\n")
        for byte in b"X-B: b\r\n\r\n":
            writer.write(bytes([byte]))
            await writer.drain()
        assert b"200 OK" in await reader.readuntil(b"0\r\n\r\n")
        size = 2 * 1024 * 1024
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % size)
        writer.write(b"b" * size)
        assert str(size).encode() in await ended(reader)


@pytest.mark.parametrize(
    "piece",
    [b"2\r\n{}\r\n0\r\n" + b"X: y\r\n" * 2_000, b"1;" + b"a" * 16_384, b"1;" + b"a" * 16_000 + b"\r\nx\r\n"],
    ids=["trailers", "one extension", "extensions"],
)
async def test_endless_framing_around_a_body_is_refused(serving: Serving, piece: bytes) -> None:
    """It is in no body, so that no limit on bodies sees it."""
    async with serving(Patience(head_seconds=600)) as connect:
        reader, writer = await connect()
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        await flood(writer, piece, 64)
        assert b"200 OK" not in await ended(reader)


async def test_a_body_of_small_chunks_is_read(serving: Serving) -> None:
    """A megabyte, sixteen bytes at a time."""
    async with serving(Patience()) as connect:
        reader, writer = await connect()
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n")
        writer.write((b"10\r\n" + b"b" * 16 + b"\r\n") * 65_536 + b"0\r\n\r\n")
        assert str(16 * 65_536).encode() in await ended(reader)


@pytest.mark.parametrize("sent", [b"", b"GET / HT", HEAD, b"\r\n\r\n"])
async def test_who_says_nothing_or_half_a_request_is_let_go(serving: Serving, sent: bytes) -> None:
    """After the time that a head may take, told so where something was sent."""
    async with serving(Patience(head_seconds=0.2)) as connect:
        reader, writer = await connect()
        writer.write(sent)
        said = await ended(reader)
        assert said == b"" or said.startswith(b"HTTP/1.1 408")


async def test_a_dripped_head_gains_no_time(serving: Serving) -> None:
    """Each byte is in time, and the whole is not."""
    async with serving(Patience(head_seconds=0.3)) as connect:
        reader, writer = await connect()
        closing = asyncio.create_task(ended(reader))
        for _ in range(2_000):
            writer.write(b"G")
            if closing.done():
                break
            await asyncio.sleep(0.02)
        assert closing.done()


async def test_empty_lines_after_a_reply_keep_no_connection(serving: Serving) -> None:
    """They are no request, and the time for one runs."""
    async with serving(Patience(head_seconds=0.2)) as connect:
        reader, writer = await connect()
        writer.write(HEAD + b"\r\n")
        await reader.readuntil(b"0\r\n\r\n")
        writer.write(b"\r\n")
        assert await ended(reader) == b""


async def test_half_a_next_request_cuts_no_reply(serving: Serving) -> None:
    """A reply that streams for longer than a head may take ends whole; then the half request's time is over."""
    async with serving(Patience(head_seconds=0.2)) as connect:
        reader, writer = await connect()
        writer.write(b"GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\nGET / HT")
        said = await ended(reader)
        assert said.count(b"\r\n.\r\n") == 20
        assert b"\r\n0\r\n" in said


async def test_where_too_many_wait_the_oldest_goes(serving: Serving) -> None:
    """A request under way stays, however many connect and say nothing; so does who came last."""
    patience = Patience(waiting_at_most=5)
    async with serving(patience) as connect:
        busy, busy_writer = await connect()
        busy_writer.write(b"GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await busy.readuntil(b"\r\n\r\n")
        silent = [await connect() for _ in range(12)]
        for reader, _ in silent[:7]:
            assert await ended(reader) == b""
        assert len(patience.waiting) == 5
        assert b"0\r\n\r\n" in await busy.readuntil(b"0\r\n\r\n")
        last, last_writer = silent[-1]
        last_writer.write(HEAD + b"Connection: close\r\n\r\n")
        assert b"200 OK" in await ended(last)
        for _, writer in silent:
            writer.close()
