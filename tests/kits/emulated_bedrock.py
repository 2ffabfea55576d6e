"""A BedrockModel before an emulator, what it is asked, and its chunks put together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from typing import Any

import pytest
from langchain_core.messages import AIMessageChunk, HumanMessage

from agent.bedrock import AwsKeys, BedrockModel, Retries
from agent.model import ModelRequest, Situation
from lab.bedrock_emulator import (
    BedrockEmulator,
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
