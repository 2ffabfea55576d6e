"""Bodies of requests: how large one may be, how long it may take, and how much all of them may hold at once.

A body is read before anybody knows whose it is, so what strangers send is bounded here and not by their user's limits.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.types import Message, Receive

PATIENCE_SECONDS = 30.0
LEAST_PER_SECOND = 16 * 1024
"""Bytes that a body must come by, once the patience is used up: a file of 10 MiB may take eleven minutes."""

HELD_AT_ONCE = 128 * 1024 * 1024
"""Bytes of bodies in one process."""


@dataclass(slots=True)
class Bodies:
    """The bodies that a process holds."""

    at_most: int = HELD_AT_ONCE
    patience_seconds: float = PATIENCE_SECONDS
    held: int = 0


class Body:
    """One request's body, `receive` in the place of the server's. Raises HTTPException 413, 408 and 503: FastAPI takes
    other errors in here for bad JSON."""

    __slots__ = ("_all", "_deadline", "_limit", "_receive", "_received", "_whole")

    def __init__(self, receive: Receive, limit: int, bodies: Bodies) -> None:
        self._receive, self._limit, self._all = receive, limit, bodies
        self._received, self._whole = 0, False
        self._deadline = 0.0

    async def receive(self) -> Message:
        """The next piece; once the body is whole, whatever else the server says."""
        if self._whole:
            return await self._receive()
        now = time.monotonic()
        self._deadline = self._deadline or now + self._all.patience_seconds
        try:
            async with asyncio.timeout(self._deadline + self._received / LEAST_PER_SECOND - now):
                message = await self._receive()
        except TimeoutError:
            raise HTTPException(408, headers={"Connection": "close"}) from None
        if message["type"] == "http.request":
            self._whole = not message.get("more_body", False)
            self._take(len(message.get("body", b"")))
        else:
            self._whole = True
        return message

    def _take(self, size: int) -> None:
        self._received += size
        self._all.held += size
        if self._received > self._limit:
            raise HTTPException(413)
        if size and self._all.held > self._all.at_most:
            raise HTTPException(503, headers={"Retry-After": "2", "Connection": "close"})

    def release(self) -> None:
        """The request is over."""
        self._all.held -= self._received
        self._received = 0
