"""What every request to /mcp must be before the protocol sees it, and how it is handed on."""

from __future__ import annotations

from urllib.parse import urlsplit

import orjson
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from api.protocols.mcp.wire import Handler
from domain.errors import PennyError

LOOPBACK = ("127.0.0.1", "localhost", "::1")


class NotJson(PennyError):
    """The body is not JSON."""

    code = "not_json"
    status = 400


class NoMessage(PennyError):
    """The body is JSON, but no message of the protocol."""

    code = "bad_request"
    status = 400


class OriginRefused(PennyError):
    """A page of a site that is not in PENNY_CORS_ORIGINS."""

    code = "origin_not_allowed"
    status = 403


def check_origin(origin: str | None, allowed: tuple[str, ...], *, dev: bool) -> None:
    """Against DNS rebinding: the name in Host proves nothing, the page's own origin does. In dev mode pages of this
    machine may call. Raises OriginRefused."""
    if origin is None or origin in allowed or (dev and _host(origin) in LOOPBACK):
        return
    raise OriginRefused("Pages of this site may not call; PENNY_CORS_ORIGINS lists those that may.")


def _host(origin: str) -> str | None:
    try:
        return urlsplit(origin).hostname
    except ValueError:
        return None


def check_message(body: bytes) -> None:
    """Raises NotJson or NoMessage unless the body is one JSON-RPC message."""
    try:
        message = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise NotJson("The body is not JSON in UTF-8.") from None
    if not isinstance(message, dict):
        raise NoMessage("The body is one JSON-RPC message, an object; batches are not taken.")
    if message.get("jsonrpc") != "2.0" or not isinstance(message.get("method"), str):
        raise NoMessage('A JSON-RPC message has `"jsonrpc": "2.0"` and a `method`.')
    if "id" in message and (isinstance(message["id"], bool) or not isinstance(message["id"], str | int)):
        raise NoMessage("The `id` of a request is a string or a whole number.")
    if not isinstance(message.get("params", {}), dict):
        raise NoMessage("`params` is an object.")


class HandedOn(Response):
    """The answer is the protocol's, which reads the body once more."""

    def __init__(self, handler: Handler, body: bytes) -> None:
        super().__init__()
        self._handler = handler
        self._read = body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        given = False

        async def replay() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": self._read, "more_body": False}

        await self._handler(scope, replay, send)
