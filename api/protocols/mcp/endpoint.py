"""What every request to /mcp passes before the protocol sees it: method, origin, token, type, form. What is refused is
told as JSON-RPC has it (api.protocols.errors), with the HTTP status that fits."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from api.caller import caller_of, services_of
from api.negotiation import JSON, accepts
from api.problems import NotAcceptable, UnsupportedMediaType
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


@dataclass(frozen=True)
class McpEndpoint:
    """The ASGI application at /mcp. Pages of `origins` may call, in dev mode those of this machine too."""

    origins: tuple[str, ...]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        if request.method != "POST":
            raise HTTPException(405, headers={"Allow": "POST"})
        if not self._allowed(request):
            raise OriginRefused("Pages of this site may not call; PENNY_CORS_ORIGINS lists those that may.")
        scope["state"]["caller"] = await caller_of(request)
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != JSON:
            raise UnsupportedMediaType("This endpoint reads JSON; send it with `Content-Type: application/json`.")
        if not accepts(request.headers.get("accept"), JSON):
            raise NotAcceptable(f"This endpoint answers with {JSON}; accept it.")
        body = await request.body()
        check_message(body)
        handler = await services_of(request).mcp.handler()
        await handler(scope, _replayed(body, receive), send)

    def _allowed(self, request: Request) -> bool:
        """Against DNS rebinding: the name in Host proves nothing, the page's own origin does."""
        origin = request.headers.get("origin")
        if origin is None or origin in self.origins:
            return True
        return services_of(request).dev is not None and _host(origin) in LOOPBACK


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


def _replayed(body: bytes, receive: Receive) -> Receive:
    """The body that was read, once more; then what the client does."""
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
