"""Scripted conversations through the Bedrock emulator, the graph and the database, with what went over the wire."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage

from agent.asking import CUT, NO_WORDS, REFUSED, STOPPED, later_half
from agent.bedrock import AwsKeys, BedrockModel, Retries
from agent.fallback import FallbackModel
from db.engine import Database
from domain.errors import SetupError
from lab.bedrock_emulator import BedrockEmulator, Refusal, Script, ToolUse, Turn, points
from memory import messages, runs

SONNET = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
LOOK = (ToolUse("list_accounts", {}, id="t1"),)
TOO_LONG = Refusal("ValidationException", message="Input is too long for requested model.")


class Talk:
    """One session over an emulator that plays the given turns."""

    def __init__(self, emulator: BedrockEmulator, runner: Any, user: Any, session: Any, collect: Any) -> None:
        self._runner, self._user, self._session, self._collect = runner, user, session, collect
        self.emulator = emulator

    async def say(self, text: str) -> list[tuple[str, dict[str, Any]]]:
        """The events of the reply."""
        accepted = await self._runner.submit(self._user, self._session, text)
        self.run_id = accepted.run_id
        return [(kind, data) for _, kind, data in await self._collect(self._runner, self._user, accepted.run_id)]

    def told(self, at: int = -1) -> list[dict[str, Any]]:
        """The messages of a request, without cache points."""
        body = self.emulator.state.bodies[at]
        return [
            {"role": m["role"], "content": [block for block in m["content"] if "cachePoint" not in block]}
            for m in body["messages"]
        ]


def model_at(url: str, model_id: str = SONNET, **options: Any) -> BedrockModel:
    return BedrockModel(
        model_id,
        region="us-east-1",
        endpoint_url=url,
        keys=AwsKeys("AKIDEXAMPLE", "test-secret"),
        retries=Retries(first_pause=0.01),
        **options,
    )


@pytest.fixture
async def talk(start: Any, collect: Any, user: Any, session: Any) -> AsyncIterator[Callable[..., Any]]:
    """`await talk(turns, model_id, **options)` gives a Talk."""
    open_: list[Any] = []

    async def opened(turns: Any, model_id: str = SONNET, **options: Any) -> Talk:
        emulator = BedrockEmulator(Script(tuple(turns)))
        await emulator.start()
        model = model_at(emulator.url, model_id, **options)
        running = start(model)
        open_.extend([emulator.stop, model.close])
        runner = await running.__aenter__()
        open_.append(lambda: running.__aexit__(None, None, None))
        return Talk(emulator, runner, user, session, collect)

    yield opened
    for close in reversed(open_):
        await close()


def last(events: list[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    kind, data = events[-1]
    assert kind == "run.finished", data
    return data


def spoken(events: list[tuple[str, dict[str, Any]]]) -> str:
    return "".join(data["text"] for kind, data in events if kind == "text.delta")


async def test_a_cut_reply_goes_on_where_it_stopped(talk):
    """The part is told as the assistant's, the user reads one text, and nothing marks the joint."""
    it = await talk([Turn("You spent 4", stop_reason="max_tokens"), Turn(("12.30 USD.",))])
    events = await it.say("How much?")
    assert last(events)["text"] == spoken(events) == "You spent 412.30 USD."
    assert "outcome" not in last(events)
    [_, part, go_on] = it.told()
    assert (part["role"], part["content"]) == ("assistant", [{"text": "You spent 4"}])
    assert "Go on exactly where it stopped" in go_on["content"][0]["text"]


async def test_a_reply_that_never_ends_is_marked(talk):
    """After two goes on the user sees that it is cut, and clients are told."""
    it = await talk([Turn(f"part {n} ", stop_reason="max_tokens") for n in range(3)])
    events = await it.say("Tell me everything")
    assert last(events)["text"].endswith(CUT)
    assert last(events)["outcome"] == "cut"
    assert it.emulator.state.requests == 3


async def test_a_cut_call_never_runs_and_is_asked_for_again(talk):
    """No tool starts for the part; the whole call afterwards does."""
    part = Turn(tools=(ToolUse("list_accounts", '{"from'),), stop_reason="max_tokens")
    it = await talk([part, Turn(tools=LOOK), Turn("Two accounts.")])
    events = await it.say("My accounts?")
    assert last(events)["text"] == "Two accounts."
    assert [kind for kind, _ in events].count("tool.started") == 1
    assert "no tool has run" in it.told(1)[-1]["content"][-1]["text"]


async def test_silence_is_asked_once_more_then_said(talk):
    """One nudge; then an outcome, with words."""
    it = await talk([Turn(""), Turn("Here I am.")])
    assert last(await it.say("Hi"))["text"] == "Here I am."
    assert [list(block) for block in it.told()[-1]["content"]] == [["text"], ["text"]]
    assert "No reply has come" in it.told()[-1]["content"][-1]["text"]
    it = await talk([Turn(""), Turn("")])
    events = await it.say("Hi")
    assert last(events)["text"] == spoken(events) == NO_WORDS
    assert last(events)["outcome"] == "empty"
    assert it.emulator.state.requests == 2


@pytest.mark.parametrize(
    ("turn", "text", "outcome"),
    [
        (Turn("", stop_reason="refusal"), REFUSED, "refused"),
        (Turn("First you", stop_reason="content_filtered"), f"First you\n\n{STOPPED}", "filtered"),
        (Turn("Not a subject here.", stop_reason="guardrail_intervened"), "Not a subject here.", "guardrail"),
        (Turn("", LOOK, stop_reason="refusal"), REFUSED, "refused"),
    ],
)
async def test_what_is_stopped_ends_in_words_and_is_not_told_again(
    talk, database: Database, user, session, turn, text, outcome
):
    """A refusal, a filter and a guardrail end the run well; no call of theirs runs; later turns leave the words out."""
    it = await talk([turn, Turn("Hello.")])
    events = await it.say("something unsayable")
    assert (last(events)["text"], last(events)["outcome"]) == (text, outcome)
    assert "tool.started" not in [kind for kind, _ in events]
    async with database.transaction(user) as tx:
        items, _ = await messages.page(tx, session, 10)
    assert items[1]["outcome"] == outcome
    assert last(await it.say("Hi"))["text"] == "Hello."
    assert "unsayable" not in str(it.told())


async def test_a_history_that_is_too_long_is_halved_once(talk):
    """The refused request is made again with the later turns only; refused again, the run says so."""
    it = await talk([*(Turn(f"Answer {n}.") for n in range(4)), Turn("Fits.", refusal=TOO_LONG)])
    for n in range(4):
        await it.say(f"Question {n}")
    assert last(await it.say("And now?"))["text"] == "Fits."
    asked = [m["content"][0]["text"] for m in it.told() if m["role"] == "user"]
    assert asked == ["Question 2", "Question 3", "And now?"]
    it = await talk([Turn("", refusal=Refusal("ValidationException", 9, TOO_LONG.message))])
    kind, data = (await it.say("And now?"))[-1]
    assert (kind, data["code"], data["retryable"]) == ("run.failed", "context_too_long", False)
    assert it.emulator.state.requests == 2


async def test_several_calls_of_one_reply_are_all_answered_in_order(talk):
    """Looks and a change together: results in the calls' order, in one user message, each under its id."""
    calls = (
        ToolUse("list_accounts", {}, id="a"),
        ToolUse("get_budget_status", {}, id="b"),
        ToolUse("create_category", {"name": "Bees"}, id="c"),
        ToolUse("list_goals", {}, id="d"),
    )
    it = await talk([Turn("Let me see.", calls), Turn("Done.")])
    events = await it.say("Show all and add a category Bees")
    assert last(events)["text"] == "Let me see.\n\nDone."
    assert [data["call_id"] for kind, data in events if kind == "tool.finished"] == ["a", "b", "c", "d"]
    assert len([kind for kind, _ in events if kind == "proposal"]) == 1
    _, assistant, results = it.told()
    assert [next(iter(block)) for block in assistant["content"]] == ["text", *["toolUse"] * 4]
    assert [block["toolResult"]["toolUseId"] for block in results["content"]] == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (ToolUse("get_spending", '{"by": "categ', id="x"), "were not a JSON object"),
        (ToolUse("get_spending", {"by": "colour"}, id="x"), "It takes by, period?, category?"),
        (ToolUse("buy_bitcoin", {}, id="x"), "There is no tool 'buy_bitcoin'"),
        (ToolUse("buy_bitcoin", "nonsense", id="x"), "There is no tool 'buy_bitcoin'"),
    ],
)
async def test_a_wrong_call_is_answered_with_what_is_valid(talk, call: ToolUse, words: str):
    """As a failed result that the model can act on; the run goes on."""
    it = await talk([Turn(tools=(call,)), Turn(tools=LOOK), Turn("There.")])
    events = await it.say("How much?")
    assert last(events)["text"] == "There."
    assert [data["ok"] for kind, data in events if kind == "tool.finished"] == [False, True]
    [result] = it.told(1)[-1]["content"]
    assert words in result["toolResult"]["content"][0]["text"]
    assert result["toolResult"]["toolUseId"] == "x"


async def test_thinking_goes_round_a_tool_and_is_never_shown(talk, database: Database, user, session):
    """The thought is stored with its call, told again with the result, and left out of answer and later turns."""
    thinking = "SECRET THOUGHT about accounts"
    it = await talk([Turn("", LOOK, thinking=thinking), Turn("Two.", thinking=thinking), Turn("Yes.")], thinking=2_000)
    events = await it.say("My accounts?")
    assert "SECRET" not in str(events)
    assert it.emulator.state.refused == 0
    [thought, call] = it.told()[1]["content"]
    assert thought["reasoningContent"]["reasoningText"]["text"] == thinking
    assert call["toolUse"]["toolUseId"] == "t1"
    async with database.transaction(user) as tx:
        stored = await messages.turns(tx, session, 1, 1)
    assert stored[1].body["thinking"][0]["text"] == thinking
    await it.say("Sure?")
    assert "SECRET" not in str(it.told())


async def test_a_conversation_reads_what_it_has_read_before(talk):
    """On the wire at most four points each; from the second call on most of the prompt is read from the cache."""
    it = await talk([turn for _ in range(4) for turn in (Turn(tools=LOOK), Turn("Two accounts."))])
    for n in range(4):
        [usage] = [data for kind, data in await it.say(f"Accounts, take {n}") if kind == "usage"]
        if n:
            assert usage["cache_read_tokens"] > 10 * (usage["input_tokens"] + usage["cache_write_tokens"])
    assert all(len(points(body)) <= 4 for body in it.emulator.state.bodies)


async def test_a_model_without_tools_answers_from_what_code_looked_up(talk):
    """The look-ups are shown as tools are; the model is told their figures, is offered no tool and proposes nothing."""
    it = await talk([Turn("You have no accounts yet.")], "amazon.titan-text-premier-v1:0")
    events = await it.say("Set dining to 5 and tell me my accounts")
    assert last(events)["text"] == "You have no accounts yet."
    assert [data["name"] for kind, data in events if kind == "tool.finished"][:2] == [
        "get_budget_status",
        "get_spending",
    ]
    assert "proposal" not in [kind for kind, _ in events]
    [body] = it.emulator.state.bodies
    assert "toolConfig" not in body
    [told] = it.told()
    assert "this model can only answer questions" in told["content"][0]["text"]
    assert "You have no accounts yet." in told["content"][0]["text"]
    assert told["content"][0]["text"].endswith("Set dining to 5 and tell me my accounts")


async def test_another_model_stands_in_and_the_run_says_which(start, collect, database: Database, user, session):
    """Throttled before the first byte: the next model answers, and the first rests for a while."""
    refused = Turn("", refusal=Refusal("ThrottlingException", 99))
    other = "us.anthropic.claude-haiku-4-5-20251001-v1:0"
    async with (
        BedrockEmulator(Script((refused,))) as busy,
        BedrockEmulator(Script((Turn("Here."), Turn("Again.")))) as free,
    ):
        model = FallbackModel([model_at(busy.url), model_at(free.url, other)])
        async with start(model) as runner:
            for text in ("Here.", "Again."):
                accepted = await runner.submit(user, session, "hi")
                events = await collect(runner, user, accepted.run_id)
                assert events[0][2]["model"] == f"bedrock:{SONNET}"
                assert events[-1][2]["text"] == text
                assert events[-1][2]["model"] == f"bedrock:{other}"
        await model.close()
        assert busy.state.requests == 3
    async with database.transaction(user) as tx:
        assert (await runs.get(tx, accepted.run_id))["model"] == f"bedrock:{other}"


async def test_nobody_stands_in_for_a_refusal_or_in_the_middle(start, collect, user, session):
    """Access denied is a matter of set-up; a reply that broke off stands as it is."""
    from lab.bedrock_emulator import Truncate

    for turn, code in (
        (Turn("", refusal=Refusal("AccessDeniedException", 9)), "model_refused"),
        (Turn("One two three.", token_delay=0.05, fault=Truncate(3)), "model_unavailable"),
    ):
        async with BedrockEmulator(Script((turn,))) as one, BedrockEmulator(Script((Turn("Here."),))) as two:
            model = FallbackModel([model_at(one.url), model_at(two.url)])
            async with start(model) as runner:
                accepted = await runner.submit(user, session, "hi")
                events = await collect(runner, user, accepted.run_id)
            await model.close()
            assert events[-1][2]["code"] == code
            assert two.state.requests == 0


def test_a_model_without_tools_cannot_stand_in_for_one_with_tools() -> None:
    """It could not go on amid a tool loop."""
    models = [model_at("http://127.0.0.1:9"), model_at("http://127.0.0.1:9", "amazon.titan-text-lite-v1")]
    with pytest.raises(SetupError, match="cannot stand in"):
        FallbackModel(models)


def test_the_later_half_begins_with_a_turn() -> None:
    """Of five turns three go; of one, all."""
    turns = [message for n in range(5) for message in (HumanMessage(str(n)), AIMessage("yes"))]
    assert [m.text for m in later_half(turns)] == ["3", "yes", "4", "yes"]
    assert later_half(turns[:2]) == []
