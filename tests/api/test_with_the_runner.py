"""The whole way from a message to its reply, on the real runner and graph with a scripted model."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import orjson
import pytest

from agent.graph import build_graph
from agent.runner import Runner
from agent.scripted import ScriptedModel
from agent.start import Agent
from db.engine import Database
from prompts import library

STREAM = {"accept": "text/event-stream"}


@pytest.fixture
def script() -> list[dict[str, Any]]:
    """What the model says, one turn a call."""
    return [
        {"tool_calls": [{"name": "set_budget", "args": {"category": "Dining", "amount": "250"}}]},
        {"text": "Shall I set it to $250.00?"},
    ]


@pytest.fixture
async def model(
    parts: Any, database: Database, script: list[dict[str, Any]], nothing_waits: None
) -> AsyncIterator[ScriptedModel]:
    """The model of a runner that has taken the place of the written one."""
    model, prompt = ScriptedModel(script, delay=0.001), library.load()
    agent = Agent(database, model, lambda: prompt, parts.clock, build_graph(), f"test-{uuid4().hex}")
    runner = Runner(agent, lease_seconds=30)
    await runner.start()
    parts.runner = runner
    yield model
    await runner.stop()


def events(body: bytes) -> list[tuple[int, str, dict[str, Any]]]:
    """(seq, type, data) of each event in a stream."""
    found = []
    for block in body.decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line)
        if "event" in fields:
            found.append((int(fields["id"]), fields["event"], orjson.loads(fields["data"])))
    return found


async def test_a_message_becomes_a_proposal_that_is_applied_once(
    served: httpx.AsyncClient, session_id: str, dining: UUID, model: ScriptedModel
) -> None:
    """The stream shows the tool and the proposal; confirming it changes the budget; the session knows all of it."""
    path = f"/v1/sessions/{session_id}/messages"
    answer = await served.post(path, json={"text": "set dining to 250"}, headers=STREAM)
    seen = events(answer.content)
    assert [seq for seq, _, _ in seen] == list(range(1, len(seen) + 1))
    kinds = [kind for _, kind, _ in seen]
    assert kinds[0] == "run.started"
    assert kinds[-1] == "run.finished"
    assert kinds.index("tool.started") < kinds.index("tool.finished") < kinds.index("proposal")
    (proposal,) = [data for _, kind, data in seen if kind == "proposal"]
    assert (await served.get(f"/v1/proposals/{proposal['id']}")).json() == {
        key: value for key, value in proposal.items() if key != "call_id"
    }
    yes = {"hash": proposal["hash"]}
    applied = await served.post(f"/v1/proposals/{proposal['id']}/confirm", json=yes)
    assert applied.status_code == 200
    budgets = (await served.get("/v1/budgets", params={"month": "2026-11"})).json()
    assert budgets["items"][0]["budget"] == {"minor": 25000, "currency": "USD"}
    said = (await served.get(path)).json()["items"]
    assert [item["role"] for item in said] == ["user", "assistant", "decision"]
    assert said[1]["text"] == seen[-1][2]["text"]
    assert said[1]["tools"][0]["name"] == "set_budget"
    (entry,) = (await served.get("/v1/journal")).json()["items"]
    assert entry["message"]["text"] == "set dining to 250"


async def test_the_stream_and_its_log_are_the_same(
    served: httpx.AsyncClient, session_id: str, dining: UUID, model: ScriptedModel
) -> None:
    """Following a finished run gives the bytes that were streamed, from any event on, and its status and usage."""
    answer = await served.post(
        f"/v1/sessions/{session_id}/messages", json={"text": "set dining to 250"}, headers=STREAM
    )
    path = f"/v1/runs/{answer.headers['penny-run-id']}"
    assert (await served.get(f"{path}/events")).content == answer.content
    seen = events(answer.content)
    for last in range(len(seen) + 1):
        resumed = await served.get(f"{path}/events", headers={"last-event-id": str(last)})
        assert events(resumed.content) == seen[last:]
    run = (await served.get(path)).json()
    assert (run["status"], run["model"]) == ("finished", "scripted")
    assert run["usage"]["output_tokens"] > 0


async def test_waiting_gives_the_same_reply(
    served: httpx.AsyncClient, session_id: str, dining: UUID, model: ScriptedModel
) -> None:
    """JSON has the reply's text and the proposal."""
    answer = await served.post(f"/v1/sessions/{session_id}/messages", json={"text": "set dining to 250"})
    body = answer.json()
    assert answer.status_code == 200
    assert "Shall I set it to $250.00?" in body["reply"]
    assert body["proposals"][0]["status"] == "pending"
    assert body["usage"]["output_tokens"] > 0


@pytest.mark.parametrize("script", [[{"text": "You spent", "error": "The model broke off."}]])
async def test_a_model_that_breaks_off_is_a_problem(
    served: httpx.AsyncClient, session_id: str, model: ScriptedModel
) -> None:
    """Its run fails, the one who waits is told, and the session takes the next message."""
    path = f"/v1/sessions/{session_id}/messages"
    for _ in range(2):
        answer = await served.post(path, json={"text": "hello"})
        assert (answer.status_code, answer.json()["code"]) == (503, "model_unavailable")
        run = (await served.get(f"/v1/runs/{answer.json()['run_id']}")).json()
        assert (run["status"], run["error"]["code"]) == ("failed", "model_unavailable")


@pytest.mark.parametrize("script", [[{"text": " ".join(["word"] * 20_000)}]])
async def test_a_cancelled_run_closes_the_model(
    served: httpx.AsyncClient, session_id: str, model: ScriptedModel
) -> None:
    """Cancelling ends the stream with run.cancelled and closes the model's stream."""
    path = f"/v1/sessions/{session_id}/messages"
    got = b""
    async with served.stream("POST", path, json={"text": "talk"}, headers=STREAM) as answer:
        async for chunk in answer.aiter_bytes():
            if b"text.delta" in chunk and b"text.delta" not in got:
                cancelled = await served.post(f"/v1/runs/{answer.headers['penny-run-id']}/cancel", json={})
                assert cancelled.status_code == 202
            got += chunk
    assert events(got)[-1][1] == "run.cancelled"
    assert model.open_streams == 0
