"""Errors on the wire."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from db.connection import PoolExhausted
from domain.errors import Unavailable


def check(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert (body["status"], body["code"], body["type"]) == (status, code, "about:blank")
    assert body["title"]
    assert body["detail"]
    assert body["request_id"] == answer.headers["x-request-id"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    return body


async def test_an_unknown_address_is_a_problem(client: httpx.AsyncClient) -> None:
    """404, also with a slash too many."""
    check(await client.get("/v1/nothing"), 404, "not_found")
    check(await client.get("/v1/sessions/"), 404, "not_found")


async def test_a_wrong_method_names_the_right_ones(client: httpx.AsyncClient) -> None:
    """405 keeps the Allow header."""
    answer = await client.put("/v1/sessions")
    check(answer, 405, "method_not_allowed")
    assert "GET" in answer.headers["allow"] or "POST" in answer.headers["allow"]


async def test_a_body_that_is_not_json_is_refused(client: httpx.AsyncClient) -> None:
    """415 for another type or none, 422 for JSON that is broken, 400 for what is no text at all."""
    for headers in ({"content-type": "text/plain"}, {}, {"content-type": "application/x-www-form-urlencoded"}):
        check(await client.post("/v1/sessions", content=b"title=x", headers=headers), 415, "unsupported_media_type")
    json = {"content-type": "application/json"}
    check(await client.post("/v1/sessions", content=b'{"title": ', headers=json), 422, "invalid_input")
    check(await client.post("/v1/sessions", content=b"\xff\xfe{", headers=json), 400, "bad_request")
    check(await client.post("/v1/sessions", content=b"[" * 100_000, headers=json), 400, "bad_request")
    check(await client.post("/v1/sessions", content=b"[1" + b"0" * 6000 + b"]", headers=json), 400, "bad_request")


async def test_unusable_values_are_named_but_not_repeated(client: httpx.AsyncClient, session_id: str) -> None:
    """422 names the field and what is accepted, never the value that was sent."""
    sent = {"text": "hello", "if_running": "hunter2", "other": 1}
    body = check(await client.post(f"/v1/sessions/{session_id}/messages", json=sent), 422, "invalid_input")
    assert {e["field"] for e in body["errors"]} == {"if_running", "other"}
    assert {e["where"] for e in body["errors"]} == {"body"}
    assert "enqueue" in str(body["errors"])
    assert "hunter2" not in str(body)
    body = check(await client.post(f"/v1/sessions/{session_id}/messages"), 422, "invalid_input")
    assert "body is missing" in body["detail"]


@pytest.mark.parametrize("text", [r'"nul \u0000 here"', r'"half \ud83d pair"'])
async def test_text_that_cannot_be_stored_is_refused(client: httpx.AsyncClient, session_id: str, text: str) -> None:
    """NUL and half surrogate pairs are 422 wherever text is taken, as values and as names."""
    json = {"content-type": "application/json"}
    for method, path, body in (
        ("POST", f"/v1/sessions/{session_id}/messages", '{"text": %s}'),
        ("POST", f"/v1/sessions/{session_id}/messages", '{"text": "a", "client_id": %s}'),
        ("POST", "/v1/sessions", '{"title": %s}'),
        ("POST", "/v1/sessions", '{%s: "a"}'),
        ("PATCH", f"/v1/sessions/{session_id}", '{"title": %s}'),
        ("PATCH", "/v1/preferences", '{"time_zone": %s}'),
    ):
        check(await client.request(method, path, content=body % text, headers=json), 422, "invalid_input")
    check(await client.get("/v1/transactions?text=%00"), 422, "invalid_input")


async def test_a_body_over_a_mebibyte_is_refused(client: httpx.AsyncClient) -> None:
    """413, whether its length is announced or found out, and also before anybody is known."""

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b" " * 65536

    json = {"content-type": "application/json"}
    check(await client.post("/v1/sessions", content=b" " * (1024 * 1024 + 1), headers=json), 413, "too_large")
    check(await client.post("/v1/sessions", content=chunks(), headers=json), 413, "too_large")


async def test_what_is_away_for_a_moment_says_when_to_come_back(
    client: httpx.AsyncClient, parts: Any, session_id: str
) -> None:
    """503 has Retry-After in seconds; the error's own when it has one."""
    path = f"/v1/sessions/{session_id}/messages"
    parts.runner.refuse = Unavailable("Not now.")
    answer = await client.post(path, json={"text": "hello"})
    check(answer, 503, "unavailable")
    assert answer.headers["retry-after"] == "2"
    parts.runner.refuse = PoolExhausted("Busy.", retry_after=1)
    answer = await client.post(path, json={"text": "hello"})
    check(answer, 503, "pool_exhausted")
    assert answer.headers["retry-after"] == "1"


async def test_an_unforeseen_error_gives_nothing_away(
    client: httpx.AsyncClient, parts: Any, session_id: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """500 shows a request id; neither the answer nor the log has the exception's text."""
    parts.runner.refuse = RuntimeError("password=hunter2")
    with capture_logs() as logged:
        answer = await client.post(
            f"/v1/sessions/{session_id}/messages", json={"text": "hello"}, headers={"x-request-id": "abc-1"}
        )
    body = check(answer, 500, "internal")
    assert body["request_id"] == "abc-1"
    assert [(entry["event"], entry["error"]) for entry in logged] == [("request.failed", "RuntimeError")]
    assert "hunter2" not in answer.text + str(logged) + "".join(capfd.readouterr())


async def test_a_strange_request_id_is_replaced(client: httpx.AsyncClient) -> None:
    """Only plain request ids come back."""
    answer = await client.get("/healthz", headers={"x-request-id": 'a" b<script>'})
    assert len(answer.headers["x-request-id"]) == 32
