"""Where cache points stand on the wire, and what a session pays for them, as the emulator accounts it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from agent.asking import tokens_of
from agent.capabilities import cost
from lab.bedrock_emulator import Turn, lifetimes, points
from memory.runs import Tokens

SONNET = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
NOVA = "us.amazon.nova-pro-v1:0"


def turn_of(number: int) -> list[Any]:
    """A past turn as history tells it: a question, a call, its result, an answer."""
    return [
        HumanMessage(f"Question {number}: " + "what did I spend on food? " * 5),
        AIMessage("", tool_calls=[{"id": f"c{number}", "name": "get_spending", "args": {"category": "Food"}}]),
        ToolMessage('{"summary": "You spent 412.30 USD."}' * 3, tool_call_id=f"c{number}"),
        AIMessage(f"You spent 412.30 USD, {number}."),
    ]


def paid(reply: Any) -> tuple[int, int, int]:
    """Tokens read from the cache, written to it, and taken without it."""
    tokens = tokens_of(reply)
    return tokens.cache_read, tokens.cache_write, tokens.input


async def test_points_stand_after_the_prompt_and_at_the_newest_ends(speaking, asked, whole):
    """System prompt, last question, this question; amid a tool loop the two newest user messages. Never above four."""
    call = AIMessage("", tool_calls=[{"id": "c9", "name": "get_spending", "args": {}}])
    result = ToolMessage("{}", tool_call_id="c9")
    async with speaking([Turn("Yes.")] * 3, SONNET) as (emulator, model):
        await whole(model, asked(HumanMessage("Hi")))
        await whole(model, asked(HumanMessage("And?"), earlier=[*turn_of(1), *turn_of(2)]))
        await whole(model, asked(HumanMessage("And?"), call, result, earlier=[*turn_of(1), *turn_of(2)]))
        found = [points(body) for body in emulator.state.bodies]
    assert found == [
        ["system", "messages.0"],
        ["system", "messages.4", "messages.8"],
        ["system", "messages.8", "messages.10"],
    ]


async def test_what_differs_by_user_stands_after_the_prompts_point(speaking, asked, whole):
    """So that everybody shares what is read of tools and prompt: another user's first call reads it."""
    async with speaking([Turn("Yes.")] * 2, SONNET) as (emulator, model):
        first = await whole(model, asked(aside="Accounts: Checking."))
        other = await whole(model, asked(aside="Accounts: Giro."))
        [body, _] = emulator.state.bodies
    assert [list(block) for block in body["system"]] == [["text"], ["cachePoint"], ["text"]]
    assert body["system"][2]["text"] == "Accounts: Checking."
    assert paid(first)[0] == 0
    assert paid(other)[0] > 2_000


async def test_a_long_session_pays_for_its_new_tokens_only(speaking, asked, whole):
    """Forty turns with a tool call each: what is not read from the cache stays as small as one turn's words."""
    past: list[Any] = []
    fresh, reads = [], []
    async with speaking([Turn("Yes.")] * 80, SONNET) as (emulator, model):
        for number in range(40):
            question, call, result, answer = turn_of(number)
            rows = ToolMessage(str(result.content) + " with its rows" * 10, tool_call_id=f"c{number}")
            first = paid(await whole(model, asked(question, earlier=past)))
            second = paid(await whole(model, asked(question, call, rows, earlier=past)))
            past += [question, call, result, answer]
            fresh.append(sum(first[1:]) + sum(second[1:]))
            reads.append(second[0])
        assert emulator.state.refused == 0
        assert max(len(points(body)) for body in emulator.state.bodies) <= 4
    assert max(fresh[1:]) < 400
    assert reads == sorted(reads)
    assert reads[-1] > 2_000 + 39 * 100


async def test_nova_takes_no_point_after_tool_results(speaking, asked, whole):
    """Its points stand after the system prompt and words of the user."""
    call = AIMessage("", tool_calls=[{"id": "c9", "name": "get_spending", "args": {}}])
    async with speaking([Turn("Yes.")] * 2, NOVA) as (emulator, model):
        request = asked(HumanMessage("And?"), call, ToolMessage("{}", tool_call_id="c9"), earlier=turn_of(1))
        await whole(model, request)
        read, _, _ = paid(await whole(model, request))
        assert points(emulator.state.bodies[0]) == ["system", "messages.0", "messages.4"]
    assert read > 2_000


@pytest.mark.parametrize("model_id", ["ai21.jamba-1-5-large-v1:0", "someone.new-model-v1:0"])
async def test_a_model_without_caching_gets_no_points(speaking, asked, whole, model_id: str):
    """Its prompt is one plain text, and is paid whole."""
    async with speaking([Turn("Yes.")], model_id) as (emulator, model):
        reply = await whole(model, asked(earlier=turn_of(1), aside="Today is Sunday."))
        [body] = emulator.state.bodies
    assert points(body) == []
    assert body["system"][0]["text"].endswith("Today is Sunday.")
    assert paid(reply)[:2] == (0, 0)


async def test_a_prefix_below_the_models_least_is_not_kept(speaking, asked, whole):
    """Haiku 4.5 keeps nothing under 4,096 tokens, Sonnet from 1,024."""
    for model_id, kept in ((SONNET, True), ("us.anthropic.claude-haiku-4-5-20251001-v1:0", False)):
        async with speaking([Turn("Yes.")] * 2, model_id) as (_, model):
            await whole(model, asked())
            assert (paid(await whole(model, asked()))[0] > 0) is kept


@pytest.mark.parametrize("hour", [True, False])
async def test_all_points_keep_for_an_hour_where_that_is_asked_for(speaking, asked, whole, hour: bool):
    """Somebody who comes back after half an hour reads what was kept; with five minutes all of it is paid again."""
    seconds = 0.0
    async with speaking([Turn("Yes.")] * 2, SONNET, cache_hour=hour, clock=lambda: seconds) as (emulator, model):
        await whole(model, asked(HumanMessage("Hi")))
        seconds = 1800.0
        read, _, _ = paid(await whole(model, asked(HumanMessage("And?"), earlier=turn_of(1))))
        asked_for = [lifetimes(body) for body in emulator.state.bodies]
    assert asked_for == [["1h" if hour else "5m"] * 2, ["1h" if hour else "5m"] * 3]
    assert (read > 2_000) is hour


@pytest.mark.parametrize("model_id", [NOVA, "us.anthropic.claude-3-7-sonnet-20250219-v1:0"])
async def test_a_model_that_keeps_for_five_minutes_is_not_asked_for_an_hour(speaking, asked, whole, model_id: str):
    """It would refuse the request."""
    async with speaking([Turn("Yes.")], model_id, cache_hour=True) as (emulator, model):
        assert (await whole(model, asked())).text == "Yes."
        assert set(lifetimes(emulator.state.bodies[0])) == {"5m"}


async def test_what_is_written_for_an_hour_has_its_own_price(speaking, asked, whole):
    """Bedrock tells what it keeps for how long; both are counted as written, the hour at twice the input's price."""
    for hour, times in ((False, "1.25"), (True, "2")):
        async with speaking([Turn("Yes.")], SONNET, cache_hour=hour) as (_, model):
            tokens = tokens_of(await whole(model, asked()))
        assert tokens.cache_write > 2_000
        assert tokens.cache_hour == (tokens.cache_write if hour else 0)
        written = Tokens(cache_write=tokens.cache_write, cache_hour=tokens.cache_hour)
        assert cost(SONNET, written) == cost(SONNET, Tokens(input=tokens.cache_write)) * Decimal(times)
