"""The emulator speaks Bedrock's own wire: stock boto3, signing and parsing for itself, is the witness."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp
import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, EventStreamError

from lab.bedrock_emulator import (
    BedrockEmulator,
    Refusal,
    Script,
    Stall,
    StreamException,
    TokenCounts,
    ToolUse,
    Truncate,
    Turn,
)
from lab.bedrock_emulator.conversation import conversation
from lab.bedrock_emulator.script import load

MODEL = "anthropic.claude-sonnet-4-5-20250929-v1:0"
PROFILE = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-5-20250929-v1:0"
KEYS = {"AKIDEXAMPLE": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}
TOOLS = {"tools": [{"toolSpec": {"name": "get_spending", "inputSchema": {"json": {"type": "object"}}}}]}


def stock(emulator: BedrockEmulator, secret: str | None = None, key: str = "AKIDEXAMPLE") -> Any:
    """A stock boto3 client that does not retry."""
    return boto3.client(
        "bedrock-runtime",
        region_name="us-east-1",
        endpoint_url=emulator.url,
        aws_access_key_id=key,
        aws_secret_access_key=secret or KEYS["AKIDEXAMPLE"],
        config=Config(retries={"total_max_attempts": 1}, read_timeout=10),
    )


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": [{"text": text}]}


async def read(client: Any, **request: Any) -> list[dict[str, Any]]:
    """All events of a converse-stream call, read in a thread."""

    def whole() -> list[dict[str, Any]]:
        response = client.converse_stream(**{"modelId": MODEL, "messages": [user("Hi")], **request})
        return list(response["stream"])

    return await asyncio.to_thread(whole)


async def refusal(client: Any, **request: Any) -> str:
    """Code and message of the error that a converse call gets."""
    with pytest.raises(ClientError) as raised:
        await asyncio.to_thread(client.converse, **{"modelId": MODEL, "messages": [user("Hi")], **request})
    error = raised.value.response["Error"]
    return f"{error['Code']}: {error['Message']}"


async def test_stock_boto3_reads_a_streamed_turn() -> None:
    """Text, a tool call in fragments, the stop reason and the usage arrive as boto3 parses them from real Bedrock."""
    turn = Turn(
        "Let me look.",
        (ToolUse("get_spending", {"by": "category", "period": "last month"}, id="tooluse_1"),),
        usage=TokenCounts(900, 40, cache_read=800, cache_write=10),
    )
    async with BedrockEmulator(Script((turn,)), secrets=KEYS) as emulator:
        events = await read(stock(emulator), toolConfig=TOOLS)
    assert events[0] == {"messageStart": {"role": "assistant"}}
    deltas = [event["contentBlockDelta"] for event in events if "contentBlockDelta" in event]
    assert "".join(d["delta"].get("text", "") for d in deltas) == "Let me look."
    starts = [event["contentBlockStart"] for event in events if "contentBlockStart" in event]
    assert [s["start"]["toolUse"] for s in starts] == [{"toolUseId": "tooluse_1", "name": "get_spending"}]
    fragments = [d["delta"]["toolUse"]["input"] for d in deltas if "toolUse" in d["delta"]]
    assert len(fragments) > 3
    assert json.loads("".join(fragments)) == {"by": "category", "period": "last month"}
    assert events[-2] == {"messageStop": {"stopReason": "tool_use"}}
    usage = events[-1]["metadata"]["usage"]
    assert usage["totalTokens"] == 1750
    assert (usage["cacheReadInputTokens"], usage["cacheWriteInputTokens"]) == (800, 10)


async def test_stock_boto3_reads_a_whole_answer() -> None:
    """converse answers with the message, the stop reason, the usage and a request id."""
    async with BedrockEmulator(Script((Turn("Hello there."),)), secrets=KEYS) as emulator:
        answer = await asyncio.to_thread(stock(emulator).converse, modelId=MODEL, messages=[user("Hi")])
    assert answer["output"]["message"] == {"role": "assistant", "content": [{"text": "Hello there."}]}
    assert answer["stopReason"] == "end_turn"
    assert len(answer["ResponseMetadata"]["RequestId"]) == 36


async def test_an_arn_with_a_slash_names_the_model() -> None:
    """An inference profile's ARN comes through the path as it was given."""
    async with BedrockEmulator(Script((Turn("Hi."),)), secrets=KEYS) as emulator:
        await read(stock(emulator), modelId=PROFILE)
        assert [body["modelId"] for body in emulator.state.bodies] == [PROFILE]


@pytest.mark.parametrize(
    ("key", "secret", "code"),
    [
        ("AKIDEXAMPLE", "another-secret", "InvalidSignatureException"),
        ("AKIDSTRANGER", "any-secret", "UnrecognizedClientException"),
    ],
)
async def test_a_wrong_signature_is_refused(key: str, secret: str, code: str) -> None:
    """The signature is recomputed over what was sent."""
    async with BedrockEmulator(Script((Turn("Hi."),)), secrets=KEYS) as emulator:
        assert (await refusal(stock(emulator, secret, key))).startswith(code)


@pytest.mark.parametrize(
    ("headers", "error"),
    [
        ({}, "MissingAuthenticationTokenException"),
        ({"Authorization": "AWS4-HMAC-SHA256 Credential=nonsense"}, "IncompleteSignatureException"),
    ],
)
async def test_an_unsigned_request_is_refused(headers: dict[str, str], error: str) -> None:
    """Without a well-formed Authorization header there is 403, the type in a header and the message in JSON."""
    async with BedrockEmulator(Script((Turn("Hi."),))) as emulator, aiohttp.ClientSession() as http:
        url = f"{emulator.url}/model/{MODEL}/converse"
        async with http.post(url, json={"messages": [user("Hi")]}, headers=headers) as response:
            assert (response.status, response.headers["x-amzn-errortype"]) == (403, error)
            assert list(await response.json()) == ["message"]
            assert "x-amzn-requestid" in response.headers


def assistant_call(call_id: str) -> dict[str, Any]:
    return {
        "role": "assistant",
        "content": [{"toolUse": {"toolUseId": call_id, "name": "get_spending", "input": {}}}],
    }


def result(call_id: str) -> dict[str, Any]:
    return {"role": "user", "content": [{"toolResult": {"toolUseId": call_id, "content": [{"text": "12"}]}}]}


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"messages": [{"role": "assistant", "content": [{"text": "Hi"}]}]}, "must start with a user message"),
        ({"messages": [user("a"), user("b")]}, "must alternate"),
        ({"messages": [user("a"), {"role": "assistant", "content": [{"text": "b"}]}]}, "must end with a user message"),
        ({"messages": [user("  ")]}, "messages.0.content.0 is blank"),
        ({"messages": [{"role": "user", "content": []}]}, "messages.0 is empty"),
        (
            {"messages": [user("a"), assistant_call("t1"), user("b")], "toolConfig": TOOLS},
            "Expected toolResult blocks at messages.2.content for the following Ids: t1",
        ),
        ({"messages": [user("a"), assistant_call("t1"), result("t2")], "toolConfig": TOOLS}, "following Ids: t1"),
        ({"messages": [result("t1")], "toolConfig": TOOLS}, "exceeds the number of toolUse blocks"),
        ({"messages": [user("a"), assistant_call("t1"), result("t1")]}, "toolConfig field must be defined"),
        (
            {"toolConfig": {"tools": [{"toolSpec": {"name": "x", "inputSchema": {"json": {"type": "string"}}}}]}},
            "must be one of the following: object",
        ),
        ({"system": [{"text": " "}]}, "system.0 is blank"),
    ],
)
async def test_what_bedrock_refuses_is_refused(request_: dict[str, Any], words: str) -> None:
    """A malformed conversation gets a ValidationException in Bedrock's words."""
    async with BedrockEmulator(Script((Turn("Hi."),), then="repeat_last"), secrets=KEYS) as emulator:
        said = await refusal(stock(emulator), **request_)
    assert said.startswith("ValidationException")
    assert words in said


async def test_an_answered_tool_call_is_accepted() -> None:
    """toolUse followed by its toolResult passes."""
    async with BedrockEmulator(Script((Turn("Twelve."),)), secrets=KEYS) as emulator:
        messages = [user("a"), assistant_call("t1"), result("t1")]
        events = await read(stock(emulator), messages=messages, toolConfig=TOOLS)
    assert {"messageStop": {"stopReason": "end_turn"}} in events


async def test_an_unknown_model_is_refused() -> None:
    """With a list of models any other id is invalid."""
    async with BedrockEmulator(Script((Turn("Hi."),)), models={PROFILE}) as emulator:
        assert await refusal(stock(emulator)) == "ValidationException: The provided model identifier is invalid."


async def test_a_refusal_lasts_as_often_as_told() -> None:
    """Two throttled requests, then the same turn plays."""
    script = Script((Turn("Hi.", refusal=Refusal("ThrottlingException", times=2)),))
    async with BedrockEmulator(script) as emulator:
        client = stock(emulator)
        assert [await refusal(client) for _ in range(2)] == ["ThrottlingException: Refused by the script."] * 2
        assert {"messageStop": {"stopReason": "end_turn"}} in await read(client)
        assert (emulator.state.requests, emulator.state.refused, emulator.state.completed) == (3, 2, 1)


async def test_a_stream_exception_reaches_boto3_as_one() -> None:
    """An exception frame is an EventStreamError, after the frames before it."""
    script = Script((Turn("One two three.", fault=StreamException(2, "modelStreamErrorException", "Broken.")),))
    async with BedrockEmulator(script) as emulator:
        with pytest.raises(EventStreamError, match=r"modelStreamErrorException.*Broken\."):
            await read(stock(emulator))
        assert emulator.state.broken == 1


async def test_a_truncated_stream_ends_without_a_stop() -> None:
    """Stock boto3 takes a truncated stream without complaint: the fault is real."""
    async with BedrockEmulator(Script((Turn("One two three.", fault=Truncate(3)),))) as emulator:
        events = await read(stock(emulator))
    assert [next(iter(event)) for event in events] == ["messageStart", "contentBlockDelta", "contentBlockDelta"]


async def test_a_client_that_leaves_is_counted() -> None:
    """A stalled stream whose client goes away is open before and cancelled after."""
    async with BedrockEmulator(Script((Turn("One two.", fault=Stall(2)),))) as emulator:
        response = await asyncio.to_thread(stock(emulator).converse_stream, modelId=MODEL, messages=[user("Hi")])
        assert emulator.state.open_streams == 1
        response["stream"].close()
        await emulator.state.wait_for(lambda state: state.open_streams == 0)
        assert emulator.state.cancelled == 1


async def test_an_ended_script_says_so() -> None:
    """One request more than turns is refused with a message that names the cause."""
    async with BedrockEmulator(Script((Turn("Hi."),))) as emulator:
        client = stock(emulator)
        await read(client)
        assert "The script has 1 turns" in await refusal(client)


async def test_a_responder_answers_by_content() -> None:
    """A function of the request's JSON decides on the turn, and the state is served over HTTP."""

    def echo(asked: Mapping[str, Any]) -> Turn:
        return Turn(asked["messages"][-1]["content"][0]["text"].upper())

    async with BedrockEmulator(echo) as emulator, aiohttp.ClientSession() as http:
        answer = await asyncio.to_thread(stock(emulator).converse, modelId=MODEL, messages=[user("shout")])
        async with http.get(f"{emulator.url}/emulator/state") as response:
            state = await response.json()
    assert answer["output"]["message"]["content"] == [{"text": "SHOUT"}]
    assert (state["requests"], state["completed"], state["open_streams"]) == (1, 1, 0)


async def test_the_small_conversation_calls_tools_and_says_their_summary() -> None:
    """Without a script, a question about spending calls get_spending and the tool's summary is the reply."""
    async with BedrockEmulator(conversation(token_delay=0)) as emulator:
        client = stock(emulator)
        question = user("How much did I spend on groceries last month?")
        first = await asyncio.to_thread(client.converse, modelId=MODEL, messages=[question], toolConfig=TOOLS)
        call = first["output"]["message"]["content"][1]["toolUse"]
        assert call["input"] == {"by": "category", "period": "last month", "category": "groceries"}
        told = {"toolUseId": call["toolUseId"], "content": [{"text": json.dumps({"summary": "You spent 12.00 USD."})}]}
        messages = [question, first["output"]["message"], {"role": "user", "content": [{"toolResult": told}]}]
        second = await asyncio.to_thread(client.converse, modelId=MODEL, messages=messages, toolConfig=TOOLS)
    assert second["output"]["message"]["content"] == [{"text": "You spent 12.00 USD."}]


def test_a_script_file_is_read(tmp_path: Path) -> None:
    """JSON turns become the same values as in Python."""
    turns = [
        {"text": ["a", "b"], "usage": {"input": 1, "output": 2}, "refusal": {"type": "ThrottlingException"}},
        {"tools": [{"name": "x", "input": {"y": 1}}], "fault": {"kind": "stall", "at": 2, "seconds": 0.5}},
    ]
    path = tmp_path / "script.json"
    path.write_text(json.dumps({"then": "cycle", "turns": turns}))
    assert load(path) == Script(
        (
            Turn(("a", "b"), usage=TokenCounts(1, 2), refusal=Refusal("ThrottlingException")),
            Turn(tools=(ToolUse("x", {"y": 1}),), fault=Stall(2, 0.5)),
        ),
        "cycle",
    )


@pytest.mark.parametrize("text", ["{", "{}", '{"turns": [{"txt": "x"}]}', '{"turns": [], "then": "stop"}'])
def test_a_bad_script_file_is_named(tmp_path: Path, text: str) -> None:
    """What cannot be a script is a ValueError with the file's name."""
    path = tmp_path / "script.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"script\.json is no script"):
        load(path)
