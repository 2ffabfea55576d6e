"""@ag-ui/client's HttpAgent, which checks every event it gets, drives AG-UI as a host app does."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

SCENARIOS = Path(__file__).parent / "ag_ui" / "scenarios.mjs"
WORDS = " ".join(f"word{n}" for n in range(60))

Play = Callable[..., Awaitable[Any]]


@pytest.fixture
def play(penny: Any, node: Any, record_property: Any) -> Play:
    """Plays a scenario for a person on a new thread; its result."""
    version = node.version("@ag-ui/client")
    assert version.split(".")[0] == "1"
    record_property("@ag-ui/client", version)

    async def played(scenario: str, person: Any, thread: str | None = None, **env: str) -> Any:
        ran = await node(
            SCENARIOS, scenario, thread or f"thread-{uuid4().hex}", PENNY_URL=penny.url, TOKEN=person.token, **env
        )
        print(f"@ag-ui/client {version}: {scenario}")  # noqa: T201
        assert "[ag-ui]" not in ran.err, ran.err  # the client warns of what it strips
        return json.loads(ran.out.splitlines()[-1])

    return played


async def written(person: Any) -> list[dict[str, Any]]:
    """The budgets that the person's journal says were set."""
    items = (await person.client.get("/v1/journal")).json()["items"]
    return [item for item in items if item["kind"] == "set_budget"]


async def test_a_reply_streams_into_one_message(penny: Any, play: Play) -> None:
    """Text is one assistant message between the run's start, which says the protocol's version, and its end."""
    seen = await play("reply", await penny.person())
    kinds = seen["kinds"]
    assert kinds[:3] == ["RUN_STARTED", "STATE_SNAPSHOT", "TEXT_MESSAGE_START"]
    assert kinds[-2:] == ["TEXT_MESSAGE_END", "RUN_FINISHED"]
    assert [m["content"] for m in seen["newMessages"]] == ["word0 word1 word2 word3 word4"]
    assert seen["start"]["protocolVersion"] == "1.0"
    assert seen["start"]["metadata"]["penny"].keys() == {"runId", "sessionId", "model"}
    assert seen["end"]["outcome"] == {"type": "success"}
    assert seen["end"]["usage"][0]["totalTokens"] > 0
    assert seen["count"] == 2


async def test_a_tool_call_has_its_arguments_its_result_and_its_step(penny: Any, play: Play) -> None:
    """A look-up is a call of the assistant's message, answered by a tool message; a step says what is being done."""
    seen = await play("tools", await penny.person())
    assert [m["role"] for m in seen["messages"] if m["role"] != "activity"] == [
        "user",
        "assistant",
        "tool",
        "assistant",
    ]
    calling, found, said = [m for m in seen["messages"] if m["role"] != "activity"][1:]
    assert calling["content"] == "Let me look."
    (call,) = calling["toolCalls"]
    assert json.loads(call["function"]["arguments"])["category"] == "dining"
    assert found["toolCallId"] == call["id"]
    result = json.loads(found["content"])
    assert result["ok"] is True
    assert result["summary"] == said["content"]
    order = [kind for kind in seen["kinds"] if kind.startswith(("TOOL", "STEP"))]
    assert order == [
        "STEP_STARTED", "TOOL_CALL_START", "TOOL_CALL_ARGS", "TOOL_CALL_END", "TOOL_CALL_RESULT", "STEP_FINISHED",
    ]  # fmt: skip


async def test_an_approval_applies_exactly_what_was_shown(penny: Any, play: Play) -> None:
    """A write ends the run with an interrupt; the answer applies that proposal, once, and says so."""
    person = await penny.person()
    seen = await play("approve", person, APPROVED="yes")
    (asked,) = seen["asked"]
    assert (asked["reason"], asked["toolCallId"].split(":")[0] != "") == ("tool_call", True)
    assert asked["message"] == seen["proposals"][0]["text"]
    assert asked["metadata"]["proposal"]["diff"][0]["after"]
    assert [made["status"] for made in seen["state"]["proposals"]] == ["pending"]
    assert seen["after"][-1] == f"assistant: Applied: {asked['message']}"
    assert seen["shown"] == [["proposal", "applied"]]
    assert (seen["end"]["outcome"], seen["left"]) == ({"type": "success"}, 0)
    (entry,) = await written(person)
    assert entry["approval"] == "ag-ui"


async def test_a_rejection_changes_nothing(penny: Any, play: Play) -> None:
    """Answering no rejects the proposal; nothing is written."""
    person = await penny.person()
    seen = await play("approve", person, APPROVED="no")
    assert seen["after"][-1].startswith("assistant: Rejected: ")
    assert [made["status"] for made in seen["proposals"]] == ["rejected"]
    assert await written(person) == []


async def test_an_answer_sent_twice_is_one_change(penny: Any, play: Play) -> None:
    """Deciding again changes nothing more, and the conversation shows the decision once when it is loaded again."""
    person = await penny.person()
    seen = await play("twice", person)
    assert len(await written(person)) == 1
    assert sum("Applied:" in text for text in seen["after"]) == 1


async def test_a_stale_answer_is_asked_again(penny: Any, play: Play) -> None:
    """When the data changed meanwhile nothing is written, and the run ends by asking about the new difference."""
    person = await penny.person()
    seen = await play("stale", person)
    assert "changed" in seen["said"]
    assert len(seen["again"]) == 1
    assert seen["end"]["outcome"] == {"type": "success"}
    assert seen["statuses"] == ["applied", "applied", "superseded"]
    assert len(await written(person)) == 2


async def test_an_interrupt_that_is_left_blocks_nothing(penny: Any, play: Play) -> None:
    """Cancelling an interrupt decides nothing: the user goes on, and the proposal waits when the thread is opened."""
    seen = await play("leave", await penny.person())
    assert seen["text"] == "word0 word1"
    assert seen["statuses"] == ["pending"]
    assert len(seen["waiting"]) == 1
    assert seen["state"]["proposals"][0]["text"] == seen["waiting"][0]


async def test_an_answer_and_a_message_go_together(penny: Any, play: Play) -> None:
    """One run decides and then replies."""
    person = await penny.person()
    seen = await play("answerAndSay", person)
    assert seen["texts"][0].startswith("assistant: Applied: ")
    assert seen["texts"][1] == "assistant: word0 word1 word2"
    assert seen["kinds"] == ["RUN_STARTED", "RUN_FINISHED"] * 2
    assert len(await written(person)) == 1


async def test_a_client_that_comes_back_sees_everything_once(penny: Any, play: Play) -> None:
    """After a dropped connection the conversation is shown and the reply goes on; loaded afresh it is the same."""
    seen = await play("reconnect", await penny.person())
    assert len(seen["early"]) < len(WORDS)
    whole = ["user: say 2 0", "assistant: word0 word1", "user: say 60 0.05", f"assistant: {WORDS}"]
    assert seen["texts"] == whole
    assert seen["again"] == whole
    assert len(set(seen["ids"])) == 4
    assert seen["kinds"][:3] == ["RUN_STARTED", "MESSAGES_SNAPSHOT", "STATE_SNAPSHOT"]
    assert seen["same"], seen["fresh"]


async def test_a_conversation_loaded_again_is_decided_on(penny: Any, play: Play) -> None:
    """A new page sees the same messages and the same question, and its answer counts."""
    person = await penny.person()
    seen = await play("reload", person)
    assert seen["one"] == seen["other"]
    assert seen["asked"] == seen["was"]
    assert seen["later"][-1].startswith("assistant: Applied: ")
    assert seen["waiting"] == 0
    assert len(await written(person)) == 1


async def test_a_clients_history_state_and_tools_do_not_count(penny: Any, play: Play) -> None:
    """Only the new message is kept; the state is ours; that client tools are not used is said."""
    seen = await play("ignored", await penny.person())
    assert seen["kept"] == ["say 1 0", "word0"]
    assert seen["state"] == {"proposals": [], "charts": [], "figures": []}
    assert seen["about"]["ignored"] == ["tools"]


async def test_two_users_with_one_thread_id_never_meet(penny: Any, play: Play) -> None:
    """Two users who talk at once under the same id each get, and find later, their own conversation."""
    one, two = await penny.person(), await penny.person()
    seen = await play("together", one, "shared", TOKENS=f"{one.token} {two.token}")
    assert seen["lengths"] == [20, 21]
    assert [[len(text.split()) - 1 for text in of] for of in seen["later"]] == [[3, 20], [3, 21]]


@pytest.mark.parametrize(("text", "reason"), [("x" * 9000, "9,000 characters"), (" ", "empty")])
async def test_what_is_refused_is_a_run_error(penny: Any, play: Play, text: str, reason: str) -> None:
    """A message that is too long or empty is a RUN_ERROR as the answer's body; the thread can go on."""
    seen = await play("failing", await penny.person(), TEXT=text)
    assert seen["status"] == 422
    assert (seen["payload"]["type"], seen["payload"]["code"]) == ("RUN_ERROR", "invalid_input")
    assert reason in seen["payload"]["message"]
    assert seen["after"] == "word0 word1"


async def test_a_stopped_run_ends_as_cancelled(penny: Any, play: Play) -> None:
    """Cancelling the run over HTTP ends the stream with that outcome, and the thread goes on."""
    seen = await play("stop", await penny.person())
    assert (seen["outcome"], seen["text"]) == ("cancelled", "word0")


async def test_a_message_during_a_reply_waits_is_refused_or_interrupts(penny: Any, play: Play) -> None:
    """forwardedProps.ifRunning says what a message does while a reply is being made."""
    seen = await play("queue", await penny.person())
    assert seen["refused"] == [409, "run_active"]
    assert (seen["first"], seen["text"]) == ("cancelled", "word0 word1")


async def test_an_edited_message_takes_the_place_of_what_came_after(penny: Any, play: Play) -> None:
    """forwardedProps.editOf names the message that the new one replaces; loaded again, only the new one is there."""
    seen = await play("edit", await penny.person())
    assert seen["mine"] == seen["loaded"] == ["user: say 3 0", "assistant: word0 word1 word2"]
    assert seen["unknown"] == 404


async def test_the_feed_tells_what_happened_on_the_wire(penny: Any, play: Play) -> None:
    """Whoever follows the session sees the message, the run, the proposal and the decision made by an AG-UI client."""
    person = await penny.person()
    await play("approve", person, APPROVED="yes")
    (session,) = (await person.client.get("/v1/sessions")).json()["items"]
    told = []
    async with person.client.stream("GET", f"/v1/sessions/{session['id']}/events") as feed:
        async for line in feed.aiter_lines():
            if line.startswith("event: "):
                told.append(line[7:])
            if told[-1:] == ["proposal.decided"]:
                break
    assert sorted(set(told)) == ["message.added", "proposal.decided", "proposal.made", "run.ended", "run.started"]


async def test_the_example_in_the_guide_runs(penny: Any, node: Any, example: Callable[[str, str], str]) -> None:
    """docs/clients/ag-ui.md: it streams, asks, and applies what was asked."""
    person = await penny.person()
    ran = await node(example("ag-ui.md", "chat.mjs"), PENNY_URL=penny.url, PENNY_TOKEN=person.token)
    assert "? Set a Dining budget of $250.00" in ran.out
    assert ran.out.splitlines()[-1].startswith("Applied: ")
    assert len(await written(person)) == 1
