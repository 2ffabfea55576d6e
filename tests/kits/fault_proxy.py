"""A TCP proxy that does to a connection what networks do: delay, cut, fall silent, drip."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from urllib.parse import urlsplit

PIECE = 65_536


@dataclass
class Weather:
    """How the network is now; each may be changed at any time and holds for connections that are open as well."""

    latency: float = 0.0
    """Seconds that every piece is under way, in each direction."""
    silent: bool = False
    """Half-open: nothing is passed on and nothing is closed; new connections are taken and hear nothing either."""
    drip: int = 0
    """At most so many bytes at a time, a hundredth of a second apart; 0 is all at once."""
    refuse: bool = False
    """New connections are closed at once."""


class FaultProxy:
    """Passes connections on to `host:port` through the weather: `async with FaultProxy(host, port) as proxy`."""

    def __init__(self, host: str, port: int) -> None:
        self.weather = Weather()
        self.taken = 0
        self._to = (host, port)
        self._open: set[asyncio.StreamWriter] = set()
        self._lost: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    def instead(self, url: str) -> str:
        """The URL with the proxy's address in the place of its own."""
        parts = urlsplit(url)
        user, at, _ = parts.netloc.rpartition("@")
        return parts._replace(netloc=f"{user}{at}127.0.0.1:{self.port}").geturl()

    def lose(self) -> None:
        """Every connection that is open now falls silent for good, as behind a router that forgot it; new ones work."""
        self._lost |= self._open

    def cut(self) -> int:
        """Resets every open connection, both ends; how many there were."""
        cut = list(self._open)
        for writer in cut:
            writer.transport.abort()
        return len(cut) // 2

    async def __aenter__(self) -> FaultProxy:
        self._server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.taken += 1
        if self.weather.refuse:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._to)
        except OSError:
            writer.transport.abort()
            return
        self._open |= {writer, far_writer}
        ways = [self._pass(reader, far_writer), self._pass(far_reader, writer)]
        tasks = [asyncio.create_task(way) for way in ways]
        self._tasks |= set(tasks)
        await asyncio.gather(*tasks, return_exceptions=True)
        self._tasks -= set(tasks)
        self._open -= {writer, far_writer}

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(self.weather.drip or PIECE):
                await asyncio.sleep(self.weather.latency or (0.01 if self.weather.drip else 0))
                while self.weather.silent or writer in self._lost:  # noqa: ASYNC110 -- the weather tells nobody
                    await asyncio.sleep(0.02)
                writer.write(data)
                await writer.drain()
        writer.transport.abort()
