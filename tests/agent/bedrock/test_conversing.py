"""The Bedrock model over real HTTP, against the emulator that checks its signatures and its conversations."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace

import pytest
from emulated_bedrock import FIVE, MODEL, SECRETS, TOOL, model_of, request, sum_of, whole
from langchain_aws.chat_models import bedrock_converse as upstream
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from agent.bedrock.signing import signed_request
from lab.bedrock_emulator import (
    BedrockEmulator,
    Hang,
    Script,
    TokenCounts,
    ToolUse,
    Turn,
)


async def test_a_reply_is_plain_text_with_its_usage() -> None:
    """Chunks add up to text as a string, the stop reason, and token counts with the cache's."""
    counts = TokenCounts(100, 5, cache_read=700, cache_write=30)
    script = Script((Turn("Hello there, you.", token_delay=0.01, usage=counts),))
    async with BedrockEmulator(script, secrets=SECRETS) as emulator, model_of(emulator) as model:
        reply = await whole(model)
    assert reply.content == "Hello there, you."
    assert reply.response_metadata["stopReason"] == "end_turn"
    assert reply.usage_metadata is not None
    assert reply.usage_metadata["input_tokens"] == 830
    assert reply.usage_metadata["output_tokens"] == 5
    assert reply.usage_metadata["input_token_details"] == {"cache_read": 700, "cache_creation": 30}
    assert model.name == f"bedrock:{MODEL}"


async def test_paced_tokens_come_one_by_one_and_a_burst_as_one() -> None:
    """An idle process passes each token on; tokens that arrive together are one chunk."""
    script = Script((Turn("One two three four five.", token_delay=0.05), FIVE))
    async with BedrockEmulator(script) as emulator, model_of(emulator) as model:
        paced = [chunk.content async for chunk in model.stream(request()) if chunk.content]
        burst = [chunk.content async for chunk in model.stream(request()) if chunk.content]
    assert paced == ["One", " two", " three", " four", " five."]
    assert burst == ["One two three four five."]


async def test_the_request_is_what_the_graph_asked() -> None:
    """System, history, tool specs (names of arguments untouched), temperature and limit arrive at Bedrock."""
    earlier = (HumanMessage("Hello"), AIMessage("Hello, how can I help?"))
    async with BedrockEmulator(Script((FIVE,))) as emulator, model_of(emulator) as model:
        await whole(model, request(HumanMessage("Move it"), earlier=earlier))
        [body] = emulator.state.bodies
    assert body["modelId"] == MODEL
    assert body["system"] == [{"text": "You are Penny."}, {"cachePoint": {"type": "default"}}]
    assert body["messages"] == [
        {"role": "user", "content": [{"text": "Hello"}, {"cachePoint": {"type": "default"}}]},
        {"role": "assistant", "content": [{"text": "Hello, how can I help?"}]},
        {"role": "user", "content": [{"text": "Move it"}, {"cachePoint": {"type": "default"}}]},
    ]
    spec = {"name": "move_money", "description": TOOL["description"], "inputSchema": {"json": TOOL["input_schema"]}}
    assert body["toolConfig"] == {"tools": [{"toolSpec": spec}]}
    assert body["inferenceConfig"] == {"maxTokens": 2000, "temperature": 0.0}


async def test_tools_are_written_once_and_words_that_look_like_them_stay_words() -> None:
    """The tools' JSON takes the place of a stub in the body: not of the user's own words that spell the stub, and other
    tools in the next request are told as they are."""
    words = '{"tools": [{"toolSpec": {"name": "tools", "inputSchema": {"json": {}}}}]}'
    script = Script((FIVE, FIVE))
    async with BedrockEmulator(script, secrets=SECRETS) as emulator, model_of(emulator) as model:
        asked = request(HumanMessage(words))
        await whole(model, asked)
        await whole(model, replace(asked, tools=[{**TOOL, "name": "other"}]))
        bodies = emulator.state.bodies
    assert [body["messages"][-1]["content"][0]["text"] for body in bodies] == [words] * 2
    assert [body["toolConfig"]["tools"][0]["toolSpec"]["name"] for body in bodies] == [TOOL["name"], "other"]


async def test_a_tool_call_goes_there_and_back() -> None:
    """The call comes whole in one chunk after the text; its result satisfies Bedrock's rules in the next request."""
    call = ToolUse("move_money", {"from_category": "Dining", "to_category": "Rent"}, id="tooluse_1")
    script = Script((Turn("Let me see.", (call, ToolUse("move_money", {}))), Turn("Done.")))
    async with BedrockEmulator(script, secrets=SECRETS) as emulator, model_of(emulator) as model:
        question = HumanMessage("Move it")
        chunks = [chunk async for chunk in model.stream(request(question))]
        reply = sum_of(chunks)
        assert [bool(chunk.tool_call_chunks) for chunk in chunks] == [False, True]
        assert reply.content == "Let me see."
        assert [(c["name"], c["args"]) for c in reply.tool_calls] == [("move_money", call.input), ("move_money", {})]
        assert reply.tool_calls[0]["id"] == "tooluse_1"
        said = AIMessage(reply.content, tool_calls=reply.tool_calls)
        results = [ToolMessage('{"summary": "Moved."}', tool_call_id=str(c["id"])) for c in reply.tool_calls]
        assert (await whole(model, request(question, said, *results))).content == "Done."
        assert emulator.state.refused == 0


@pytest.mark.parametrize("stop", ["max_tokens", "malformed_tool_use", "refusal", "content_filtered"])
async def test_a_call_that_may_be_a_part_is_left_out(stop: str) -> None:
    """Whatever the JSON looks like, a reply that was stopped asks for nothing."""
    turn = Turn("Let me.", (ToolUse("move_money", {"from_category": "Dining"}),), stop_reason=stop)
    async with BedrockEmulator(Script((turn,))) as emulator, model_of(emulator) as model:
        reply = await whole(model)
    assert (reply.content, reply.tool_calls, reply.invalid_tool_calls) == ("Let me.", [], [])
    assert reply.response_metadata["stopReason"] == stop


@pytest.mark.parametrize("text", ['{"from_category": "Dining", "amount": 25', "[1]", "25", "not JSON", '"text"'])
async def test_arguments_that_are_no_object_are_not_guessed(text: str) -> None:
    """LangChain would make 25 of 250 cut short; here the call is invalid, with its name and id."""
    turn = Turn(tools=(ToolUse("move_money", text, id="tooluse_1"), ToolUse("move_money", {"from_category": "Rent"})))
    async with BedrockEmulator(Script((turn,))) as emulator, model_of(emulator) as model:
        reply = await whole(model)
    assert [(c["id"], c["name"]) for c in reply.invalid_tool_calls] == [("tooluse_1", "move_money")]
    assert [c["args"] for c in reply.tool_calls] == [{"from_category": "Rent"}]


async def test_twenty_cancelled_streams_are_closed_upstream() -> None:
    """Cancelling the reader closes Bedrock's side within a second."""
    turn = Turn(tuple("x" * 500), token_delay=0.02)
    async with (
        BedrockEmulator(Script((turn,), then="repeat_last")) as emulator,
        model_of(emulator) as model,
        asyncio.TaskGroup() as readers,
    ):
        tasks = [readers.create_task(whole(model)) for _ in range(20)]
        await emulator.state.wait_for(lambda state: state.open_streams == 20)
        for task in tasks:
            task.cancel()
        await emulator.state.wait_for(lambda state: state.open_streams == 0, seconds=10.0)
        assert emulator.state.cancelled == 20


async def test_closing_the_iterator_closes_upstream() -> None:
    """A reader that leaves after the first chunk leaves no stream behind."""
    turn = Turn(tuple("x" * 500), token_delay=0.01)
    async with BedrockEmulator(Script((turn,))) as emulator, model_of(emulator) as model:
        async with aclosing(model.stream(request())) as chunks:  # type: ignore[type-var]
            await anext(chunks)
        await emulator.state.wait_for(lambda state: state.cancelled == 1, seconds=10.0)


async def test_five_hundred_silent_streams_all_reach_bedrock() -> None:
    """No thread is held by a stream that waits for its first token (stock: six at a time)."""
    async with (
        BedrockEmulator(Script((Turn(fault=Hang()),), then="repeat_last")) as emulator,
        model_of(emulator) as model,
        asyncio.TaskGroup() as readers,
    ):
        tasks = [readers.create_task(whole(model)) for _ in range(500)]
        await emulator.state.wait_for(lambda state: state.open_streams == 500, seconds=120)
        for task in tasks:
            task.cancel()


async def test_langchain_can_use_the_chat_model_itself() -> None:
    """ainvoke and astream of the ChatBedrockConverse subclass go through the same transport."""
    async with BedrockEmulator(Script((FIVE, FIVE))) as emulator, model_of(emulator) as model:
        assert (await model._chat.ainvoke("Hi")).content == FIVE.text
        assert "".join([str(chunk.content) async for chunk in model._chat.astream("Hi")]) == FIVE.text


def test_the_private_upstream_names_are_there() -> None:
    """What the package takes from langchain_aws's inside has not moved."""
    assert callable(upstream._parse_stream_event)
    assert callable(upstream._handle_bedrock_error)
    assert callable(upstream._extract_thinking_tokens)
    assert callable(upstream.ChatBedrockConverse._stream)
    assert callable(upstream.ChatBedrockConverse._generate)
    assert callable(upstream._raise_if_context_overflow)


def test_a_call_that_sends_nothing_is_no_request() -> None:
    """Catching a request from a call that makes none is a programming error, said at once."""
    with pytest.raises(RuntimeError, match="sent no request"):
        signed_request(lambda: None)
