"""LocalModel: one tool call for a message, summaries for results; the prompt's beginning never changes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, AnyMessage, HumanMessage, ToolMessage

from agent.local import grammar, prompt, routing
from agent.local.model import LocalModel
from agent.local.routing import Said
from agent.local.warm import Phase
from agent.model import ModelRequest, ModelUnavailable, Situation
from domain.errors import SetupError

TOOLS = [{"name": name, "description": "", "input_schema": {}} for name in sorted(grammar.KNOWN)]


class FakeRuntime:
    """Gives the same answer to every request, and keeps the requests."""

    def __init__(self, answer: str) -> None:
        self.answer = answer
        self.bodies: list[dict[str, Any]] = []

    def phase(self) -> str:
        return "ready"

    async def ready(self, progress: Phase | None = None) -> None:
        if progress:
            progress("ready")

    async def complete(self, body: dict[str, Any]) -> dict[str, Any]:
        self.bodies.append(body)
        return {
            "choices": [{"message": {"content": self.answer}}],
            "usage": {
                "prompt_tokens": 1150,
                "completion_tokens": 30,
                "prompt_tokens_details": {"cached_tokens": 1100},
            },
        }


@pytest.fixture
def gguf(tmp_path: Path) -> Path:
    file = tmp_path / "own.gguf"
    file.write_bytes(b"GGUF")
    return file


@pytest.fixture
def make(tmp_path: Path, gguf: Path) -> Callable[[str], tuple[LocalModel, FakeRuntime]]:
    def made(answer: str) -> tuple[LocalModel, FakeRuntime]:
        runtime = FakeRuntime(answer)
        return LocalModel(tmp_path, gguf, process=lambda file: runtime), runtime

    return made


def request(
    *turn: AnyMessage, earlier: tuple[AnyMessage, ...] = (), day: date = date(2026, 11, 22), categories: str = "Dining"
) -> ModelRequest:
    situation = Situation(day, "en-US", "USD", "UTC", tuple(categories.split()), ("Checking",))
    return ModelRequest("system", situation, earlier, turn, TOOLS)


async def whole(model: LocalModel, asked: ModelRequest) -> tuple[AIMessageChunk, int]:
    chunks = [chunk async for chunk in model.stream(asked)]
    merged = chunks[0]
    for chunk in chunks[1:]:
        merged = merged + chunk
    return merged, len(chunks)


Make = Callable[[str], tuple[LocalModel, FakeRuntime]]


async def test_a_message_becomes_one_tool_call(make: Make) -> None:
    """The chunks add up to a message with the call, its arguments exact, and the tokens as the runtime counted them."""
    model, _ = make('{"set_budget":{"category":"dining","amount":250.10}}')

    message, _ = await whole(model, request(HumanMessage("set dining to 250.10")))

    [call] = message.tool_calls
    assert (call["name"], call["args"]) == ("set_budget", {"category": "Dining", "amount": "250.10"})
    assert call["id"]
    assert message.usage_metadata is not None
    assert message.usage_metadata["input_tokens"] == 1150
    assert message.usage_metadata["output_tokens"] == 30
    assert message.usage_metadata["input_token_details"] == {"cache_read": 1100}


async def test_the_summaries_are_the_answer(make: Make) -> None:
    """After tool results nothing is asked of the model: the summaries are said, in a few chunks."""
    model, runtime = make("")
    results = ("You spent $412.30 on Groceries. That is less.\n\n| a | b |\n|---|---|\n| 1 | 2 |", "Another one.")
    turn: list[AnyMessage] = [HumanMessage("hm"), AIMessage("")]
    turn += [ToolMessage(json.dumps({"summary": text}), tool_call_id=str(n)) for n, text in enumerate(results)]

    message, chunks = await whole(model, request(*turn))

    assert message.text == "\n\n".join(results)
    assert chunks > 3
    assert runtime.bodies == []


async def test_small_talk_is_answered_without_a_tool(make: Make) -> None:
    """A greeting gets a sentence from code, with the tokens it cost."""
    model, _ = make('{"none":{}}')

    message, _ = await whole(model, request(HumanMessage("hi")))

    assert message.text.startswith("Hello!")
    assert message.tool_calls == []
    assert message.usage_metadata is not None
    assert message.usage_metadata["total_tokens"] == 1180


async def test_the_prompt_begins_alike_for_everyone(make: Make) -> None:
    """User, day and conversation change the last message only, so the state of all before it serves everyone."""
    model, runtime = make('{"none":{}}')
    talk = (HumanMessage("set dining to 5"), AIMessage("Confirm?"))

    await whole(model, request(HumanMessage("hi")))
    await whole(model, request(HumanMessage("hi"), day=date(2027, 1, 1), categories="Rent Pets", earlier=talk))

    first, second = (body["messages"] for body in runtime.bodies)
    assert first[:-1] == second[:-1] == prompt.prefix(routing.load())
    assert first[-1]["content"] == "Message: hi"
    assert second[-1]["content"] == "Earlier:\nUser: set dining to 5\nApp: Confirm?\nMessage: hi"


async def test_what_was_decided_is_not_taken_for_the_users_words(make: Make) -> None:
    """Notes that stand before a message (a proposal that was applied) count as the app's words."""
    model, runtime = make('{"add_transaction":{"amount":20,"merchant":"Shell"}}')

    message, _ = await whole(model, request(HumanMessage("[Applied: Add $9.00 spent at Shell.]\n\nI spent 20")))

    assert message.text == "Where did you spend the $20.00?"
    assert runtime.bodies[0]["messages"][-1]["content"].endswith("Message: I spent 20")


def test_a_long_conversation_is_cut() -> None:
    """Of earlier messages the last six count, each on one line and short; a table is its rows."""
    earlier = [Said("User", f"message {n} " + "x" * 900) for n in range(9)]
    table = Said("App", "Your latest:\n\n| No. | Merchant |\n|---|---:|\n| #71 | Shell |")

    last = prompt.messages([*earlier, table], "hi", routing.load())[-1]["content"]

    assert "message 3" not in last
    assert len(last) < 6 * 300
    assert "App: Your latest: No., Merchant #71, Shell\n" in last


def test_only_offered_tools_can_be_chosen() -> None:
    """The grammar has the offered tools that the model knows, and none."""
    calls = grammar.schema({"get_spending", "split_transaction"})["oneOf"]
    assert [call["required"] for call in calls] == [["get_spending"], ["none"]]


async def test_an_answer_that_was_cut_off_is_an_error(make: Make) -> None:
    """Half a JSON object is no call: the user is asked to say it in other words."""
    model, _ = make('{"set_budget":{"cat')

    with pytest.raises(ModelUnavailable, match="in other words"):
        await whole(model, request(HumanMessage("set dining to 5")))


async def test_a_model_that_is_not_there_says_how_to_get_it(tmp_path: Path) -> None:
    """Without the file a message is refused with the way out, and nothing is downloaded by it."""
    with pytest.raises(SetupError, match="PENNY_LOCAL_GGUF"):
        await whole(LocalModel(tmp_path), request(HumanMessage("hi")))


async def test_warming_up_downloads_and_tells(tmp_path: Path, gguf: Path) -> None:
    """The file is fetched first, with progress in words; then the process is waited for."""
    seen: list[str] = []

    def fetched(cache: Path, progress: Callable[[int, int], None]) -> Path:
        progress(210 * 10**6, 1117 * 10**6)
        return gguf

    model = LocalModel(tmp_path, process=lambda file: FakeRuntime(""), fetch=fetched)
    assert model.status() == "not running"

    await model.warm_up(seen.append)

    assert seen == ["downloading the offline model, 210 of 1117 MB", "ready"]
    assert model.status() == "ready"


async def test_a_warm_up_in_vain_shows_in_the_status(tmp_path: Path) -> None:
    """What went wrong is raised, and the status says that it failed."""

    def unreachable(cache: Path, progress: Callable[[int, int], None]) -> Path:
        raise SetupError("no network")

    model = LocalModel(tmp_path, fetch=unreachable)
    with pytest.raises(SetupError, match="no network"):
        await model.warm_up()

    assert model.status() == "failed"


async def test_another_routing_prompt_is_asked_for_each_time(gguf: Path) -> None:
    """Who tries another gives it as a function: the next message goes by what it says then, its tools alone among those
    that are offered."""
    runtime, own = FakeRuntime('{"none":{}}'), routing.load()
    told = [own, replace(own, text="Pick: {{tools}}", tools={"undo_change": "takes back", "none": "else"}, examples=())]
    model = LocalModel(gguf.parent, gguf, process=lambda file: runtime, routed=lambda: told.pop(0))
    for _ in range(2):
        await whole(model, request(HumanMessage("hi")))
    first, second = (body["messages"] for body in runtime.bodies)
    assert first[:-1] == prompt.prefix(own)
    assert [role["content"] for role in second] == [
        "Pick: undo_change() - takes back\nnone() - else",
        "Message: hi",
    ]
    answers = runtime.bodies[1]["response_format"]["json_schema"]["schema"]["oneOf"]
    assert [answer["required"] for answer in answers] == [["undo_change"], ["none"]]
