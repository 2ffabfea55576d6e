"""The streams of server-sent events that are open in this process.

A stream may be open for hours and mostly waits, so what it holds meanwhile is kept small: one task waits for frames,
one for the client's leaving, and one timer for all streams fills silence and finds clients that take nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import structlog
from starlette.types import Receive, Send

PING = b": ping\n\n"
PING_SECONDS = 15.0
STUCK_SECONDS = 60.0
PARTS = 15

log = structlog.get_logger(__name__)


class OpenStreams:
    """Runs them, and pings each all `ping_seconds`, a part of them at a time. A client that takes nothing for
    `stuck_seconds` is dropped when its next ping is due; it can resume."""

    def __init__(self, ping_seconds: float = PING_SECONDS, stuck_seconds: float = STUCK_SECONDS) -> None:
        self._pause = ping_seconds / PARTS
        self._stuck_seconds = stuck_seconds
        self._parts: list[set[_Open]] = [set() for _ in range(PARTS)]
        self._now = 0
        self._timer: asyncio.TimerHandle | None = None

    async def run(self, frames: AsyncGenerator[bytes, None], receive: Receive, send: Send) -> None:
        """Sends `frames` to the last one, or until the client leaves or takes nothing; they are closed at once then."""
        task = asyncio.current_task()
        assert task is not None
        stream = _Open(task, send)
        part = self._parts[self._now]  # the last that was pinged
        part.add(stream)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._pause, self._tick)
        leaving = asyncio.create_task(_left(receive))
        leaving.add_done_callback(stream.drop)
        try:
            async with aclosing(frames):
                async for frame in frames:
                    await stream.say(frame)
            await stream.say(b"", more=False)
        except asyncio.CancelledError:
            if not stream.dropped:
                raise
            task.uncancel()
        finally:
            part.discard(stream)
            stream.close()
            leaving.remove_done_callback(stream.drop)
            leaving.cancel()

    def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        self._now = (self._now + 1) % PARTS
        for stream in self._parts[self._now]:
            stream.ping(loop, self._stuck_seconds)
        self._timer = loop.call_later(self._pause, self._tick) if any(self._parts) else None


class _Open:
    """One of them. `waits_since`: the loop's time when what is being sent now began to wait for the client."""

    __slots__ = ("_pinging", "_send", "_task", "_waits_since", "dropped")

    def __init__(self, task: asyncio.Task[None], send: Send) -> None:
        self._task = task
        self._send = send
        self._waits_since: float | None = None
        self._pinging: asyncio.Task[None] | None = None
        self.dropped = False

    async def say(self, frame: bytes, *, more: bool = True) -> None:
        """Sends this once the client has taken enough of what came before."""
        if self._pinging is not None:
            await asyncio.wait((self._pinging,))
        self._waits_since = self._task.get_loop().time()
        await self._send({"type": "http.response.body", "body": frame, "more_body": more})
        self._waits_since = None

    def ping(self, loop: asyncio.AbstractEventLoop, stuck_seconds: float) -> None:
        """Fills the silence; a client that has something to take needs no filling."""
        if self._waits_since is None:
            self._pinging = loop.create_task(self._ping())
        elif loop.time() - self._waits_since > stuck_seconds:
            log.info("stream.stuck")
            self.drop()

    async def _ping(self) -> None:
        self._waits_since = self._task.get_loop().time()
        try:
            await self._send({"type": "http.response.body", "body": PING, "more_body": True})
        finally:
            self._waits_since = self._pinging = None

    def drop(self, _: object = None) -> None:
        """Ends it where it is."""
        if not self.dropped:
            self.dropped = True
            self._task.cancel()

    def close(self) -> None:
        """Nothing is to be sent any more."""
        if self._pinging is not None:
            self._pinging.cancel()


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
