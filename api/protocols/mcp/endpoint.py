"""What every request to /mcp passes before the protocol sees it: method, origin, token, type, size, form.

Refusals are JSON-RPC errors (their `data.code` is Penny's) with the HTTP status that fits, a 401 as RFC 6750 has it.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from api.caller import caller_of, services_of
from api.negotiation import JSON, accepts
from api.problems import NotAcceptable, UnsupportedMediaType, headers_of
from domain.errors import InvalidInput, PennyError

BODY_LIMIT = 64 * 1024
"""Bytes of one request: arguments are short."""

PARSE_ERROR, INVALID_REQUEST, INTERNAL_ERROR = -32700, -32600, -32603
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class McpRefused(PennyError):
    """The request is none that this endpoint takes."""

    code = "bad_request"
    status = 400
    rpc = INVALID_REQUEST


class NotJson(McpRefused):
    """The body is not JSON."""

    rpc = PARSE_ERROR


class MethodRefused(McpRefused):
    """There are no sessions to end and no stream to open here."""

    code = "method_not_allowed"
    status = 405


class OriginRefused(McpRefused):
    """A page of a site that is not in PENNY_CORS_ORIGINS."""

    code = "origin_not_allowed"
    status = 403


class TooLarge(McpRefused):
    """More than a request may have."""

    code = "too_large"
    status = 413


@dataclass(frozen=True)
class McpEndpoint:
    """The ASGI application at /mcp. Pages of `origins` may call, in dev mode those of this machine too."""

    origins: tuple[str, ...]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            body = await self._checked(request)
            scope["state"]["caller"] = await caller_of(request)
            _check_message(body)
            if not accepts(request.headers.get("accept"), JSON):
                raise NotAcceptable(f"This endpoint answers with {JSON}; accept it.")
            handler = await services_of(request).mcp.handler()
        except PennyError as error:
            await _refusal(request, error)(scope, receive, send)
            return
        await handler(scope, _replayed(body, receive), send)

    async def _checked(self, request: Request) -> bytes:
        """The body of a request that may be read at all."""
        if request.method != "POST":
            raise MethodRefused("Send each message as a POST; nothing is kept between requests.")
        if not self._allowed(request):
            raise OriginRefused("Pages of this site may not call; PENNY_CORS_ORIGINS lists those that may.")
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != JSON:
            raise UnsupportedMediaType("This endpoint reads JSON; send it with `Content-Type: application/json`.")
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > BODY_LIMIT:
                raise TooLarge(f"A message has at most {BODY_LIMIT} bytes.")
        return bytes(body)

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


def _check_message(body: bytes) -> None:
    """The body is one JSON-RPC message. Raises McpRefused."""
    try:
        message = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise NotJson("The body is not JSON in UTF-8.") from None
    if not isinstance(message, dict):
        raise McpRefused("The body is one JSON-RPC message, an object; batches are not taken.")
    if message.get("jsonrpc") != "2.0" or not isinstance(message.get("method"), str):
        raise McpRefused('A JSON-RPC message has `"jsonrpc": "2.0"` and a `method`.')
    if "id" in message and (isinstance(message["id"], bool) or not isinstance(message["id"], str | int)):
        raise McpRefused("The `id` of a request is a string or a whole number.")
    if not isinstance(message.get("params", {}), dict):
        raise McpRefused("`params` is an object.")


def _refusal(request: Request, error: PennyError) -> Response:
    code = error.rpc if isinstance(error, McpRefused) else INTERNAL_ERROR if error.status >= 500 else INVALID_REQUEST
    data = {"code": error.code, "request_id": request.state.request_id}
    if isinstance(error, InvalidInput):
        data |= error.details
    body = {"jsonrpc": "2.0", "id": None, "error": {"code": code, "message": error.message, "data": data}}
    headers = headers_of(error) | ({"Allow": "POST"} if error.status == 405 else {})
    return Response(orjson.dumps(body), error.status, headers, JSON)


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
