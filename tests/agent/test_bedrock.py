"""The Bedrock model over real HTTP, against the emulator that checks its signatures and its conversations."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from botocore.credentials import RefreshableCredentials
from langchain_aws.chat_models import bedrock_converse as upstream
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, ToolMessage

from agent.bedrock import AwsKeys, BedrockModel, Retries
from agent.bedrock.place import behind
from agent.bedrock.signing import signed_request
from agent.model import ContextTooLong, ModelRefused, ModelRequest, ModelThrottled, ModelUnavailable, Situation
from domain.errors import SetupError
from lab.bedrock_emulator import (
    BedrockEmulator,
    Corrupt,
    Hang,
    Refusal,
    Reset,
    Script,
    Stall,
    StreamException,
    TokenCounts,
    ToolUse,
    Truncate,
    Turn,
)

MODEL = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
ARN = "arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.anthropic.claude-sonnet-4-5-20250929-v1:0"
APPLICATION = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3d4e5f6"
FOUNDATION = "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-sonnet-4-5-20250929-v1:0"
KEYS = AwsKeys("AKIDEXAMPLE", "test-secret")
SECRETS = {"AKIDEXAMPLE": "test-secret"}
SITUATION = Situation(date(2026, 11, 22), "en_US", "USD", "UTC", ("Groceries",), ("Checking",))
TOOL = {
    "name": "move_money",
    "description": "Moves budget between categories.",
    "input_schema": {
        "type": "object",
        "properties": {"from_category": {"type": "string"}, "to_category": {"type": "string"}},
        "required": ["from_category"],
    },
}
FIVE = Turn("One two three four five.")
QUICK = Retries(first_pause=0.01)


def request(*turn: Any, earlier: tuple[Any, ...] = ()) -> ModelRequest:
    return ModelRequest("You are Penny.", SITUATION, earlier, turn or (HumanMessage("Hi"),), [TOOL])


@asynccontextmanager
async def model_of(emulator: BedrockEmulator, model_id: str = MODEL, **options: Any) -> AsyncIterator[BedrockModel]:
    defaults: dict[str, Any] = {"region": "us-east-1", "keys": KEYS, "retries": QUICK, "endpoint_url": emulator.url}
    model = BedrockModel(model_id, **(defaults | options))
    try:
        yield model
    finally:
        await model.close()


async def whole(model: BedrockModel, asked: ModelRequest | None = None) -> AIMessageChunk:
    """The sum of all chunks."""
    return sum_of([chunk async for chunk in model.stream(asked or request())])


def sum_of(chunks: list[AIMessageChunk]) -> AIMessageChunk:
    total = chunks[0]
    for chunk in chunks[1:]:
        total = total + chunk
    return total


async def broken(model: BedrockModel, kind: type[Exception]) -> tuple[list[AIMessageChunk], Exception]:
    """The chunks that came before the one error that ended the stream."""
    chunks: list[AIMessageChunk] = []

    async def read() -> None:
        async for chunk in model.stream(request()):
            chunks.append(chunk)  # noqa: PERF401 (a comprehension would lose them)

    with pytest.raises(kind) as raised:
        await read()
    assert type(raised.value) is kind
    return chunks, raised.value


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


@pytest.mark.parametrize("at", [0, 1, 3, 6])
@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("throttlingException", ModelThrottled),
        ("modelStreamErrorException", ModelUnavailable),
        ("internalServerException", ModelUnavailable),
        ("serviceUnavailableException", ModelUnavailable),
        ("validationException", ModelUnavailable),
    ],
)
async def test_an_exception_in_the_stream_is_one_typed_error(kind: str, error: type[Exception], at: int) -> None:
    """What came before stands once, then one error; the request is not repeated."""
    script = Script((Turn(FIVE.text, fault=StreamException(at, kind, "secret detail")),))
    async with BedrockEmulator(script) as emulator, model_of(emulator) as model:
        chunks, raised = await broken(model, error)
        assert emulator.state.requests == 1
    assert "".join(str(c.content) for c in chunks) == "".join(FIVE.tokens[: max(0, at - 1)])
    assert "secret detail" not in str(raised)


@pytest.mark.parametrize("fault", [Reset(3), Truncate(3), Corrupt(3), Truncate(6), Truncate(7)])
async def test_a_stream_that_breaks_off_is_an_error(fault: Reset | Truncate | Corrupt) -> None:
    """Reset, end without messageStop and a wrong checksum are noticed, and nothing is said twice."""
    async with BedrockEmulator(Script((Turn(FIVE.text, fault=fault),))) as emulator, model_of(emulator) as model:
        chunks, _ = await broken(model, ModelUnavailable)
        assert emulator.state.requests == 1
    assert FIVE.text.startswith("".join(str(c.content) for c in chunks))  # type: ignore[arg-type]


@pytest.mark.parametrize("fault", [Stall(3), Hang(), Stall(0)])
async def test_silence_is_noticed(fault: Stall | Hang) -> None:
    """After the idle time the stream is an error, not repeated, and closed upstream."""
    script = Script((Turn(FIVE.text, fault=fault),))
    async with BedrockEmulator(script) as emulator, model_of(emulator, idle_seconds=0.2) as model:
        began = time.monotonic()
        _, raised = await broken(model, ModelUnavailable)
        assert time.monotonic() - began < 2
        assert "silent" in str(raised)
        await emulator.state.wait_for(lambda state: state.cancelled == 1)
        assert emulator.state.requests == 1


async def test_an_answer_that_is_whole_stands_without_its_counts() -> None:
    """A connection lost between messageStop and metadata loses the usage only."""
    async with BedrockEmulator(Script((Turn(FIVE.text, fault=Reset(8)),))) as emulator, model_of(emulator) as model:
        reply = await whole(model)
    assert (reply.content, reply.usage_metadata) == (FIVE.text, None)


@pytest.mark.parametrize(
    "turn",
    [
        Turn(tools=(ToolUse("move_money", {"from_category": "Dining"}),), fault=Truncate(4)),
        Turn(tools=(ToolUse("move_money", {"from_category": "Dining"}),), fault=Reset(5)),
    ],
)
async def test_a_partial_tool_call_is_never_passed_on(turn: Turn) -> None:
    """A call that the wire cuts off ends in an error and in no chunk."""
    async with BedrockEmulator(Script((turn,))) as emulator, model_of(emulator) as model:
        chunks, _ = await broken(model, ModelUnavailable)
    assert not any(chunk.tool_call_chunks or chunk.tool_calls for chunk in chunks)


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


@pytest.mark.parametrize("type_", ["ThrottlingException", "ServiceUnavailableException", "InternalServerException"])
async def test_a_passing_refusal_is_overcome(type_: str) -> None:
    """Two refusals before the stream are retried, each signed afresh."""
    script = Script((Turn(FIVE.text, refusal=Refusal(type_, times=2)),))
    async with BedrockEmulator(script, secrets=SECRETS) as emulator, model_of(emulator) as model:
        assert (await whole(model)).content == FIVE.text
        assert (emulator.state.requests, emulator.state.refused) == (3, 2)


@pytest.mark.parametrize(
    ("refusal", "error", "requests", "words"),
    [
        (Refusal("ThrottlingException", 9), ModelThrottled, 3, "try again shortly"),
        (Refusal("ServiceUnavailableException", 9), ModelUnavailable, 3, "try again"),
        (Refusal("ModelErrorException", 9), ModelUnavailable, 1, "try again"),
        (Refusal("ServiceQuotaExceededException", 9), ModelThrottled, 1, "try again"),
        (Refusal("AccessDeniedException", 9), ModelRefused, 1, f"denies access to the model {MODEL} in us-east-1"),
        (Refusal("ExpiredTokenException", 9), ModelRefused, 1, "expired"),
        (Refusal("ResourceNotFoundException", 9), ModelRefused, 1, "knows no model"),
        (Refusal("ValidationException", 9, "1 validation error"), ModelRefused, 1, "malformed"),
        (Refusal("ValidationException", 9, "with on-demand throughput isn't"), ModelRefused, 1, "inference profile"),
        (Refusal("ValidationException", 9, "Input is too long for requested model."), ContextTooLong, 1, "too long"),
    ],
)
async def test_a_lasting_refusal_is_one_typed_error(
    refusal: Refusal, error: type[Exception], requests: int, words: str
) -> None:
    """At most three tries for what may pass, one for the rest; the message says what to do."""
    script = Script((Turn(FIVE.text, refusal=refusal),))
    async with BedrockEmulator(script) as emulator, model_of(emulator) as model:
        chunks, raised = await broken(model, error)
        assert emulator.state.requests == requests
    assert chunks == []
    assert words in str(raised)
    assert refusal.message not in str(raised)


async def test_the_time_that_bedrock_asks_for_is_waited_and_told() -> None:
    """Retry-After within the deadline is waited; one beyond it is in the error at once."""
    soon, late = (Refusal("ThrottlingException", times=9, retry_after=seconds) for seconds in (0.3, 60))
    patient = Retries(first_pause=0.01, deadline=5.0)
    async with BedrockEmulator(Script((Turn(FIVE.text, refusal=soon),))) as emulator:
        async with model_of(emulator, retries=patient) as model:
            began = time.monotonic()
            _, raised = await broken(model, ModelThrottled)
            assert time.monotonic() - began >= 0.6
        assert emulator.state.requests == 3
        assert raised.details["retry_after"] == 0.3  # type: ignore[attr-defined]
    async with BedrockEmulator(Script((Turn(FIVE.text, refusal=late),))) as emulator, model_of(emulator) as model:
        _, raised = await broken(model, ModelThrottled)
        assert emulator.state.requests == 1
    assert raised.details["retry_after"] == 60  # type: ignore[attr-defined]


async def test_no_try_begins_after_the_deadline() -> None:
    """With the time used up, the first refusal is the answer."""
    script = Script((Turn(FIVE.text, refusal=Refusal("ThrottlingException", times=9)),))
    hurried = Retries(first_pause=5.0, deadline=1.0)
    async with BedrockEmulator(script) as emulator, model_of(emulator, retries=hurried) as model:
        await broken(model, ModelThrottled)
        assert emulator.state.requests == 1


async def test_a_reset_before_the_first_byte_is_retried() -> None:
    """Nothing was said yet, so the next try is safe."""
    script = Script((Turn(FIVE.text, fault=Reset(0)), FIVE))
    async with BedrockEmulator(script) as emulator, model_of(emulator) as model:
        assert (await whole(model)).content == FIVE.text
        assert (emulator.state.started, emulator.state.broken) == (2, 1)


async def test_an_unknown_model_and_wrong_keys_say_so() -> None:
    """Model id, region and credentials are named for what they are."""
    async with BedrockEmulator(Script((FIVE,)), models={"other"}) as emulator, model_of(emulator) as model:
        _, raised = await broken(model, ModelRefused)
        assert f"knows no model {MODEL} in us-east-1" in str(raised)
    async with (
        BedrockEmulator(Script((FIVE,)), secrets=SECRETS) as emulator,
        model_of(emulator, keys=AwsKeys("AKIDEXAMPLE", "wrong")) as model,
    ):
        _, raised = await broken(model, ModelRefused)
        assert "credentials" in str(raised)


async def test_an_endpoint_that_is_not_there_is_named() -> None:
    """Three refused connections, then an error that names host and port."""
    async with BedrockEmulator(Script((FIVE,))) as emulator:
        host = emulator.url.removeprefix("http://")
    async with model_of(emulator) as model:
        _, raised = await broken(model, ModelUnavailable)
    assert host in str(raised)


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


async def test_credentials_are_refreshed_off_the_loop() -> None:
    """Fetching new credentials blocks a thread, not the other streams."""
    loop, fetched_on = asyncio.get_running_loop(), list[bool]()

    def fetch() -> dict[str, str]:
        try:
            fetched_on.append(asyncio.get_running_loop() is loop)
        except RuntimeError:
            fetched_on.append(False)
        expiry = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
        return {"access_key": "AKIDEXAMPLE", "secret_key": "test-secret", "token": "t", "expiry_time": expiry}

    soon = datetime.now(UTC) + timedelta(seconds=1)
    expiring = RefreshableCredentials("AKIDEXAMPLE", "test-secret", "t", soon, fetch, "test")
    script = Script((FIVE,), then="repeat_last")
    async with BedrockEmulator(script, secrets=SECRETS) as emulator, model_of(emulator) as model:
        model._chat.client._request_signer._credentials = expiring
        model._chat.refresh_due = expiring.refresh_needed
        await whole(model)
        await whole(model)
    assert fetched_on == [False]


async def test_a_profile_arn_brings_its_region_and_maker() -> None:
    """No region has to be set beside an inference profile's ARN."""
    async with BedrockEmulator(Script((FIVE,))) as emulator, model_of(emulator, ARN, region=None) as model:
        reply = await whole(model)
        assert emulator.state.bodies[0]["modelId"] == ARN
    assert reply.response_metadata["model_name"] == "anthropic.claude-sonnet-4-5-20250929-v1:0"
    assert model._place.region == "eu-west-1"


async def test_an_application_profile_is_looked_up_once() -> None:
    """The control plane says which model is behind it; without permission the setup error says what to grant."""
    async with BedrockEmulator(Script((FIVE,)), profiles={APPLICATION: FOUNDATION}) as emulator:
        made = await asyncio.to_thread(
            BedrockModel, APPLICATION, region="us-east-1", endpoint_url=emulator.url, keys=KEYS
        )
        assert (await whole(made)).response_metadata["model_name"] == FOUNDATION.rpartition("/")[2]
        await made.close()
        with pytest.raises(SetupError, match="bedrock:GetInferenceProfile"):
            await asyncio.to_thread(
                BedrockModel, APPLICATION + "x", region="us-east-1", endpoint_url=emulator.url, keys=KEYS
            )


@pytest.mark.parametrize(
    ("regions", "known_as"),
    [
        (("us-east-1", "us-west-2"), "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
        (("ap-northeast-1", "ap-south-1"), "apac.anthropic.claude-sonnet-4-5-20250929-v1:0"),
        (("us-east-1", "eu-west-1"), "anthropic.claude-sonnet-4-5-20250929-v1:0"),
        (("us-east-1",), "anthropic.claude-sonnet-4-5-20250929-v1:0"),
        (("us-east-1", ""), "anthropic.claude-sonnet-4-5-20250929-v1:0"),
    ],
)
def test_a_profile_over_regions_of_one_geography_is_priced_so(regions: tuple[str, ...], known_as: str) -> None:
    """What stays in a geography costs its premium."""

    class Control:
        def get_inference_profile(self, **_: str) -> dict[str, Any]:
            return {"models": [{"modelArn": FOUNDATION.replace("us-east-1", region)} for region in regions]}

    assert behind(APPLICATION, Control()) == known_as


@pytest.fixture
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> pytest.MonkeyPatch:
    """An environment in which AWS's tools find nothing."""
    for name in (
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_PROFILE",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_BEARER_TOKEN_BEDROCK",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return monkeypatch


async def test_a_metadata_service_that_does_not_answer_is_not_waited_for(bare_environment: pytest.MonkeyPatch) -> None:
    """Off AWS its address may swallow packets; the error says what to do all the same, and soon."""

    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(swallow, "127.0.0.1")
    host, port = server.sockets[0].getsockname()
    bare_environment.delenv("AWS_EC2_METADATA_DISABLED")
    bare_environment.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", f"http://{host}:{port}/")
    with pytest.raises(SetupError, match="aws configure"):
        await asyncio.to_thread(BedrockModel, MODEL, region="us-east-1")
    server.close()


async def test_closing_gives_the_connections_back() -> None:
    """Once or twice; kept connections are closed on Bedrock's side too."""
    async with BedrockEmulator(Script((FIVE,))) as emulator, model_of(emulator) as model:
        await whole(model)
        session = model._chat.wire._session
        await model.close()
        await model.close()
        assert session is not None
        assert session.closed


@pytest.mark.usefixtures("bare_environment")
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"keys": KEYS}, "AWS_REGION"),
        ({"region": "us-east-1"}, "No AWS credentials"),
        ({"region": "us-east-1", "profile": "nobody"}, "nobody"),
        ({"region": "us-east-1", "keys": KEYS, "endpoint_url": "not a url"}, "Invalid endpoint"),
    ],
)
def test_what_is_missing_is_said_at_construction(options: dict[str, Any], words: str) -> None:
    """No region, no credentials, an unknown profile, a bad endpoint: a SetupError that names it."""
    with pytest.raises(SetupError, match=words):
        BedrockModel(MODEL, **options)


async def test_the_usual_aws_variables_count(bare_environment: pytest.MonkeyPatch) -> None:
    """AWS_REGION, keys and AWS_ENDPOINT_URL_BEDROCK_RUNTIME are enough."""
    async with BedrockEmulator(Script((FIVE,)), secrets=SECRETS) as emulator:
        bare_environment.setenv("AWS_REGION", "eu-central-1")
        bare_environment.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        bare_environment.setenv("AWS_SECRET_ACCESS_KEY", "test-secret")
        bare_environment.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", emulator.url)
        model = BedrockModel(MODEL)
        assert (await whole(model)).content == FIVE.text
        await model.close()
    assert model._place.region == "eu-central-1"


async def test_an_api_key_is_not_sent_over_plain_http(bare_environment: pytest.MonkeyPatch) -> None:
    """AWS_BEARER_TOKEN_BEDROCK counts as credentials; botocore refuses to send it unencrypted and we say why."""
    bare_environment.setenv("AWS_BEARER_TOKEN_BEDROCK", "secret-key")
    async with BedrockEmulator(Script((FIVE,))) as emulator, model_of(emulator, keys=None) as model:
        _, raised = await broken(model, ModelRefused)
        assert emulator.state.requests == 0
    assert "https only" in str(raised)


async def test_langchain_can_use_the_chat_model_itself() -> None:
    """ainvoke and astream of the ChatBedrockConverse subclass go through the same transport."""
    async with BedrockEmulator(Script((FIVE, FIVE))) as emulator, model_of(emulator) as model:
        assert (await model._chat.ainvoke("Hi")).content == FIVE.text
        assert "".join([str(chunk.content) async for chunk in model._chat.astream("Hi")]) == FIVE.text


def test_a_model_that_refuses_temperature_is_not_sent_it() -> None:
    """LangChain's profile of the model decides."""
    asked = {"region": "us-east-1", "keys": KEYS}
    assert BedrockModel("us.anthropic.claude-opus-4-7", **asked)._chat.temperature is None
    assert BedrockModel(MODEL, **asked)._chat.temperature == 0.0


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
