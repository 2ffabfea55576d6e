"""Connections that ask for nothing: how long a request's head may take, how long it may be, how many may wait.

uvicorn bounds none of the three: a client that sends half a request keeps its connection for ever, and one that sends
an endless address or header fills the memory. A load balancer in front hides that; here it holds without one.
"""

from __future__ import annotations

import asyncio
import resource
from dataclasses import dataclass, field
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

PIECE = 16 * 1024
"""Bytes that are read between two looks at the head's length."""


def places() -> int:
    """How many connections may wait in this process: half of what it may have open, at most 8192."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 8192 if soft == resource.RLIM_INFINITY else max(16, min(8192, soft // 2))


@dataclass(slots=True)
class Patience:
    """What clients of a server are granted, and those who wait: connected, and with no request under way.

    Where more wait than may, the one that has done so for longest goes: whoever means to ask something asks at once.
    """

    head_seconds: float = 30.0
    head_bytes: int = 64 * 1024
    waiting_at_most: int = field(default_factory=places)
    waiting: dict[Guarded, None] = field(default_factory=dict)

    def wait(self, one: Guarded) -> None:
        """`one` has nothing under way from now on."""
        self.waiting.pop(one, None)
        self.waiting[one] = None
        if len(self.waiting) > self.waiting_at_most:
            longest = next(iter(self.waiting))
            del self.waiting[longest]
            longest.leave()

    def protocol(self, *given: Any, **named: Any) -> Guarded:
        """What uvicorn makes for each connection."""
        return Guarded(self, *given, **named)


class Guarded(HttpToolsProtocol):
    """uvicorn's own protocol, bounded before a request has begun. Its body is bounded by the edge (api/edge.py)."""

    def __init__(self, patience: Patience, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._patience = patience
        self._in_head = True
        self._head_bytes = 0
        self._body = 0
        self._beside = 0
        self._head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._patience.wait(self)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._patience.waiting.pop(self, None)
        self._forget_head()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        for at in range(0, len(data), PIECE):
            piece = data[at : at + PIECE] if len(data) > PIECE else data
            super().data_received(piece)
            if self.transport.is_closing():
                return
            if self._in_head:
                self._head_bytes += len(piece)
                if self._head_bytes > self._patience.head_bytes:
                    self._refuse("431 Request Header Fields Too Large")
                    return
            else:
                self._beside += len(piece)
                if self._beside > self._patience.head_bytes + self._body:
                    self._refuse("400 Bad Request")
                    return
        if self._in_head or (self._answered() and self.timeout_keep_alive_task is None):  # an empty line is no request
            self._expect_head()

    def on_message_begin(self) -> None:
        self._in_head, self._head_bytes = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head, self._head_bytes = False, 0
        self._body = self._beside = 0
        self._forget_head()
        self._patience.waiting.pop(self, None)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._body += len(body)
        self._beside -= len(body)  # what is left is framing: chunks' lengths and extensions, trailers
        super().on_body(body)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._answered() and not self.transport.is_closing():
            self._patience.wait(self)

    def leave(self) -> None:
        """Ends the connection, whose place another needs."""
        self.transport.close()

    def _answered(self) -> bool:
        """Nothing is under way."""
        return self.cycle is None or self.cycle.response_complete  # type: ignore[redundant-expr]  # None at first

    def _expect_head(self) -> None:
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(self._patience.head_seconds, self._too_late)

    def _forget_head(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _too_late(self) -> None:
        self._head_timer = None
        if not self._answered():  # half of a next request while a reply streams: that one goes first
            self._expect_head()
        elif not self.transport.is_closing():
            self._refuse("408 Request Timeout") if self._head_bytes else self.transport.close()

    def _refuse(self, status: str) -> None:
        if self._answered():  # else it would stand in the middle of a reply
            self.transport.write(f"HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode())
        self.transport.close()
