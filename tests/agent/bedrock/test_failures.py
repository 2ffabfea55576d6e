"""What goes wrong between Penny and Bedrock, as the emulator makes it: each once, typed, and nothing said twice."""

from __future__ import annotations

import time

import pytest
from emulated_bedrock import FIVE, MODEL, SECRETS, broken, model_of, whole

from agent.bedrock import AwsKeys, Retries
from agent.model import ContextTooLong, ModelRefused, ModelThrottled, ModelUnavailable
from lab.bedrock_emulator import (
    BedrockEmulator,
    Corrupt,
    Hang,
    Refusal,
    Reset,
    Script,
    Stall,
    StreamException,
    ToolUse,
    Truncate,
    Turn,
)


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
        assert time.monotonic() - began < 30  # and not the sixty seconds that are the default
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
