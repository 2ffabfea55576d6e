"""Extended thinking on the wire: asked for by setting, kept out of the answer, given back as it came."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import HumanMessage, ToolMessage

from agent.bedrock.answer import Answer
from agent.thinking import recalled, thoughts
from lab.bedrock_emulator import ToolUse, Turn
from memory.messages import Message

SONNET = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
THOUGHT = "They ask for food. I should look at October first."
CALLING = Turn("Let me see.", (ToolUse("get_spending", {}, id="c1"),), thinking=THOUGHT, redacted="secret")


def stored(reply: Any) -> Message:
    """The step as the graph stores it."""
    calls = [{"id": c["id"], "name": c["name"], "args": c["args"]} for c in reply.tool_calls]
    body = {"tool_calls": calls, "thinking": thoughts(reply), "model": reply.response_metadata["answered_by"]}
    return Message("assistant", str(reply.text), body)


@pytest.mark.parametrize(
    ("model_id", "budget", "fields", "limit"),
    [
        (SONNET, 2_000, {"thinking": {"type": "enabled", "budget_tokens": 2_000}}, 4_000),
        (SONNET, 1, {"thinking": {"type": "enabled", "budget_tokens": 1_024}}, 3_024),
        (SONNET, 0, None, 2_000),
        ("us.anthropic.claude-opus-5", 0, None, 6_000),
        (
            "us.anthropic.claude-opus-5",
            8_000,
            {"thinking": {"type": "adaptive"}, "output_config": {"effort": "medium"}},
            10_000,
        ),
        (
            "us.amazon.nova-2-lite-v1:0",
            4_000,
            {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "low"}},
            6_000,
        ),
        ("us.amazon.nova-pro-v1:0", 4_000, None, 2_000),
        ("ai21.jamba-1-5-large-v1:0", 4_000, None, 2_000),
    ],
)
async def test_each_model_is_asked_in_its_own_way(speaking, asked, whole, model_id, budget, fields, limit):
    """A budget in tokens, an effort, or not at all; the answer keeps its length."""
    async with speaking([Turn("Yes.")], model_id, thinking=budget) as (emulator, model):
        await whole(model, asked())
        [body] = emulator.state.bodies
    assert body.get("additionalModelRequestFields") == fields
    assert body["inferenceConfig"]["maxTokens"] == limit
    assert ("temperature" in body["inferenceConfig"]) is (fields is None and "opus" not in model_id)


async def test_thinking_is_no_text_and_comes_back_unchanged(speaking, asked, whole):
    """Signed and encrypted thoughts stand before the call in the next request; the emulator checks each byte."""
    question = HumanMessage("What about food?")
    async with speaking([CALLING, Turn("You spent 412.30.")], SONNET, thinking=2_000) as (emulator, model):
        reply = await whole(model, asked(question))
        assert (reply.text, reply.tool_calls[0]["id"]) == ("Let me see.", "c1")
        step = stored(reply)
        assert [list(each) for each in step.body["thinking"]] == [["text", "signature"], ["redacted"]]
        assert step.body["thinking"][0]["text"] == THOUGHT
        await whole(model, asked(question, recalled(step), ToolMessage("{}", tool_call_id="c1")))
        assert emulator.state.refused == 0
        content = emulator.state.bodies[1]["messages"][1]["content"]
        assert [next(iter(block)) for block in content] == ["reasoningContent", "reasoningContent", "text", "toolUse"]
        assert "thinking" in emulator.state.bodies[1]["additionalModelRequestFields"]


async def test_another_models_thoughts_are_not_given_back(speaking, asked, whole):
    """A model that stands in gets the call without the thoughts, and does not think amid it."""
    question = HumanMessage("What about food?")
    async with speaking([CALLING], SONNET, thinking=2_000) as (_, model):
        step = stored(await whole(model, asked(question)))
    turn = (question, recalled(step), ToolMessage("{}", tool_call_id="c1"))
    for other in ("us.anthropic.claude-haiku-4-5-20251001-v1:0", "us.amazon.nova-pro-v1:0"):
        async with speaking([Turn("Yes.")], other, thinking=2_000) as (emulator, model):
            await whole(model, asked(*turn))
            [body] = emulator.state.bodies
        assert not any("reasoningContent" in block for m in body["messages"] for block in m["content"])
        assert "additionalModelRequestFields" not in body


def test_thoughts_of_one_read_are_one_chunk() -> None:
    """A stream of thinking costs as little as one of text."""
    deltas = [
        ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"reasoningContent": {"text": t}}}) for t in "abc"
    ]
    assert len(list(Answer().feed(deltas))) == 1
