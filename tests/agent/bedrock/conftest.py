"""A BedrockModel that speaks to an emulator of its own."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import date
from typing import Any

import pytest
from langchain_core.messages import AIMessageChunk, HumanMessage

from agent.bedrock import AwsKeys, BedrockModel, Retries
from agent.model import ModelRequest, Situation
from lab.bedrock_emulator import BedrockEmulator, Script

SITUATION = Situation(date(2026, 11, 22), "en_US", "USD", "UTC", ("Groceries",), ("Checking",))
SCHEMA = {"type": "object", "properties": {"category": {"type": "string"}}}
TOOL = {"name": "get_spending", "description": "What was spent.", "input_schema": SCHEMA}
LONG = "You are Penny, and brief. " * 400

Speaking = Callable[..., AbstractAsyncContextManager[tuple[BedrockEmulator, BedrockModel]]]


@pytest.fixture
def speaking() -> Speaking:
    """`async with speaking(turns or a responder, model_id, **options) as (emulator, model)`."""

    @asynccontextmanager
    async def opened(script: Any, model_id: str, **options: Any) -> AsyncIterator[tuple[BedrockEmulator, BedrockModel]]:
        profiles = options.pop("profiles", None)
        made = script if callable(script) else Script(tuple(script))
        clock = options.pop("clock", time.monotonic)
        async with BedrockEmulator(made, profiles=profiles, clock=clock) as emulator:
            model = BedrockModel(
                model_id,
                region="us-east-1",
                endpoint_url=emulator.url,
                keys=AwsKeys("AKIDEXAMPLE", "test-secret"),
                retries=Retries(first_pause=0.01),
                **options,
            )
            try:
                yield emulator, model
            finally:
                await model.close()

    return opened


@pytest.fixture
def asked() -> Callable[..., ModelRequest]:
    """A request with a long system prompt: `asked(*turn, earlier=(), tools=True, aside="")`."""

    def made(*turn: Any, earlier: Any = (), tools: bool = True, aside: str = "", system: str = LONG) -> ModelRequest:
        said = turn or (HumanMessage("Hi"),)
        return ModelRequest(system, SITUATION, list(earlier), list(said), [TOOL] if tools else [], aside)

    return made


@pytest.fixture
def whole() -> Callable[..., Any]:
    """The sum of a reply's chunks."""

    async def read(model: BedrockModel, request: ModelRequest) -> AIMessageChunk:
        total: AIMessageChunk | None = None
        async for chunk in model.stream(request):
            total = chunk if total is None else total + chunk
        assert total is not None
        return total

    return read
