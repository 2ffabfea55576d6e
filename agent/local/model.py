"""LocalModel: the embedded model behind the Model protocol. It chooses one tool; code writes what is said."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

from langchain_core.messages import AIMessage, AIMessageChunk, AnyMessage, HumanMessage, ToolMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import tool_call_chunk

from agent.local import grammar, prompt, weights
from agent.local.guards import judge
from agent.local.heard import Call, Heard, Say
from agent.local.prompt import Said
from agent.local.warm import IDLE_SECONDS, Phase, WarmProcess
from agent.model import ModelRequest, ModelUnavailable
from domain.errors import SetupError

ANSWER_TOKENS = 120
NOT_THERE = "not downloaded"


class LocalModel:
    """Answers out of `cache` (or with the user's own `gguf`) through the machine's warm process.

    Nothing is started before the first request or `warm_up`. `idle_seconds` is when an unused process ends.
    """

    name = "local"

    def __init__(
        self,
        cache: Path,
        gguf: Path | None = None,
        *,
        idle_seconds: float = IDLE_SECONDS,
        process: Callable[[Path], WarmProcess] | None = None,
    ) -> None:
        self._cache, self._gguf = cache, gguf
        self._make = process or (lambda file: WarmProcess(cache, file, idle_seconds=idle_seconds))
        self._process: WarmProcess | None = None

    def status(self) -> str:
        """ "ready", or what keeps it from being so, in words: "not downloaded", "not running", "loading model", ..."""
        try:
            return self._warm().phase()
        except SetupError:
            return NOT_THERE

    async def warm_up(self, progress: Phase | None = None) -> None:
        """Has the process started and ready; `progress` gets each phase. Raises SetupError or ModelUnavailable."""
        await self._warm().ready(progress)

    async def stream(self, request: ModelRequest) -> AsyncIterator[AIMessageChunk]:
        """The routing call for a user's message; the summaries for tool results. Waits for a process that is starting."""
        results = _results(request.turn)
        if results:
            for chunk in _spoken("\n\n".join(results)):
                yield chunk
            return
        heard = _heard(request)
        answer = await self._warm().complete(_body(heard, {tool["name"] for tool in request.tools}))
        call, usage = _parsed(answer)
        decided = judge(call, heard)
        if isinstance(decided, Say):
            for chunk in _spoken(decided.text, usage):
                yield chunk
        else:
            yield _calling(decided, usage)

    async def close(self) -> None:
        """Nothing: the process is the machine's, and ends when it is not used."""

    def _warm(self) -> WarmProcess:
        if self._process is None:
            file = weights.own_file(self._gguf) if self._gguf else weights.present(self._cache)
            if file is None:
                raise SetupError(
                    "The offline model has not been downloaded yet; run `make run` or `penny serve` once with a network, "
                    "or set PENNY_LOCAL_GGUF to a GGUF file that you have."
                )
            self._process = self._make(file)
        return self._process


def _results(turn: Sequence[AnyMessage]) -> list[str]:
    """The summaries of the tool results that the turn ends with; empty when it ends with the user's message."""
    summaries: list[str] = []
    for message in reversed(turn):
        if not isinstance(message, ToolMessage):
            break
        summaries.insert(0, _summary(message))
    return summaries


def _summary(message: ToolMessage) -> str:
    text = str(message.text)
    try:
        content = json.loads(text)
    except ValueError:
        return text
    return str(content.get("summary", "")) if isinstance(content, dict) else text


def _heard(request: ModelRequest) -> Heard:
    said = [Said("User" if isinstance(m, HumanMessage) else "App", str(m.text)) for m in request.earlier if _speaks(m)]
    [*_, last] = [str(message.text) for message in request.turn if isinstance(message, HumanMessage)]
    situation = request.situation
    return Heard(
        text=last,
        earlier=tuple(said[-prompt.EARLIER_MESSAGES :]),
        today=situation.today,
        categories=situation.categories,
        currency=situation.currency,
        locale=situation.locale,
    )


def _speaks(message: AnyMessage) -> bool:
    return isinstance(message, (HumanMessage, AIMessage)) and bool(str(message.text).strip())


def _body(heard: Heard, offered: set[str]) -> dict[str, Any]:
    """The completion request: greedy, on top of the state of the constant prompt, held to the grammar."""
    return {
        "messages": prompt.messages(heard.categories, heard.earlier, heard.text),
        "temperature": 0,
        "max_tokens": ANSWER_TOKENS,
        "cache_prompt": True,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "call", "schema": grammar.schema(offered)},
        },
    }


def _parsed(answer: dict[str, Any]) -> tuple[Call, UsageMetadata]:
    """The model's choice; no number in it passes through a float. Raises ModelUnavailable when it was cut off."""
    try:
        content = json.loads(answer["choices"][0]["message"]["content"], parse_float=Decimal)
        call = Call(str(content["tool"]), dict(content["args"]))
        usage = answer["usage"]
        read = int((usage.get("prompt_tokens_details") or {}).get("cached_tokens", 0))
        return call, UsageMetadata(
            input_tokens=int(usage["prompt_tokens"]),
            output_tokens=int(usage["completion_tokens"]),
            total_tokens=int(usage["prompt_tokens"]) + int(usage["completion_tokens"]),
            input_token_details={"cache_read": read},
        )
    except (KeyError, IndexError, TypeError, ValueError):
        raise ModelUnavailable("The offline model gave no usable answer; say it in other words.") from None


def _calling(call: Call, usage: UsageMetadata) -> AIMessageChunk:
    chunk = tool_call_chunk(name=call.tool, args=json.dumps(call.args), id=f"call_{uuid4().hex[:20]}", index=0)
    return AIMessageChunk(content="", tool_call_chunks=[chunk], usage_metadata=usage)


def _spoken(text: str, usage: UsageMetadata | None = None) -> list[AIMessageChunk]:
    """The text in a few chunks, each a line or sentence, the usage with the last."""
    pieces = re.findall(r".+?(?:\n+|(?<=[.!?]) +|$)", text, re.DOTALL) or [text]
    chunks = [AIMessageChunk(content=piece) for piece in pieces]
    nothing = UsageMetadata(input_tokens=0, output_tokens=0, total_tokens=0)
    chunks[-1] = AIMessageChunk(content=pieces[-1], usage_metadata=usage or nothing)
    return chunks
