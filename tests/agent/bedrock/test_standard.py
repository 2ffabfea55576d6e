"""LangChain's standard suites for chat models, on the class that carries our transport, against the emulator."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from functools import cache
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_tests.integration_tests import ChatModelIntegrationTests
from langchain_tests.unit_tests import ChatModelUnitTests

from agent.bedrock import AwsKeys, BedrockModel
from agent.bedrock.chat import AsyncChatBedrockConverse
from lab.bedrock_emulator import BedrockEmulator, ToolUse, Turn

MODEL = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"


def respond(asked: Mapping[str, Any]) -> Turn:
    """As much of a model as the suites need: tools are called with the least that their schemas ask for."""
    blocks = asked["messages"][-1]["content"]
    text = " ".join(block.get("text", "") for block in blocks)
    results = [block for block in blocks if "toolResult" in block]
    config = asked.get("toolConfig") or {}
    choice = config.get("toolChoice") or {}
    specs = {tool["toolSpec"]["name"]: tool["toolSpec"] for tool in config.get("tools", ()) if "toolSpec" in tool}
    if specs and not results:
        name = choice.get("tool", {}).get("name") or next(iter(specs))
        return Turn(tools=(ToolUse(name, _least(specs[name]["inputSchema"]["json"], text)),))
    if results:
        return Turn("The result is in: " + json.dumps(results[-1]["toolResult"]["content"])[:200])
    stops = (asked.get("inferenceConfig") or {}).get("stopSequences") or ()
    words = "Hello, I am doing well. How are you today?"
    for stop in stops:
        words = words.partition(stop)[0]
    return Turn(words, token_delay=0.001)


def _least(schema: Mapping[str, Any], text: str) -> dict[str, Any]:
    numbers = iter([*map(int, re.findall(r"\d+", text)), 3, 3])
    words = iter([*re.findall(r"[^\x00-\x7f]+", text), *"xyz"])  # the suite asks that what is not ASCII comes back
    kinds: dict[str, Any] = {
        "string": lambda: next(words),
        "integer": lambda: next(numbers),
        "number": lambda: next(numbers),
    }
    out = {}
    for name, prop in (schema.get("properties") or {}).items():
        make = kinds.get(prop.get("type", "string"), lambda: next(words))
        out[name] = make()
    return out


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """An emulator on a loop of its own: the suites' synchronous half blocks theirs."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    emulator = BedrockEmulator(respond)
    asyncio.run_coroutine_threadsafe(emulator.start(), loop).result(30)
    yield emulator.url
    asyncio.run_coroutine_threadsafe(emulator.stop(), loop).result(30)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture(scope="module", autouse=True)
async def closed(endpoint: str) -> AsyncIterator[None]:
    """The connections of the suites' models are closed after them."""
    yield
    await parts(endpoint)["wire"].close()


@cache
def parts(url: str) -> dict[str, Any]:
    """What BedrockModel builds the class with."""
    chat = BedrockModel(MODEL, region="us-east-1", endpoint_url=url, keys=AwsKeys("AKIDEXAMPLE", "secret"))._chat
    return {
        "model": MODEL,
        "client": chat.client,
        "bedrock_client": chat.client,
        "wire": chat.wire,
        "refresh_due": chat.refresh_due,
        "disable_streaming": False,
    }


class TestUnit(ChatModelUnitTests):
    """Construction, binding of tools, structured output, tracing parameters."""

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return AsyncChatBedrockConverse

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return parts("http://127.0.0.1:9")

    @property
    def standard_chat_model_params(self) -> dict[str, Any]:
        return {"temperature": 0, "max_tokens": 100, "stop_sequences": []}


class TestIntegration(ChatModelIntegrationTests):
    """invoke, stream, batch, their async kin, tools, histories of tool calls, usage."""

    @pytest.fixture(autouse=True)
    def _at(self, endpoint: str) -> None:
        self._url = endpoint

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return AsyncChatBedrockConverse

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return parts(getattr(self, "_url", "http://127.0.0.1:9"))

    @property
    def standard_chat_model_params(self) -> dict[str, Any]:
        return {"temperature": 0, "max_tokens": 100, "stop_sequences": []}
