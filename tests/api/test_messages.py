"""Saying something, and the three ways to be answered."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

REPLY = "You spent 412,30 €."


async def test_json_waits_for_the_reply(client: httpx.AsyncClient, session_id: str) -> None:
    """`Accept: application/json` gives the reply, its figures, proposals and usage, and the run's id twice."""
    answer = await client.post(
        f"/v1/sessions/{session_id}/messages", json={"text": "how much?"}, headers={"accept": "application/json"}
    )
    assert answer.status_code == 200
    body = answer.json()
    assert body["reply"] == REPLY
    assert body["figures"][0]["verified"] is True
    assert body["proposals"] == []
    assert body["usage"]["output_tokens"] == 2
    assert answer.headers["penny-run-id"] == body["run_id"]


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("*/*", "application/json"),
        ("application/*", "application/json"),
        ("", "application/json"),
        ("text/event-stream", "text/event-stream; charset=utf-8"),
        ("text/*", "text/event-stream; charset=utf-8"),
        ("Text/Event-Stream, application/json;q=0.9", "text/event-stream; charset=utf-8"),
        ("text/event-stream;q=0.5, application/json", "application/json"),
        ("application/json;q=0, */*", "text/event-stream; charset=utf-8"),
        ("text/event-stream;q=0, */*;q=0.1", "application/json"),
    ],
)
async def test_the_accept_header_chooses(client: httpx.AsyncClient, session_id: str, accept: str, kind: str) -> None:
    """The better liked of the two types is sent; JSON when it does not matter."""
    answer = await client.post(
        f"/v1/sessions/{session_id}/messages", json={"text": "how much?"}, headers={"accept": accept}
    )
    assert (answer.status_code, answer.headers["content-type"]) == (200, kind)


async def test_a_type_that_is_neither_is_refused_before_anything_happens(
    client: httpx.AsyncClient, session_id: str
) -> None:
    """406, and the message is not kept."""
    path = f"/v1/sessions/{session_id}/messages"
    answer = await client.post(path, json={"text": "how much?"}, headers={"accept": "text/html"})
    assert (answer.status_code, answer.json()["code"]) == (406, "not_acceptable")
    assert (await client.get(path)).json()["items"] == []


async def test_respond_async_names_the_run_at_once(client: httpx.AsyncClient, session_id: str, parts: Any) -> None:
    """`Prefer: respond-async` is 202 with the run's id, also while no event is there yet."""
    parts.runner.hold_before = 1
    answer = await client.post(
        f"/v1/sessions/{session_id}/messages",
        json={"text": "how much?"},
        headers={"prefer": "wait=5, respond-async", "accept": "text/event-stream"},
    )
    assert answer.status_code == 202
    run_id = answer.json()["run_id"]
    assert answer.headers["penny-run-id"] == run_id
    assert answer.headers["location"] == f"/v1/runs/{run_id}"
    assert answer.headers["preference-applied"] == "respond-async"
    run = (await client.get(answer.headers["location"])).json()
    assert (run["id"], run["session_id"], run["status"]) == (run_id, session_id, "running")


async def test_the_same_client_id_is_the_same_run(client: httpx.AsyncClient, session_id: str) -> None:
    """Sent again with the same text it is the same run; with another text 409."""
    path = f"/v1/sessions/{session_id}/messages"
    first = await client.post(path, json={"text": "how much?", "client_id": "c1"})
    again = await client.post(path, json={"text": "how much?", "client_id": "c1"})
    assert (first.status_code, again.json()["run_id"]) == (200, first.json()["run_id"])
    other = await client.post(path, json={"text": "how little?", "client_id": "c1"})
    assert (other.status_code, other.json()["code"]) == (409, "client_id_reused")
    assert len((await client.get(path)).json()["items"]) == 1


async def test_a_busy_session_may_refuse(client: httpx.AsyncClient, session_id: str) -> None:
    """`if_running: reject` is 409 while a run is under way."""
    path = f"/v1/sessions/{session_id}/messages"
    await client.post(path, json={"text": "one"}, headers={"prefer": "respond-async"})
    answer = await client.post(path, json={"text": "two", "if_running": "reject"})
    assert (answer.status_code, answer.json()["code"]) == (409, "run_active")


async def test_a_failed_run_is_a_problem(client: httpx.AsyncClient, session_id: str, parts: Any) -> None:
    """Who waits for the reply of a run that fails gets its code, 503 when trying again may help and 500 when not."""
    path = f"/v1/sessions/{session_id}/messages"
    for retryable, status in ((True, 503), (False, 500)):
        parts.runner.script = [("run.failed", {"code": "model_x", "message": "It broke.", "retryable": retryable})]
        answer = await client.post(path, json={"text": "hello"})
        body = answer.json()
        assert (answer.status_code, body["code"], body["detail"]) == (status, "model_x", "It broke.")
        assert (body["run_id"], body["retryable"]) == (answer.headers["penny-run-id"], retryable)
        assert ("retry-after" in answer.headers) is retryable


async def test_a_cancelled_run_is_a_conflict(client: httpx.AsyncClient, session_id: str, parts: Any) -> None:
    """Who waits for the reply of a run that is cancelled gets 409."""
    parts.runner.script = [("text.delta", {"text": "You"}), ("run.cancelled", {})]
    answer = await client.post(f"/v1/sessions/{session_id}/messages", json={"text": "hello"})
    assert (answer.status_code, answer.json()["code"]) == (409, "run_cancelled")


async def test_messages_are_listed_page_by_page(client: httpx.AsyncClient, session_id: str) -> None:
    """The latest turns come first, each page oldest first, and following `next` covers the session."""
    path = f"/v1/sessions/{session_id}/messages"
    for n in range(5):
        await client.post(path, json={"text": f"message {n}"})
    page = (await client.get(path, params={"limit": 2})).json()
    assert [item["text"] for item in page["items"]] == ["message 3", "message 4"]
    assert [item["role"] for item in page["items"]] == ["user", "user"]
    earlier = (await client.get(path, params={"limit": 200, "cursor": page["next"]})).json()
    assert [item["text"] for item in earlier["items"]] == ["message 0", "message 1", "message 2"]
    assert earlier["next"] is None


async def test_an_edited_message_takes_the_place_of_the_first(client: httpx.AsyncClient, session_id: str) -> None:
    """The list has the new one, which names the old; `superseded=true` shows both. An unknown message is 404."""
    path = f"/v1/sessions/{session_id}/messages"
    later = {"prefer": "respond-async"}
    await client.post(path, json={"text": "helo"}, headers=later)
    (first,) = (await client.get(path)).json()["items"]
    edited = await client.post(path, json={"text": "hello", "edit_of": first["id"]}, headers=later)
    assert edited.status_code == 202
    (item,) = (await client.get(path)).json()["items"]
    assert (item["text"], item["edit_of"], item["superseded_by"]) == ("hello", first["id"], None)
    both = (await client.get(path, params={"superseded": True})).json()["items"]
    assert [(i["text"], i["superseded_by"]) for i in both] == [("helo", item["id"]), ("hello", None)]
    again = await client.post(path, json={"text": "x", "edit_of": first["id"]}, headers=later)
    assert (again.status_code, again.json()["code"]) == (409, "not_editable")
    unknown = await client.post(path, json={"text": "x", "edit_of": str(uuid4())}, headers=later)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")


async def test_only_runs_that_failed_are_tried_again(client: httpx.AsyncClient, session_id: str) -> None:
    """A cancelled run is said again once, however often it is asked; one that is being made is 409."""
    path = f"/v1/sessions/{session_id}/messages"
    sent = await client.post(path, json={"text": "hello"}, headers={"prefer": "respond-async"})
    run = f"/v1/runs/{sent.json()['run_id']}"
    refused = await client.post(f"{run}/retry", json={})
    assert (refused.status_code, refused.json()["code"]) == (409, "not_over")
    waiting = await client.post(path, json={"text": "and this"}, headers={"prefer": "respond-async"})
    waits = f"/v1/runs/{waiting.json()['run_id']}"
    await client.post(f"{waits}/cancel", json={})
    assert (await client.get(waits)).json()["status"] == "cancelled"
    made = [(await client.post(f"{waits}/retry", json={})) for _ in range(2)]
    assert [m.status_code for m in made] == [202, 202]
    assert made[0].json() == made[1].json() != waiting.json()


async def test_runs_can_be_cancelled_twice(client: httpx.AsyncClient, session_id: str) -> None:
    """Cancelling is 202, and again too."""
    answer = await client.post(
        f"/v1/sessions/{session_id}/messages", json={"text": "hello"}, headers={"prefer": "respond-async"}
    )
    path = f"/v1/runs/{answer.json()['run_id']}/cancel"
    for _ in range(2):
        cancelled = await client.post(path, json={})
        assert (cancelled.status_code, UUID(cancelled.json()["run_id"])) == (202, UUID(answer.json()["run_id"]))
