"""Errors as the protocol of the address says them; where it has no shape of its own they are problems (RFC 9457)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from typing_extensions import TypedDict  # pydantic's schemas need this one before Python 3.12


class Told(NamedTuple):
    """An error as it is sent: its status, the JSON body and that body's media type."""

    status: int
    body: dict[str, Any]
    media_type: str


Shape = Callable[[Mapping[str, Any]], Told]
"""From the members of a problem (`status`, `code`, `detail`, ...) to what the protocol's clients understand."""


class OpenAIError(TypedDict):
    """An error as OpenAI's clients read it; `code` is the same as a problem's."""

    message: str
    type: str
    param: str | None
    code: str
    request_id: str


class OpenAIErrorBody(TypedDict):
    """The body of an error on OpenAI's wire."""

    error: OpenAIError


def as_openai(problem: Mapping[str, Any]) -> Told:
    """OpenAI's `{"error": {message, type, param, code}}`; a value that cannot be used is 400 there."""
    status = 400 if problem["status"] == 422 else problem["status"]
    errors = problem.get("errors") or []
    error: OpenAIError = {
        "message": problem["detail"],
        "type": _OPENAI_TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error"),
        "param": errors[0]["field"] or None if errors else problem.get("param"),
        "code": problem["code"],
        "request_id": problem["request_id"],
    }
    return Told(status, {"error": error}, "application/json")


class JsonRpcErrorData(TypedDict):
    """What Penny says of an error beside its message."""

    code: str
    request_id: str


class JsonRpcError(TypedDict):
    """An error in JSON-RPC's words."""

    code: int
    message: str
    data: JsonRpcErrorData


class JsonRpcErrorBody(TypedDict):
    """The body of an error at /mcp; `id` is null, for the request was refused as a whole."""

    jsonrpc: str
    id: None
    error: JsonRpcError


def as_json_rpc(problem: Mapping[str, Any]) -> Told:
    """JSON-RPC's `{"jsonrpc", "id": null, "error": {code, message, data}}`; `data.code` is the problem's."""
    status = problem["status"]
    code = -32700 if problem["code"] == "not_json" else -32603 if status >= 500 else -32600
    data: JsonRpcErrorData = {"code": problem["code"], "request_id": problem["request_id"]}
    error: JsonRpcError = {"code": code, "message": problem["detail"], "data": data}
    body: JsonRpcErrorBody = {"jsonrpc": "2.0", "id": None, "error": error}
    return Told(status, dict(body), "application/json")


def as_ag_ui(problem: Mapping[str, Any]) -> Told:
    """AG-UI's RUN_ERROR, the event that ends a stream, as the body of a request that never had one."""
    metadata = {"penny": {"requestId": problem["request_id"]}}
    event = {"type": "RUN_ERROR", "message": problem["detail"], "code": problem["code"], "metadata": metadata}
    return Told(problem["status"], event, "application/json")


_OPENAI_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}

SHAPES: tuple[tuple[str, Shape], ...] = (("/openai/", as_openai), ("/mcp", as_json_rpc), ("/ag-ui", as_ag_ui))
"""Beginnings of paths, each with the shape of its errors."""


def told(path: str, problem: Mapping[str, Any]) -> Told | None:
    """The error as `path`'s protocol says it, or None where that is a problem."""
    for beginning, shape in SHAPES:
        if path.startswith(beginning):
            return shape(problem)
    return None
