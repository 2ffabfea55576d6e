"""Errors on the wire: RFC 9457 `application/problem+json` with a stable `code`, and nothing internal."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from api.protocols.errors import told
from api.resource import challenge
from domain.errors import PennyError, Unavailable

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 2

_CODES = {
    400: ("bad_request", "The body could not be read; send JSON in UTF-8."),
    404: ("not_found", "There is nothing at this address; /openapi.json lists what there is."),
    405: ("method_not_allowed", "This address does not answer to that method; the Allow header lists those it does."),
    408: ("body_too_slow", "The request's body did not come in time; send it again."),
    413: ("too_large", "The request's body is larger than this route accepts."),
    503: ("too_many_bodies", "More is being sent here at once than fits; send it again in a moment."),
}


class FieldError(BaseModel):
    """One value that cannot be used."""

    field: str = Field(description="Its name; in nested values with dots.")
    where: str = Field(description="body, query, path or header.")
    message: str


class Problem(BaseModel):
    """An error (RFC 9457). `code` is stable; `detail` is for people; some codes carry further members."""

    model_config = ConfigDict(extra="allow")

    type: str = "about:blank"
    title: str = Field(description="The status in words.")
    status: int
    detail: str = Field(description="One sentence that says what to do.")
    code: str = Field(description="Stable and machine-readable.")
    request_id: str | None = Field(
        None, description="Also in the X-Request-Id header; name it when you report the error."
    )
    errors: list[FieldError] | None = Field(
        None, description="With code invalid_input: the values that cannot be used."
    )


class UnsupportedMediaType(PennyError):
    """The body is not of a type that this route reads."""

    code = "unsupported_media_type"
    status = 415


class NotAcceptable(PennyError):
    """The route cannot answer in any type that the client accepts."""

    code = "not_acceptable"
    status = 406


def problem(
    request_id: str,
    status: int,
    code: str,
    detail: str,
    headers: Mapping[str, str] | None = None,
    *,
    path: str = "",
    **members: Any,
) -> Response:
    """The response for an error, in the shape of the protocol at `path`; `members` are further JSON values for clients
    and cannot hide the standard ones."""
    body = members | {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": _sendable(detail),
        "code": code,
        "request_id": request_id,
    }
    sent_status, sent, media_type = told(path, body) or (status, body, MEDIA_TYPE)
    return Response(orjson.dumps(sent, default=str), sent_status, dict(headers or {}), media_type)


def of_error(
    request_id: str, error: PennyError, headers: Mapping[str, str] | None = None, *, path: str = ""
) -> Response:
    """The response for a PennyError."""
    sent = dict(headers or {})
    if error.status == 401:
        told_so = ', error="invalid_token"' if "token" in error.code else ""
        sent.setdefault("WWW-Authenticate", f'Bearer realm="penny"{told_so}')
    if error.retryable and (isinstance(error, Unavailable) or error.status == 429):
        sent["Retry-After"] = str(error.details.get("retry_after", RETRY_AFTER_SECONDS))
    return problem(request_id, error.status, error.code, error.message, sent, path=path, **error.details)


def internal(request_id: str, path: str = "") -> Response:
    """The response for an error that nobody foresaw."""
    detail = "Something went wrong here; the request id helps to find out what."
    return problem(request_id, 500, "internal", detail, path=path)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that can answer with these error statuses, for OpenAPI."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return _described(statuses, {MEDIA_TYPE: {"schema": schema}})


def documented_openai(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The same for a route of OpenAI's wire, whose errors have its shape."""
    return _described(statuses, {"application/json": {"schema": {"$ref": "#/components/schemas/OpenAIErrorBody"}}})


def documented_json_rpc(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The same for MCP, whose errors are JSON-RPC's."""
    return _described(statuses, {"application/json": {"schema": {"$ref": "#/components/schemas/JsonRpcErrorBody"}}})


def documented_ag_ui(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The same for AG-UI, whose errors are its RUN_ERROR."""
    return _described(statuses, {"application/json": {"schema": {"$ref": "#/components/schemas/RunErrorEvent"}}})


def _described(statuses: tuple[int, ...], content: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
    slow = (408,) if 413 in statuses else ()  # what may be too large may be too slow
    return {s: {"description": HTTPStatus(s).phrase, "content": content} for s in sorted({*statuses, *slow})}


def install(app: FastAPI) -> None:
    """Makes every error of `app` a problem, the framework's own too."""

    async def penny_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, PennyError)
        headers = challenge(request) if error.status == 401 else {}
        return of_error(request.state.request_id, error, headers, path=request.url.path)

    async def http_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        code, detail = _CODES.get(error.status_code, ("http_error", HTTPStatus(error.status_code).description))
        return problem(request.state.request_id, error.status_code, code, detail, error.headers, path=request.url.path)

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        errors = [_field_error(e) for e in error.errors()]
        first = errors[0]
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        detail = f"{first['field']}: {first['message']}{more}" if first["field"] else first["message"]
        return problem(request.state.request_id, 422, "invalid_input", detail, path=request.url.path, errors=errors)

    app.add_exception_handler(PennyError, penny_error)
    app.add_exception_handler(HTTPException, http_error)
    app.add_exception_handler(RequestValidationError, invalid)


def _field_error(error: dict[str, Any]) -> dict[str, str]:
    where, *path = (str(part) for part in error["loc"])
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "json_invalid":
        path, message = [], "The body is not valid JSON."
    elif error["type"] == "missing" and not path:
        message = "The body is missing; send a JSON object."
    elif error["type"] == "extra_forbidden":
        message = "There is no such field here."
    return {"field": _sendable(".".join(path)[:128]), "where": where, "message": _sendable(message)}


def _sendable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
