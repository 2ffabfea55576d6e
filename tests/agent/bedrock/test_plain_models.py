"""Models without tools, without a system prompt, without a conversation, without a stream; and guardrails."""

from __future__ import annotations

from langchain_core.messages import AIMessage, HumanMessage

from agent.bedrock import Guardrail
from lab.bedrock_emulator import Turn, points

EARLIER = [HumanMessage("Hello"), AIMessage("Hello, how can I help?")]
SONNET = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
BLOCKED = Turn(
    "Sorry, that is not a subject here.",
    stop_reason="guardrail_intervened",
    trace={"inputAssessment": {"gr-1": {"topicPolicy": {"topics": [{"name": "stocks", "action": "BLOCKED"}]}}}},
)


async def test_titan_text_gets_its_prompt_with_the_first_words(speaking, asked, whole):
    """No system field, no tools, the history as it was; the answer streams."""
    async with speaking([Turn("You spent 412.30.")], "amazon.titan-text-premier-v1:0") as (emulator, model):
        assert model.abilities.tools is False
        reply = await whole(
            model, asked(HumanMessage("And food?"), earlier=EARLIER, system="You are Penny.", aside="X")
        )
        [body] = emulator.state.bodies
    assert reply.content == "You spent 412.30."
    assert "system" not in body or body["system"] == []
    assert "toolConfig" not in body
    assert [m["content"][0]["text"] for m in body["messages"]] == [
        "You are Penny.\n\nX\n\nHello",
        "Hello, how can I help?",
        "And food?",
    ]


async def test_titan_text_under_a_guardrail_is_told_the_words_too(speaking, asked, whole):
    """Prompt and words are one text there, and are judged together."""
    guardrail = Guardrail("gr-1", "DRAFT")
    async with speaking([Turn("Yes.")], "amazon.titan-text-premier-v1:0", guardrail=guardrail) as (emulator, model):
        await whole(model, asked(HumanMessage("And food?"), system="You are Penny."))
        [body] = emulator.state.bodies
    assert body["messages"] == [{"role": "user", "content": [{"text": "You are Penny.\n\nAnd food?"}]}]
    assert body["guardrailConfig"]["guardrailVersion"] == "DRAFT"


async def test_jurassic_2_gets_one_text_and_answers_in_one_piece(speaking, asked, whole):
    """converse instead of converse-stream; the conversation as a transcript; usage and stop reason as ever."""
    async with speaking([Turn("You spent 412.30.")], "ai21.j2-ultra-v1") as (emulator, model):
        reply = await whole(model, asked(HumanMessage("And food?"), earlier=EARLIER, system="You are Penny."))
        [body] = emulator.state.bodies
    assert reply.content == "You spent 412.30."
    assert reply.response_metadata["stopReason"] == "end_turn"
    assert reply.usage_metadata["output_tokens"] > 0
    assert [m["content"][0]["text"] for m in body["messages"]] == [
        "You are Penny.\n\nPerson: Hello\n\nPenny: Hello, how can I help?\n\nPerson: And food?\n\nPenny:"
    ]


async def test_a_guardrail_judges_the_newest_words(speaking, asked, whole):
    """Id, version and trace are told, the stream is held until judged, and what stopped it is in the metadata."""
    guardrail = Guardrail("gr-1", "2", trace=True)
    async with speaking([BLOCKED], SONNET, guardrail=guardrail) as (emulator, model):
        reply = await whole(model, asked(HumanMessage("Which stocks?"), earlier=EARLIER))
        [body] = emulator.state.bodies
    assert body["guardrailConfig"] == {
        "guardrailIdentifier": "gr-1",
        "guardrailVersion": "2",
        "trace": "enabled",
        "streamProcessingMode": "sync",
    }
    assert body["messages"][-1]["content"][0] == {"guardContent": {"text": {"text": "Which stocks?"}}}
    assert points(body) == ["system", "messages.1", "messages.2"]
    assert reply.response_metadata["stopReason"] == "guardrail_intervened"
    assert reply.response_metadata["trace"]["guardrail"] == BLOCKED.trace


async def test_the_model_behind_an_application_profile_can_be_said(speaking, asked, whole):
    """Then AWS is not asked, and the model's abilities and price are known."""
    arn = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3d4e5f6"
    base = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
    async with speaking([Turn("Yes.")], arn, base=base, profiles={arn: base}) as (emulator, model):
        reply = await whole(model, asked())
        [body] = emulator.state.bodies
    assert body["modelId"] == arn
    assert points(body) == ["system", "messages.0"]
    assert reply.response_metadata["answered_by"] == f"bedrock:{arn}"
    assert reply.response_metadata["priced_as"] == base
