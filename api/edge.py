"""The layer around the routes, plain ASGI: a request id, security headers, a limit on bodies, a 500 that gives nothing
away. What streams is run here, when the route that began it has been left."""

from __future__ import annotations

import re
import traceback
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.address import Proxies
from api.bodies import Bodies, Body
from api.limits import Gate
from api.open_streams import OpenStreams
from api.problems import internal, of_error, problem
from domain.errors import PennyError

BODY_LIMIT = 1024 * 1024
"""Bytes of a request's body."""

BODY_LIMITS = {"/v1/imports": 10 * BODY_LIMIT + 64 * 1024, "/ag-ui": 4 * BODY_LIMIT, "/mcp": 64 * 1024}
"""Routes that take more (a file of 10 MiB and the form around it, a client's whole conversation) or less."""

ALWAYS = ("/healthz", "/readyz")
"""Answered whatever the limits are."""

log = structlog.get_logger(__name__)
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
"""Sent unless the response has a header of that name."""


@dataclass(frozen=True)
class Edge:
    """Wraps the application. The client's X-Request-Id is kept when it is a plain one; else a new one is made."""

    app: ASGIApp
    body_limit: int = BODY_LIMIT
    gate: Gate | None = None
    proxies: Proxies = field(default_factory=Proxies)
    bodies: Bodies = field(default_factory=Bodies)
    streams: OpenStreams = field(default_factory=OpenStreams)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        state: dict[str, Any] = scope.setdefault("state", {})
        leaving: list[Callable[[], None]] = []
        state.update(request_id=_request_id(scope), leaving=leaving)
        try:
            await self._answer(scope, receive, send)
            if (frames := state.pop("frames", None)) is not None:
                await self._stream(scope, frames, receive, send)
        finally:
            for leave in leaving:
                leave()

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The application's answer; of one that is a stream its beginning, and its frames are left in the state."""
        state, headers = scope["state"], Headers(scope=scope)
        request_id = state["request_id"]
        limit = BODY_LIMITS.get(scope["path"], self.body_limit)
        body = Body(receive, limit, self.bodies)
        started = False

        async def send_on(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                sent = MutableHeaders(scope=message)
                sent["X-Request-Id"] = request_id
                for name, value in _HEADERS.items():
                    sent.setdefault(name, value)
            await send(message)

        announced = headers.get("content-length", "")
        try:
            if announced.isdecimal() and int(announced[:20]) > limit:
                detail = f"The request's body is larger than the {limit} bytes accepted here."
                await problem(request_id, 413, "too_large", detail, path=scope["path"])(scope, receive, send_on)
            else:
                if self.gate is not None and scope["path"] not in ALWAYS:
                    state["leaving"].append(await self.gate.enter("address", self.proxies.client(scope)))
                # what routing adds to the scope goes when the route is left
                await self.app(dict(scope), body.receive, send_on)
        except PennyError as refused:
            await of_error(request_id, refused, path=scope["path"])(scope, receive, send_on)
        except Exception as error:
            _failed(request_id, error)
            if not started:
                await internal(request_id, scope["path"])(scope, receive, send_on)
        finally:
            body.release()

    async def _stream(self, scope: Scope, frames: AsyncGenerator[bytes, None], receive: Receive, send: Send) -> None:
        try:
            await self.streams.run(frames, receive, send)
        except Exception as error:
            _failed(scope["state"]["request_id"], error)


def _request_id(scope: Scope) -> str:
    given = Headers(scope=scope).get("x-request-id", "")
    return given if _REQUEST_ID.fullmatch(given) else uuid4().hex


def _failed(request_id: str, error: Exception) -> None:
    """Messages of exceptions can quote what a user sent, so only their type and place are logged."""
    place = "".join(traceback.format_tb(error.__traceback__))
    log.error("request.failed", request_id=request_id, error=type(error).__name__, place=place)
