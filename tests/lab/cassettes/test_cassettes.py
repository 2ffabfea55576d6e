"""Cassettes: recorded by the real model class through the proxy, kept, and played back on the wire."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk, AnyMessage, HumanMessage, ToolMessage

from agent.bedrock import AwsKeys, BedrockModel, Retries
from agent.model import ModelRefused, ModelRequest, ModelUnavailable, Situation
from lab.bedrock_emulator import BedrockEmulator, Refusal, Script, TokenCounts, ToolUse, Truncate, Turn
from lab.cassettes import CassetteError, Header, read, recording, replaying
from lab.cassettes.tape import salt_of

MODEL = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-5-20250929-v1:0"
SITUATION = Situation(date(2026, 11, 22), "en_US", "USD", "UTC", ("Groceries",), ("Checking",))
TOOL = {
    "name": "get_spending",
    "description": "What was spent.",
    "input_schema": {"type": "object", "properties": {"merchant": {"type": "string"}}},
}
SYSTEM = "You are Penny, and brief. " * 400
SECRET = "wJalrXUtnFEMI-very-secret"
PLAIN = Header("scripted", "2026-11-26")


def request(*turn: AnyMessage, system: str = SYSTEM, tool: Mapping[str, Any] = TOOL, aside: str = "") -> ModelRequest:
    return ModelRequest(system, SITUATION, [], list(turn), [dict(tool)], aside)


@asynccontextmanager
async def model_at(url: str, name: str = MODEL) -> AsyncIterator[BedrockModel]:
    made = BedrockModel(
        name, region="us-east-1", endpoint_url=url, keys=AwsKeys("AKIDEXAMPLE", SECRET), base=MODEL,
        retries=Retries(tries=1),
    )  # fmt: skip
    try:
        yield made
    finally:
        await made.close()


async def said(url: str, asked: ModelRequest, name: str = MODEL) -> AIMessageChunk:
    total: AIMessageChunk | None = None
    async with model_at(url, name) as model:
        async for chunk in model.stream(asked):
            total = chunk if total is None else total + chunk
    assert total is not None
    return total


def answering(asked: Mapping[str, Any]) -> Turn:
    """Calls the tool with the question's last word, then says the result."""
    last = asked["messages"][-1]["content"]
    if results := [block["toolResult"] for block in last if "toolResult" in block]:
        return Turn(f"So it is {results[0]['content'][0]['text']}.")
    name = next(block["text"] for block in last if "text" in block).split()[-1]
    return Turn("Looking.", (ToolUse("get_spending", {"merchant": name}),), usage=TokenCounts(900, 40, 800, 10))


@pytest.fixture
def record(tmp_path: Path) -> Callable[..., Any]:
    """Records requests answered by a responder: `path = await record(header, *requests, responder=...)`."""

    async def made(header: Header, *requests: ModelRequest, responder: Any = answering) -> Path:
        path = tmp_path / "some" / "cassette.jsonl"
        async with BedrockEmulator(responder) as bedrock, recording(path, header, upstream=bedrock.url) as recorder:
            for each in requests:
                await said(recorder.url, each)
        return path

    return made


async def test_a_recorded_answer_is_played_back_whole(record: Any) -> None:
    """Text, calls, stop reason and token counts are those of the recording."""
    path = await record(PLAIN, request(HumanMessage("How much at Bakery")))
    async with replaying(path.parent) as replay:
        answer = await said(replay.url, request(HumanMessage("How much at Bakery")))
    assert (answer.text, answer.tool_calls[0]["args"]) == ("Looking.", {"merchant": "Bakery"})
    assert answer.response_metadata["stopReason"] == "tool_use"
    assert answer.usage_metadata is not None
    assert (answer.usage_metadata["input_tokens"], answer.usage_metadata["output_tokens"]) == (1710, 40)
    assert (replay.played, replay.misses) == (1, [])


async def test_ids_that_are_new_each_time_do_not_matter(record: Any) -> None:
    """The model's name for a call differs, and so does an id in the result, which the answer then says."""

    def turn(call: str, row: str) -> list[AnyMessage]:
        asks = AIMessage("Looking.", tool_calls=[{"id": call, "name": "get_spending", "args": {}}])
        return [HumanMessage("How much"), asks, ToolMessage(f"row {row}", tool_call_id=call)]

    first, second = "0190a5d2-7c4e-7cc0-8000-0123456789ab", "0190ffff-7c4e-7cc0-8000-0123456789ab"
    path = await record(PLAIN, request(*turn("tooluse_1", first)))
    async with replaying(path) as replay:
        answer = await said(replay.url, request(*turn("tooluse_2", second)))
    assert answer.text == f"So it is row {second}."


@pytest.mark.parametrize(
    ("other", "says"),
    [
        (request(HumanMessage("How much at Butcher")), "message 1 differs: asked"),
        (request(HumanMessage("How much at Bakery"), system=SYSTEM + "\nBe long."), "asked 'Be long.'"),
        (request(HumanMessage("How much at Bakery"), aside="It is Monday."), "person and day differs in line 1"),
        (request(HumanMessage("How much at Bakery"), tool={**TOOL, "description": "?"}), "changed get_spending"),
        (request(HumanMessage("How much at Bakery"), tool={**TOOL, "name": "x"}), "added x; gone get_spending"),
    ],
)
async def test_an_unknown_request_is_refused_and_the_difference_told(
    record: Any, other: ModelRequest, says: str
) -> None:
    """Nothing is guessed: the model's caller gets an error, the developer what differs from the nearest recording."""
    path = await record(PLAIN, request(HumanMessage("How much at Bakery")), request(HumanMessage("Anything else")))
    async with replaying(path) as replay:
        with pytest.raises(ModelRefused):
            await said(replay.url, other)
    assert len(replay.misses) == 1
    assert says in replay.misses[0]


async def test_only_what_the_answer_depended_on_is_matched(record: Any) -> None:
    """A script's answers depend on no prompt: a cassette that says so is good for another prompt."""
    path = await record(Header("scripted", "2026-11-26", match=("words",)), request(HumanMessage("How much at Bakery")))
    async with replaying(path) as replay:
        answer = await said(replay.url, request(HumanMessage("How much at Bakery"), system="Another prompt."))
    assert answer.text == "Looking."


async def test_the_same_question_again_has_its_own_answer(record: Any) -> None:
    """Repeats are played in their order, the last one again and again."""
    asked = request(HumanMessage("Hi"))
    script = Script((Turn("One."), Turn("Two.")))
    path = await record(PLAIN, asked, asked, responder=script)
    async with replaying(path) as replay:
        assert [(await said(replay.url, asked)).text for _ in range(3)] == ["One.", "Two.", "Two."]


async def test_a_cassette_holds_no_secret_and_no_word_of_the_person(record: Any) -> None:
    """Signature, key and account number are not in the file, nor what was said, bought or paid, wherever it stood."""
    header = Header("live", "2026-11-26", salt="pepper")
    asks = AIMessage("", tool_calls=[{"id": "c", "name": "get_spending", "args": {"merchant": "Gundel"}}])
    turn = (HumanMessage("How much at Gundel"), asks, ToolMessage("Gundel 4187.35 EUR, 37.18", tool_call_id="c"))
    path = await record(header, request(turn[0], aside="Facts: lives with Boglarka."), request(*turn))
    text = path.read_text()
    for secret in (SECRET, "AKIDEXAMPLE", "AWS4-HMAC", "123456789012", "Gundel", "gundel", "4187", "37.18", "Boglarka"):
        assert secret not in text, secret
    assert "You are Penny" in text
    assert ":000000000000:" in text


async def test_a_masked_cassette_answers_the_same_question_with_its_words(record: Any) -> None:
    """Matching survives the mask, and the answer's calls and figures are as they were; other words are unknown."""
    header = Header("live", "2026-11-26", salt="pepper")
    asks = AIMessage("Looking.", tool_calls=[{"id": "c", "name": "get_spending", "args": {"merchant": "Gundel"}}])
    first = request(HumanMessage("How much at Gundel"))
    second = request(first.turn[0], asks, ToolMessage("Gundel 4187.35 EUR", tool_call_id="c"))
    path = await record(header, first, second)
    async with replaying(path) as replay:
        assert (await said(replay.url, first)).tool_calls[0]["args"] == {"merchant": "Gundel"}
        assert (await said(replay.url, second)).text == "So it is Gundel 4187.35 EUR."
        with pytest.raises(ModelRefused):
            await said(replay.url, request(HumanMessage("How much at Lidl")))


async def test_a_masked_cassette_is_read_without_its_salt_but_not_played(record: Any) -> None:
    """The salt is a file of its own for its owner alone; the cassette does not hold it, so that masks cannot be tried
    out by who has only that."""
    path = await record(Header("live", "2026-11-26", salt="pepper"), request(HumanMessage("How much at Gundel")))
    salt = salt_of(path)
    assert (salt.read_text(), salt.stat().st_mode & 0o777) == ("pepper", 0o600)
    assert "pepper" not in path.read_text()
    salt.unlink()
    assert (read(path).header.masked, read(path).header.salt) == (True, None)
    with pytest.raises(CassetteError, match=r"masked.*\.salt"):
        async with replaying(path):
            pass


async def test_a_masked_number_is_known_however_it_is_written(record: Any) -> None:
    """The model says 1,250.00 and passes 1250.0 for the user's 1250: neither is in the file, both are played back."""
    header = Header("live", "2026-11-26", salt="pepper")
    asked = request(HumanMessage("Set rent to 1250"))
    turn = Turn("That is 1,250.00.", (ToolUse("get_spending", {"merchant": "rent", "amount": 1250.0}),))
    path = await record(header, asked, responder=Script((turn,)))
    assert not re.search(r"1,?250", path.read_text())
    async with replaying(path) as replay:
        answer = await said(replay.url, asked)
    assert answer.text == "That is 1,250.00."
    assert answer.tool_calls[0]["args"] == {"merchant": "rent", "amount": 1250.0}


async def test_a_broken_answer_and_a_refusal_are_passed_on_and_not_kept(tmp_path: Path) -> None:
    """Only whole answers are worth playing back."""
    script = Script((Turn("Hi.", refusal=Refusal("ThrottlingException")), Turn("One two three.", fault=Truncate(3))))
    path = tmp_path / "cassette.jsonl"
    async with BedrockEmulator(script) as bedrock, recording(path, PLAIN, upstream=bedrock.url) as recorder:
        with pytest.raises(ModelUnavailable):
            await said(recorder.url, request(HumanMessage("Hi")))
        assert (await said(recorder.url, request(HumanMessage("Hi")))).text == "Hi."
        with pytest.raises(ModelUnavailable):
            await said(recorder.url, request(HumanMessage("Hi")))
    assert [exchange.turn["text"] for exchange in read(path).exchanges] == ["Hi."]
    assert recorder.passed == 3


@pytest.mark.parametrize(
    "text", ["", "{", '{"cassette": 2}', '{"cassette": 1, "made_with": "magic", "recorded": "x"}', "[]"]
)
def test_what_is_no_cassette_is_named(tmp_path: Path, text: str) -> None:
    """One sentence with the file's name."""
    path = tmp_path / "cassette.jsonl"
    path.write_text(text)
    with pytest.raises(CassetteError, match=r"cassette\.jsonl is"):
        read(path)


async def test_a_folder_without_cassettes_is_said(tmp_path: Path) -> None:
    """Nothing to replay is an error, not an emulator that refuses everything."""
    with pytest.raises(CassetteError, match="no cassettes"):
        async with replaying(tmp_path):
            pass


async def test_the_header_says_who_made_it(record: Any) -> None:
    """The first line tells a reader what the answers are worth."""
    path = await record(Header("scripted", "2026-11-26", note="by a script"), request(HumanMessage("Hi")))
    first = json.loads(path.read_text().splitlines()[0])
    assert (first["made_with"], first["recorded"], first["note"]) == ("scripted", "2026-11-26", "by a script")
