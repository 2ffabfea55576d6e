"""The `ai` package, v6 and v7, through DefaultChatTransport, as a page with useChat uses it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

SCENARIOS = Path(__file__).parent / "ai_sdk" / "scenarios.mjs"
WORDS = " ".join(f"word{n}" for n in range(60))

Play = Callable[..., Awaitable[Any]]


@pytest.fixture(params=["ai-v6", "ai-v7"])
def play(request: pytest.FixtureRequest, penny: Any, node: Any, record_property: Any) -> Play:
    """Plays a scenario for a person in a new chat, with that version of the package; its result."""
    package = request.param
    version = node.version(package)
    assert version.split(".")[0] == package[-1]
    record_property("ai", version)

    async def played(scenario: str, person: Any, chat: str | None = None, **env: str) -> Any:
        ran = await node(
            SCENARIOS,
            scenario,
            chat or f"chat-{uuid4().hex}",
            AI=package,
            PENNY_URL=penny.url,
            TOKEN=person.token,
            **env,
        )
        print(f"ai {version}: {scenario}")  # noqa: T201
        return json.loads(ran.out.splitlines()[-1])

    return played


async def written(person: Any) -> list[dict[str, Any]]:
    """The budgets that the person's journal says were set."""
    items = (await person.client.get("/v1/journal")).json()["items"]
    return [item for item in items if item["kind"] == "set_budget"]


async def test_a_reply_streams_into_one_message(penny: Any, play: Play) -> None:
    """The assistant's message has the whole text, and names its run and session."""
    seen = await play("reply", await penny.person())
    assert (seen["text"], seen["role"], seen["status"], seen["count"]) == (
        "word0 word1 word2 word3 word4",
        "assistant",
        "ready",
        2,
    )
    assert seen["metadata"].keys() >= {"run_id", "session_id", "model", "usage"}


async def test_a_tool_call_is_a_part_with_its_input_and_output(penny: Any, play: Play) -> None:
    """A look-up is a typed tool part that the server executed, with a summary; the answer follows it."""
    seen = await play("tool", await penny.person())
    (tool,) = seen["tools"]
    assert (tool["type"], tool["state"], tool["providerExecuted"]) == ("tool-get_spending", "output-available", True)
    assert tool["input"]["category"] == "dining"
    assert tool["output"]["summary"] in seen["text"]


async def test_an_approval_applies_the_proposal_once(penny: Any, play: Play) -> None:
    """A write asks for approval; approving it applies exactly that proposal, in the same message, and sends no more."""
    person = await penny.person()
    seen = await play("approve", person, APPROVED="yes")
    assert (seen["asked"]["type"], seen["asked"]["state"]) == ("tool-set_budget", "approval-requested")
    assert seen["proposal"]["diff"][0]["after"]
    assert [message["role"] for message in seen["messages"]] == ["user", "assistant"]
    (tool,) = [part for part in seen["messages"][1]["parts"] if part["type"] == "tool-set_budget"]
    assert (tool["state"], tool["output"]["status"]) == ("output-available", "applied")
    (entry,) = await written(person)
    assert (entry["approval"], entry["id"]) == ("ai-sdk", tool["output"]["journal_id"])


async def test_a_rejection_changes_nothing(penny: Any, play: Play) -> None:
    """Denying the approval rejects the proposal; nothing is written."""
    person = await penny.person()
    seen = await play("approve", person, APPROVED="no")
    (tool,) = [part for part in seen["messages"][1]["parts"] if part["type"] == "tool-set_budget"]
    assert tool["state"] == "output-denied"
    assert (await person.client.get(f"/v1/proposals/{seen['proposal']['id']}")).json()["status"] == "rejected"
    assert await written(person) == []


async def test_a_stale_approval_is_asked_again(penny: Any, play: Play) -> None:
    """When the data changed meanwhile, the call is an error that says so, and a new call asks for the new diff."""
    person = await penny.person()
    seen = await play("stale", person)
    assert seen["states"] == ["output-error", "approval-requested"]
    assert "changed" in seen["error"]
    assert len(await written(person)) == 2


async def test_a_stream_is_resumed_from_its_start(penny: Any, play: Play) -> None:
    """A client that comes back sees the whole reply; once it is over there is nothing to resume."""
    seen = await play("resume", await penny.person())
    assert len(seen["early"]) < len(WORDS)
    assert seen["text"] == WORDS
    assert (seen["count"], seen["later"], seen.get("error")) == (2, 2, None)


async def test_stopping_is_explicit(penny: Any, play: Play) -> None:
    """DELETE on the stream cancels the run; the client keeps what was said and may go on."""
    seen = await play("stop", await penny.person())
    assert (seen["answer"], seen["run"], seen["status"]) == (204, "cancelled", "ready")
    assert 4 <= seen["words"] < 600


async def test_a_chat_is_loaded_again_and_goes_on(penny: Any, play: Play) -> None:
    """What GET /ai-sdk/chat/{id} gives are UI messages that a new page decides on and goes on with."""
    seen = await play("reload", await penny.person())
    assert seen["roles"] == ["user", "assistant", "user", "assistant", "user", "assistant"]
    assert seen["text"] == "word0 word1"
    assert seen["tool"]["state"] == "output-available"
    assert seen.get("error") is None


async def test_messages_are_answered_anew_and_edited(penny: Any, play: Play) -> None:
    """Regenerating makes a reply of its own each time, an edit takes the message's place, twice and in a chat that was
    loaded again; what came after no longer counts, here and in the client."""
    seen = await play("again", await penny.person())
    assert (seen["anew"], seen["runs"], seen.get("error")) == ("word0 word1 word2", 3, None)
    five = " ".join(f"word{n}" for n in range(5))
    assert seen["text"] == five
    assert seen["loaded"] == ["say 2 0", "word0 word1", "say 5 0", five]
    assert seen["after"] == ["say 6 0", f"{five} word5"]


async def test_two_users_with_one_chat_id_never_meet(penny: Any, play: Play) -> None:
    """Two users who talk at once under the same id each get their own replies."""
    one, two = await penny.person(), await penny.person()
    seen = await play("together", one, "shared", TOKENS=f"{one.token} {two.token}")
    assert [[len(text.split()) for text in of] for of in seen] == [[20, 3], [21, 4]]


async def test_what_is_refused_is_an_error_of_the_chat(penny: Any, play: Play) -> None:
    """A message that is too long is an error with the problem's text; the chat can go on."""
    seen = await play("failing", await penny.person(), TEXT="x" * 9000)
    assert seen["status"] == "error"
    assert "9,000 characters" in seen["errors"][0]
    assert seen["after"] == "word0 word1"


@pytest.mark.parametrize("package", ["ai-v6", "ai-v7"])
async def test_the_documented_program(penny: Any, node: Any, example: Any, package: str) -> None:
    """docs/clients/ai-sdk.md, without React: a proposal is shown and may be approved."""
    person = await penny.person()
    program = example("ai-sdk.md", "chat.mjs").replace('from "ai"', f'from "{package}"')
    ran = await node(program, PENNY_URL=penny.url, PENNY_TOKEN=person.token)
    assert "Proposed: " in ran.out
    assert "To approve: " in ran.out
