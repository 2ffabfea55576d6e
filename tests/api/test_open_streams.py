"""What an open stream does while nothing happens in it, and what it takes."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator
from typing import Any

import httpx
import pytest

from api.open_streams import PING, OpenStreams

SECONDS = 20.0
"""How long a test waits for what is to happen at once."""


class Reader:
    """An ASGI client: `offered` counts the bodies, `sent` are those it took; it leaves when `leave` is set, and takes
    nothing unless `takes` is."""

    def __init__(self) -> None:
        self.offered = 0
        self.sent: list[bytes] = []
        self.leave = asyncio.Event()
        self.takes = asyncio.Event()
        self.takes.set()
        self.over = False

    async def receive(self) -> Any:
        await self.leave.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        self.offered += 1
        await self.takes.wait()
        assert not self.over, "nothing may follow the end"
        self.sent.append(message["body"])
        self.over = not message["more_body"]


class Frames:
    """Frames that a test gives; `closed` once whoever reads them let go."""

    def __init__(self) -> None:
        self.coming: asyncio.Queue[bytes | Exception | None] = asyncio.Queue()
        self.closed = asyncio.Event()

    async def __call__(self) -> AsyncGenerator[bytes, None]:
        try:
            while (frame := await self.coming.get()) is not None:
                if isinstance(frame, Exception):
                    raise frame
                yield frame
        finally:
            self.closed.set()


@pytest.fixture
async def reader() -> Reader:
    return Reader()


@pytest.fixture
async def frames() -> Frames:
    return Frames()


async def until(condition: Any) -> None:
    """Returns once it holds."""
    async with asyncio.timeout(SECONDS):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_silence_is_filled_with_comments_that_end_in_lf(reader: Reader, frames: Frames) -> None:
    """Pings come again and again between frames, and none after the end."""
    streams = OpenStreams(ping_seconds=0.15)
    running = asyncio.create_task(streams.run(frames(), reader.receive, reader.send))
    await until(lambda: reader.sent.count(PING) >= 2)
    frames.coming.put_nowait(b"one")
    await until(lambda: b"one" in reader.sent and reader.sent[-1] == PING)
    frames.coming.put_nowait(None)
    await running
    assert PING == b": ping\n\n"
    assert reader.sent[-1] == b""
    assert set(reader.sent) == {PING, b"one", b""}
    await asyncio.sleep(0.3)
    assert reader.over
    assert reader.sent[-1] == b""


async def test_a_client_that_leaves_closes_the_frames(reader: Reader, frames: Frames) -> None:
    """At once, while the next frame is waited for; whoever runs the stream is not cancelled by it."""
    streams = OpenStreams()
    running = asyncio.create_task(streams.run(frames(), reader.receive, reader.send))
    await asyncio.sleep(0)
    reader.leave.set()
    async with asyncio.timeout(SECONDS):
        await running
    assert frames.closed.is_set()
    assert running.cancelling() == 0


async def test_a_client_that_takes_nothing_is_dropped(reader: Reader, frames: Frames) -> None:
    """A ping waits with the rest and is not repeated; after a while the stream is let go."""
    reader.takes.clear()
    streams = OpenStreams(ping_seconds=0.15, stuck_seconds=0.2)
    running = asyncio.create_task(streams.run(frames(), reader.receive, reader.send))
    frames.coming.put_nowait(b"one")
    async with asyncio.timeout(SECONDS):
        await running
    assert frames.closed.is_set()
    reader.takes.set()
    await asyncio.sleep(0)
    assert reader.sent == []


async def test_a_frame_waits_for_a_ping_that_the_client_has_not_taken(reader: Reader, frames: Frames) -> None:
    """What is sent comes in order, however slow the client is, and the end is last."""
    reader.takes.clear()
    streams = OpenStreams(ping_seconds=0.15)
    running = asyncio.create_task(streams.run(frames(), reader.receive, reader.send))
    await until(lambda: reader.offered == 1)
    frames.coming.put_nowait(b"one")
    frames.coming.put_nowait(None)
    await asyncio.sleep(0.1)
    assert reader.offered == 1
    reader.takes.set()
    async with asyncio.timeout(SECONDS):
        await running
    assert reader.sent == [PING, b"one", b""]


async def test_an_error_of_the_frames_goes_on(reader: Reader, frames: Frames) -> None:
    """The edge logs it; what was sent has no end, so that the client asks again."""
    frames.coming.put_nowait(RuntimeError("password=hunter2"))
    with pytest.raises(RuntimeError):
        await OpenStreams().run(frames(), reader.receive, reader.send)
    assert reader.sent == []


async def test_who_cancels_a_stream_is_obeyed(reader: Reader, frames: Frames) -> None:
    """A server that stops ends it, and it does not take that for the client's leaving."""
    running = asyncio.create_task(OpenStreams().run(frames(), reader.receive, reader.send))
    await asyncio.sleep(0.05)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert frames.closed.is_set()


async def test_an_open_stream_takes_two_tasks(served: httpx.AsyncClient, session_id: str) -> None:
    """One that answers the request and one that waits for the client's leaving, until it has left."""
    host, port = served.base_url.host, served.base_url.port
    request = f"GET /v1/sessions/{session_id}/events HTTP/1.1\r\nHost: {host}\r\n"
    sent = (request + f"Authorization: {served.headers['authorization']}\r\n\r\n").encode()
    assert (await served.get("/healthz")).status_code == 200
    with contextlib.ExitStack() as stack:
        before = len(asyncio.all_tasks())
        for _ in range(20):
            client = stack.enter_context(socket.create_connection((host, port)))
            client.setblocking(False)
            await asyncio.get_running_loop().sock_sendall(client, sent)
            async with asyncio.timeout(SECONDS):
                assert b"200 OK" in await asyncio.get_running_loop().sock_recv(client, 4096)
        assert len(asyncio.all_tasks()) - before <= 2 * 20
    await until(lambda: len(asyncio.all_tasks()) <= before)
