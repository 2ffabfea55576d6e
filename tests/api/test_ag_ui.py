"""The AG-UI encoder, event by event against the protocol's own models, and what the route refuses."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Iterable
from typing import Any

import httpx
import orjson
import pytest
from ag_ui.core import Event, Message, UserMessage
from pydantic import TypeAdapter

from agent import events as ev
from api.protocols.ag_ui import Encoder, frames

EVENT: TypeAdapter[Any] = TypeAdapter(Event)
STARTED = ev.RunStarted("run", "session", "reply", "claude", "v1")
CALL = ev.ToolStarted("c1", "get_spending", "Looking at Dining", {"by": "category"})
FOUND = ev.ToolFinished("c1", "get_spending", True, "You spent 5.", [])
USAGE = ev.Usage(3, 2, 4, 1)


def proposal(status: str = "pending") -> dict[str, Any]:
    """A proposal as clients see it."""
    return {
        "id": "0197b1e2-0000-7000-8000-000000000000",
        "hash": "ab" * 32,
        "status": status,
        "text": "Set dining to 5.",
        "expires_at": "2026-11-26T12:00:00+00:00",
        "diff": [],
    }


async def stream(events: Iterable[ev.Event], encoder: Encoder | None = None) -> list[dict[str, Any]]:
    """What is sent for these events, each checked against the protocol's models."""

    async def given() -> AsyncGenerator[ev.Event, None]:
        for event in events:
            yield event

    async def history() -> list[Message]:
        return [UserMessage(id="u1", content="hello")]

    out = []
    async for frame in frames(given(), encoder or Encoder("thread", "r1"), history):
        assert frame.startswith(b"data: ")
        assert frame.endswith(b"\n\n")
        assert frame.count(b"\n") == 2
        assert b"\r" not in frame
        sent = orjson.loads(frame[6:])
        checked = EVENT.validate_python(sent)
        assert orjson.loads(checked.model_dump_json(by_alias=True)) == sent
        out.append(sent)
    return out


def kinds(sent: list[dict[str, Any]]) -> list[str]:
    return [event["type"] for event in sent]


async def test_a_step_ends_before_its_calls_and_the_next_is_another_message() -> None:
    """Text, its calls and the text after their results are two assistant messages; nothing stays open at the end."""
    sent = await stream(
        [
            STARTED,
            ev.TextDelta("Let me "),
            ev.TextDelta("look."),
            CALL,
            FOUND,
            ev.TextDelta("\n\nYou spent 5."),
            USAGE,
            ev.RunFinished("reply", "Let me look.\n\nYou spent 5."),
        ]
    )
    assert kinds(sent) == [
        "RUN_STARTED", "STATE_SNAPSHOT", "TEXT_MESSAGE_START", "TEXT_MESSAGE_CONTENT", "TEXT_MESSAGE_CONTENT",
        "TEXT_MESSAGE_END", "STEP_STARTED", "TOOL_CALL_START", "TOOL_CALL_ARGS", "TOOL_CALL_END", "TOOL_CALL_RESULT",
        "STEP_FINISHED", "TEXT_MESSAGE_START", "TEXT_MESSAGE_CONTENT", "TEXT_MESSAGE_END", "RUN_FINISHED",
    ]  # fmt: skip
    assert sent[2]["messageId"] == sent[7]["parentMessageId"] == "reply.1"
    assert (sent[12]["messageId"], sent[13]["delta"]) == ("reply.2", "You spent 5.")
    (used,) = sent[-1]["usage"]
    assert (used["inputTokens"], used["cachedInputTokens"], used["totalTokens"]) == (8, 4, 10)


async def test_charts_and_proposals_are_activities_state_and_a_question() -> None:
    """Each is shown in the conversation and in the state; a pending proposal is what the run ends by asking."""
    chart = ev.ChartMade("c1", "bar", "Dining", "USD", [{"name": "spent", "points": [["Oct", 5.0]]}])
    sent = await stream([STARTED, CALL, FOUND, chart, ev.ProposalMade("c1", proposal()), ev.RunFinished("reply", "")])
    shown = [event for event in sent if event["type"] == "ACTIVITY_SNAPSHOT"]
    assert [one["activityType"] for one in shown] == ["chart", "proposal"]
    patches = [event["delta"][0] for event in sent if event["type"] == "STATE_DELTA"]
    assert [(one["op"], one["path"]) for one in patches] == [("add", "/charts/-"), ("add", "/proposals/-")]
    (asked,) = sent[-1]["outcome"]["interrupts"]
    assert asked["id"] == f"{proposal()['id']}.{'ab' * 32}"
    assert asked["toolCallId"] == "reply:c1"
    assert asked["responseSchema"]["required"] == ["approved"]


async def test_what_was_applied_at_once_is_not_asked() -> None:
    """A proposal that needs no decision is shown, and the run ends well."""
    sent = await stream([STARTED, CALL, FOUND, ev.ProposalMade("c1", proposal("applied")), ev.RunFinished("reply", "")])
    assert sent[-1]["outcome"] == {"type": "success"}


async def test_withdrawn_text_is_shown_as_it_stands() -> None:
    """A retraction is a snapshot with the kept text; what follows goes on in the same message."""
    sent = await stream(
        [
            STARTED,
            ev.TextDelta("One."),
            CALL,
            FOUND,
            ev.TextDelta("\n\nTwo thre"),
            ev.RunResumed(2),
            ev.TextRetracted(len("One.\n\nTwo")),
            ev.TextDelta(" four."),
            ev.RunFinished("reply", "One.\n\nTwo four."),
        ]
    )
    (snapshot,) = [event for event in sent if event["type"] == "MESSAGES_SNAPSHOT"]
    assert [(m["id"], m.get("content")) for m in snapshot["messages"] if m["role"] != "tool"] == [
        ("u1", "hello"),
        ("reply.1", "One."),
        ("reply.2", "Two"),
    ]
    assert snapshot["messages"][1]["toolCalls"][0]["id"] == "reply:c1"
    after = sent[sent.index(snapshot) + 1 :]
    assert kinds(after) == ["TEXT_MESSAGE_START", "TEXT_MESSAGE_CONTENT", "TEXT_MESSAGE_END", "RUN_FINISHED"]
    assert after[0]["messageId"] == "reply.2"


async def test_text_that_is_withdrawn_altogether_leaves_no_message() -> None:
    """Nothing is kept of a step that starts over, and it starts over under the same id."""
    sent = await stream(
        [STARTED, ev.TextDelta("Oops"), ev.TextRetracted(0), ev.TextDelta("Good."), ev.RunFinished("reply", "Good.")]
    )
    (snapshot,) = [event for event in sent if event["type"] == "MESSAGES_SNAPSHOT"]
    assert [m["id"] for m in snapshot["messages"]] == ["u1"]
    assert [e["messageId"] for e in sent if e["type"] == "TEXT_MESSAGE_START"] == ["reply.1", "reply.1"]


async def test_the_final_text_counts() -> None:
    """Where what was streamed adds up to something else than the final reply, a snapshot shows the final one."""
    sent = await stream([STARTED, ev.TextDelta("You spent 7."), ev.RunFinished("reply", "You spent 5.")])
    assert kinds(sent)[-2:] == ["MESSAGES_SNAPSHOT", "RUN_FINISHED"]
    assert sent[-2]["messages"][-1] == {"id": "reply.1", "role": "assistant", "content": "You spent 5."}


async def test_figures_say_in_which_message_they_are() -> None:
    """Places in the whole reply become places in the message that holds the figure."""
    reply = "One.\n\nYou spent 5."
    figure = {"start": reply.index("5"), "end": reply.index("5") + 1, "text": "5", "verified": True}
    sent = await stream(
        [STARTED, ev.TextDelta("One."), CALL, FOUND, ev.TextDelta("\n\nYou spent 5."), ev.Grounding([figure]),
         ev.RunFinished("reply", reply)]
    )  # fmt: skip
    (patch,) = [event["delta"][0] for event in sent if event["type"] == "STATE_DELTA"]
    assert patch["path"] == "/figures"
    (placed,) = patch["value"]
    assert "You spent 5."[placed["start"] : placed["end"]] == "5"
    assert placed["messageId"] == "reply.2"


@pytest.mark.parametrize("last", [ev.RunFailed("model_unavailable", "Try again.", True), ev.RunCancelled()])
async def test_whatever_ends_a_run_closes_what_is_open(last: ev.Event) -> None:
    """A failed run is a RUN_ERROR with Penny's code, a cancelled one an outcome; open text and steps end before."""
    sent = await stream([STARTED, ev.TextDelta("So far"), CALL, last])
    assert kinds(sent)[-2] == "STEP_FINISHED"
    assert kinds(sent).count("TEXT_MESSAGE_START") == kinds(sent).count("TEXT_MESSAGE_END") == 1
    if isinstance(last, ev.RunFailed):
        assert (sent[-1]["type"], sent[-1]["code"], sent[-1]["message"]) == (
            "RUN_ERROR",
            "model_unavailable",
            "Try again.",
        )
        assert sent[-1]["metadata"] == {"penny": {"retryable": True}}
    else:
        assert (sent[-1]["type"], sent[-1]["outcome"]) == ("RUN_FINISHED", {"type": "cancelled"})


async def test_two_calls_alike_are_two_steps() -> None:
    """Steps that are open at once have different names, as the protocol wants."""
    second = ev.ToolStarted("c2", "get_spending", "Looking at Dining", {"by": "merchant"})
    also = ev.ToolFinished("c2", "get_spending", True, "You spent 6.", [])
    sent = await stream([STARTED, CALL, second, FOUND, also, ev.RunFinished("reply", "")])
    names = [event["stepName"] for event in sent if event["type"] == "STEP_STARTED"]
    assert len(set(names)) == 2
    assert sorted(names) == sorted(event["stepName"] for event in sent if event["type"] == "STEP_FINISHED")
    parents = {event["parentMessageId"] for event in sent if event["type"] == "TOOL_CALL_START"}
    assert parents == {"reply.1"}


def body(**changes: Any) -> dict[str, Any]:
    """An input with one user message."""
    message = {"id": "m1", "role": "user", "content": "hello"}
    return {"threadId": "t1", "runId": "r1", "messages": [message], **changes}


def said(content: Any, **more: Any) -> list[dict[str, Any]]:
    return [{"id": "m1", "role": "user", "content": content, **more}]


BAD_INPUTS = [
    {},
    [],
    body(threadId=None),
    body(threadId=""),
    body(threadId="x" * 300),
    body(threadId="a\u0000b"),
    body(threadId=7),
    body(runId=""),
    body(messages="hello"),
    body(messages=[{"role": "user", "content": "no id"}]),
    body(messages=[{"id": "", "role": "user", "content": "hello"}]),
    body(messages=[{"id": "m", "role": "wizard", "content": "hello"}]),
    body(messages=said(7)),
    body(messages=said([{"type": "video", "source": {"type": "url", "value": "https://x.example/v"}}])),
    body(messages=said([{"type": "nonsense"}])),
    body(resume=[{"interruptId": "x", "status": "resolved"}]),
    body(resume=[{"interruptId": "x", "status": "maybe"}]),
    body(resume=[{"interruptId": "x", "status": "resolved", "payload": {"approved": "yes"}}]),
    body(forwardedProps={"ifRunning": "now"}),
    body(forwardedProps={"editOf": 7}),
]


@pytest.mark.parametrize("bad", BAD_INPUTS, ids=range(len(BAD_INPUTS)))
async def test_an_input_that_cannot_be_used_is_a_run_error(client: httpx.AsyncClient, bad: Any) -> None:
    """422 with the protocol's own error event as the body; nothing internal is in it."""
    answer = await client.post("/ag-ui", json=bad)
    assert answer.status_code == 422, answer.text
    error = EVENT.validate_python(answer.json())
    assert (error.type, error.code) == ("RUN_ERROR", "invalid_input")
    assert "pydantic" not in answer.text


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"", {}, 422),
        (b"{", {}, 422),
        (b"\xff\xfe", {}, 422),
        (json.dumps(body()).encode(), {"Content-Type": "text/plain"}, 415),
        (json.dumps(body()).encode(), {"Accept": "application/vnd.ag-ui.event+proto"}, 406),
        (json.dumps(body()).encode(), {"Authorization": "Bearer nonsense"}, 401),
        (json.dumps(body(messages=said("x" * 5_000_000))).encode(), {}, 413),
        (b'{"a":' * 100_000, {}, 400),
    ],
)
async def test_what_is_no_input_is_a_run_error_too(
    client: httpx.AsyncClient, content: bytes, headers: dict[str, str], status: int
) -> None:
    """Whatever is wrong with a request, the body is a RUN_ERROR and the status says whose fault it is."""
    answer = await client.post("/ag-ui", content=content, headers={"Content-Type": "application/json"} | headers)
    assert answer.status_code == status, answer.text
    assert answer.json()["type"] == "RUN_ERROR"
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("interrupt", ["0197b1e2-0000-7000-8000-000000000000.ab", "nonsense", "nonsense.ab"])
async def test_an_answer_to_a_question_nobody_asked_is_not_found(client: httpx.AsyncClient, interrupt: str) -> None:
    """An interrupt's id that is none of this user's proposals is 404."""
    resume = [{"interruptId": interrupt, "status": "resolved", "payload": {"approved": True}}]
    answer = await client.post("/ag-ui", json=body(resume=resume))
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_an_answer_to_another_proposal_than_was_shown_changes_nothing(
    client: httpx.AsyncClient, proposal: dict[str, Any]
) -> None:
    """The hash in the interrupt's id names what was shown; with another one nothing is applied, and that is said."""
    resume = [{"interruptId": f"{proposal['id']}.{'0' * 64}", "status": "resolved", "payload": {"approved": True}}]
    answer = await client.post("/ag-ui", json=body(messages=[], resume=resume))
    assert "not the change that was shown" in answer.text
    assert (await client.get(f"/v1/proposals/{proposal['id']}")).json()["status"] == "pending"


@pytest.mark.parametrize("version", ["1.0", "1.1", "99.0", "nonsense", ""])
async def test_any_version_is_answered_in_ours(client: httpx.AsyncClient, version: str) -> None:
    """The protocol wants a newer or unreadable declaration to be gone along with, in the version one speaks."""
    answer = await client.post("/ag-ui", json=body(messages=[], protocolVersion=version))
    assert answer.status_code == 200
    assert '"protocolVersion":"1.0"' in answer.text


async def test_lines_end_in_lf_only(served: httpx.AsyncClient) -> None:
    """The client splits on LF and nothing else."""
    answer = await served.post("/ag-ui", json=body(threadId="fresh"))
    assert answer.status_code == 200
    assert b"\r" not in answer.content
    assert answer.headers["penny-run-id"]


def sent_in(answer: httpx.Response) -> list[dict[str, Any]]:
    """The events of a stream."""
    assert answer.status_code == 200, answer.text
    return [json.loads(line[6:]) for line in answer.text.split("\n") if line.startswith("data: ")]


async def test_a_rewritten_reply_leaves_the_clients_messages_where_they_are(
    client: httpx.AsyncClient, parts: Any, session_id: str, proposal: dict[str, Any]
) -> None:
    """The snapshot that withdraws text has what the client said it holds, under its names and in order, and no more."""
    resume = [
        {"interruptId": f"{proposal['id']}.{proposal['hash']}", "status": "resolved", "payload": {"approved": True}}
    ]
    parts.runner.script = [
        ("run.started", {"run_id": "r", "session_id": "s", "message_id": "m", "model": "f", "prompt_version": "1"}),
        ("text.delta", {"text": "Oops"}),
        ("text.retracted", {"keep": 0}),
        ("text.delta", {"text": "Good."}),
        ("run.finished", {"message_id": "m", "text": "Good."}),
    ]
    await client.post("/ag-ui", json=body(threadId=session_id, messages=[said("earlier")[0] | {"id": "m0"}]))
    told = sent_in(await client.post("/ag-ui", json=body(threadId=session_id, messages=[], resume=resume)))
    (decision,) = [event["messageId"] for event in told if event["type"] == "TEXT_MESSAGE_START"]
    held = [{"id": decision, "role": "assistant", "content": "made up"}]
    sent = sent_in(await client.post("/ag-ui", json=body(threadId=session_id, messages=held + said("hello"))))
    (snapshot,) = [event for event in sent if event["type"] == "MESSAGES_SNAPSHOT"]
    assert [message["id"] for message in snapshot["messages"]] == [decision, "m1"]
    assert snapshot["messages"][0]["content"].startswith("Applied: ")
