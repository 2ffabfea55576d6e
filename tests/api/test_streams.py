"""Runs as server-sent events, over a real socket."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from domain.errors import Unavailable

DATA = [
    '{"run_id":"r","session_id":"s","message_id":"m","model":"fake","prompt_version":"1"}',
    '{"text":"You spent "}',
    '{"text":"412,30 €."}',
    '{"figures":[{"start":10,"end":18,"text":"412,30 €","verified":true}]}',
    '{"input_tokens":3,"output_tokens":2,"cache_read_tokens":0,"cache_write_tokens":0}',
    '{"message_id":"m","text":"You spent 412,30 €."}',
]
TYPES = ["run.started", "text.delta", "text.delta", "grounding", "usage", "run.finished"]
FRAMES = [f"id: {n}\nevent: {t}\ndata: {d}\n\n".encode() for n, (t, d) in enumerate(zip(TYPES, DATA, strict=True), 1)]
RETRY = b"retry: 1000\n\n"
STREAM = {"accept": "text/event-stream"}


async def say(client: httpx.AsyncClient, session_id: str) -> str:
    answer = await client.post(
        f"/v1/sessions/{session_id}/messages", json={"text": "how much?"}, headers={"prefer": "respond-async"}
    )
    return str(answer.json()["run_id"])


async def test_the_stream_is_exactly_these_bytes(served: httpx.AsyncClient, session_id: str) -> None:
    """`retry`, then id, event and data of each event, every line ended by LF alone; and headers against buffering."""
    answer = await served.post(f"/v1/sessions/{session_id}/messages", json={"text": "how much?"}, headers=STREAM)
    assert answer.content == RETRY + b"".join(FRAMES)
    assert b"\r" not in answer.content
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-accel-buffering"] == "no"
    followed = await served.get(f"/v1/runs/{answer.headers['penny-run-id']}/events")
    assert followed.content == answer.content


@pytest.mark.parametrize(
    ("query", "headers", "seen"),
    [("", {}, 0), ("?after=2", {}, 2), ("", {"last-event-id": "4"}, 4), ("?after=1", {"last-event-id": "3"}, 3)],
)
async def test_a_stream_goes_on_after_the_last_event_seen(
    served: httpx.AsyncClient, session_id: str, query: str, headers: dict[str, str], seen: int
) -> None:
    """`Last-Event-ID` or `?after` leaves out what was seen; the header counts more."""
    run_id = await say(served, session_id)
    answer = await served.get(f"/v1/runs/{run_id}/events{query}", headers=headers)
    assert answer.content == RETRY + b"".join(FRAMES[seen:])


async def test_a_run_that_was_seen_to_its_end_ends_at_once(served: httpx.AsyncClient, session_id: str) -> None:
    """After the terminal event there is nothing more."""
    run_id = await say(served, session_id)
    answer = await served.get(f"/v1/runs/{run_id}/events?after=6")
    assert (answer.status_code, answer.content) == (200, RETRY)


@pytest.mark.parametrize("last", ["x", "-1", "1.5", "2147483648", "9" * 400])
async def test_an_event_id_is_a_number(served: httpx.AsyncClient, session_id: str, last: str) -> None:
    """Anything else is 422, in the header and in the query."""
    run_id = await say(served, session_id)
    assert (await served.get(f"/v1/runs/{run_id}/events", headers={"last-event-id": last})).status_code == 422
    assert (await served.get(f"/v1/runs/{run_id}/events", params={"after": last})).status_code == 422


async def test_events_arrive_one_by_one(served: httpx.AsyncClient, session_id: str, parts: Any) -> None:
    """What is there is sent before the next is made."""
    parts.runner.hold_before = 3
    path = f"/v1/sessions/{session_id}/messages"
    async with served.stream("POST", path, json={"text": "how much?"}, headers=STREAM) as answer:
        got = b""
        async for chunk in answer.aiter_bytes():
            got += chunk
            if got == RETRY + FRAMES[0] + FRAMES[1]:
                parts.runner.go.set()
    assert got == RETRY + b"".join(FRAMES)


async def test_who_leaves_a_stream_lets_go_of_it_and_the_run_goes_on(
    served: httpx.AsyncClient, session_id: str, parts: Any
) -> None:
    """The reader is closed when the client disconnects, and the run can be followed again."""
    parts.runner.hold_before = 3
    path = f"/v1/sessions/{session_id}/messages"
    async with served.stream("POST", path, json={"text": "how much?"}, headers=STREAM) as answer:
        run_id = answer.headers["penny-run-id"]
        async for _ in answer.aiter_bytes():
            break
    await asyncio.wait_for(parts.runner.none_left.wait(), 5)
    assert (await served.get(f"/v1/runs/{run_id}")).json()["status"] == "running"
    parts.runner.go.set()
    again = await served.get(f"/v1/runs/{run_id}/events", headers={"last-event-id": "1"})
    assert again.content == RETRY + b"".join(FRAMES[1:])


async def test_who_stops_waiting_for_a_reply_lets_go_of_it(
    served: httpx.AsyncClient, session_id: str, parts: Any
) -> None:
    """A client that leaves while it waits for JSON is not waited for either."""
    parts.runner.hold_before = 3
    with pytest.raises(httpx.ReadTimeout):
        await served.post(f"/v1/sessions/{session_id}/messages", json={"text": "how much?"}, timeout=0.5)
    await asyncio.wait_for(parts.runner.none_left.wait(), 5)


@pytest.mark.parametrize("error", [Unavailable("The database is away."), RuntimeError("password=hunter2")])
async def test_a_stream_that_breaks_off_has_no_terminal_event(
    served: httpx.AsyncClient, session_id: str, parts: Any, error: Exception, capfd: pytest.CaptureFixture[str]
) -> None:
    """An error ends the stream after the whole events there are, so that the client resumes; its text is not logged."""
    parts.runner.break_off_after, parts.runner.broken_by = 2, error
    got = b""
    run_id = await say(served, session_id)
    with capture_logs() as logged:
        try:
            async with served.stream("GET", f"/v1/runs/{run_id}/events") as answer:
                async for chunk in answer.aiter_bytes():
                    got += chunk
        except httpx.RemoteProtocolError:
            assert isinstance(error, RuntimeError)
    assert got == RETRY + FRAMES[0] + FRAMES[1]
    assert len(logged) == 1
    assert "hunter2" not in str(logged) + "".join(capfd.readouterr())
