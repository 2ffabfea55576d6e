"""Sessions over HTTP."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from uuid import UUID

import httpx
import pytest


async def test_a_session_is_made_read_renamed_and_deleted(client: httpx.AsyncClient) -> None:
    """The four methods work on one session; afterwards it is gone."""
    made = (await client.post("/v1/sessions", json={"title": "Groceries 🛒"})).json()
    assert made["title"] == "Groceries 🛒"
    assert {"id", "title", "created_at"} <= made.keys()
    path = f"/v1/sessions/{made['id']}"
    assert (await client.get(path)).json() == made
    assert (await client.patch(path, json={"title": "Food"})).json()["title"] == "Food"
    deleted = await client.delete(path)
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert (await client.get(path)).status_code == 404
    assert (await client.delete(path)).status_code == 404


async def test_a_session_needs_no_body(client: httpx.AsyncClient) -> None:
    """POST without a body makes a session without a title."""
    made = await client.post("/v1/sessions")
    assert (made.status_code, made.json()["title"]) == (201, "")


async def test_titles_have_a_length(client: httpx.AsyncClient) -> None:
    """200 characters fit, 201 do not."""
    assert (await client.post("/v1/sessions", json={"title": "x" * 200})).status_code == 201
    assert (await client.post("/v1/sessions", json={"title": "x" * 201})).status_code == 422


async def test_pages_cover_every_session_once(client: httpx.AsyncClient) -> None:
    """Following `next` visits all sessions, the latest first, and ends with null."""
    made = [(await client.post("/v1/sessions")).json()["id"] for _ in range(5)]
    seen, cursor, pages = [], None, 0
    while True:
        page = (await client.get("/v1/sessions", params={"limit": 2} | ({"cursor": cursor} if cursor else {}))).json()
        seen += [item["id"] for item in page["items"]]
        pages += 1
        cursor = page["next"]
        if cursor is None:
            break
    assert (seen, pages) == (made[::-1], 3)


PLACES = [
    [],
    None,
    {"a": 1},
    ["x"],
    [10**30],
    [-1],
    [1.5],
    [True, 1],
    ["2026-11-22", 10**19],
    ["2026-11-22T12:00:00", str(UUID(int=1))],
    ["0001-01-01T00:00:00+14:00", str(UUID(int=1))],
    ["2026-11-22T12:00:00Z", "x"],
    ["a\x00b"],
]
"""What cursors of other lists, or of nobody, may hold."""
CURSORS = ["garbage", "", "é", "====", "\x00"] + [
    urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=") for place in PLACES
]


@pytest.mark.parametrize("cursor", CURSORS)
async def test_a_cursor_from_elsewhere_is_refused(client: httpx.AsyncClient, session_id: str, cursor: str) -> None:
    """A cursor that the list did not give is 422, whatever it holds."""
    messages = f"/v1/sessions/{session_id}/messages"
    for path in ("/v1/sessions", "/v1/proposals", "/v1/journal", "/v1/transactions", messages):
        answer = await client.get(path, params={"cursor": cursor})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input"), path


@pytest.mark.parametrize("limit", ["0", "201", "-1", "ten", "1e9"])
async def test_limits_are_between_1_and_200(client: httpx.AsyncClient, limit: str) -> None:
    """Another limit is 422."""
    assert (await client.get("/v1/sessions", params={"limit": limit})).status_code == 422
