"""Reading at a pace: while many replies are read at once, each connection rests after a read that brought text.

What arrives meanwhile waits in the kernel and then comes as one read, one chunk and one event, where it were one of
each for every token. Readers lose nothing by it: the event log writes at most so often anyway.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final

import aiohttp

REST_SECONDS: Final = 0.05
"""As memory.event_log's pause between two flushes."""

LONGEST_SECONDS: Final = 0.2
READS_A_SECOND: Final = 4000
"""Of all replies together: beyond 200 replies each rests longer, up to the longest rest."""

BUSY: Final = 8
"""So many replies at once, and they are paced; fewer come token by token."""

_TICK_SECONDS: Final = 0.005
"""Connections whose rest is over within so long wake together."""


class Pace:
    """Of all replies of one wire. One timer wakes the connections, never a task."""

    def __init__(self) -> None:
        self.open = 0
        self._resting: deque[tuple[float, asyncio.Transport]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def rest(self, response: aiohttp.ClientResponse) -> None:
        """Has the response's connection rest, when there are many."""
        connection = response.connection
        transport = connection.transport if connection is not None else None
        if self.open < BUSY or transport is None or transport.is_closing():
            return
        transport.pause_reading()
        loop = asyncio.get_running_loop()
        until = loop.time() + rest_seconds(self.open)
        self._resting.append((until, transport))
        if self._timer is None:
            self._timer = loop.call_at(until, self._wake, loop)

    def _wake(self, loop: asyncio.AbstractEventLoop) -> None:
        until = loop.time() + _TICK_SECONDS
        while self._resting and self._resting[0][0] <= until:
            _, transport = self._resting.popleft()
            if not transport.is_closing():
                transport.resume_reading()
        self._timer = loop.call_at(self._resting[0][0], self._wake, loop) if self._resting else None


def rest_seconds(replies: int) -> float:
    """How long a connection rests while so many replies are read."""
    return min(max(REST_SECONDS, replies / READS_A_SECOND), LONGEST_SECONDS)
