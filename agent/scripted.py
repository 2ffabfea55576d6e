"""A model that says what a script tells it, for tests and demonstrations: no network, no weights.

A script is a list of turns, each `{"text": ...}` and/or `{"tool_calls": [{"name", "args"}]}`, or `{"error": ...}`; each
model call takes the next turn, and the last one repeats. `{"text": "{summary}"}` says the last tool result's summary.
A request to summarize takes none: it is answered with `minutes`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import orjson
from langchain_core.messages import AIMessageChunk, ToolMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import tool_call_chunk

from agent.model import Abilities, ModelRequest, ModelUnavailable
from domain.errors import SetupError

MINUTES = "- The conversation so far, summarized by the script."


class ScriptedModel:
    """Plays turns in order, one a call; `delay` seconds pass between words. Requests are kept for a test to look at."""

    name = "scripted"
    abilities = Abilities()

    def __init__(self, turns: Sequence[dict[str, Any]], delay: float = 0.0, minutes: str = MINUTES) -> None:
        if not turns:
            raise SetupError('The script has no turns; give at least one, like [{"text": "Hello."}].')
        self._turns, self._delay, self._minutes = list(turns), delay, {"text": minutes}
        self._at, self._ids = 0, count(1)
        self.requests: list[ModelRequest] = []
        self.open_streams = 0

    @classmethod
    def from_file(cls, path: Path) -> ScriptedModel:
        """The script in a JSON file. Raises SetupError."""
        try:
            turns = orjson.loads(path.read_bytes())
        except (OSError, orjson.JSONDecodeError) as error:
            raise SetupError(f"The script {path} cannot be read: {error}.") from None
        if not isinstance(turns, list) or not all(isinstance(t, dict) for t in turns):
            raise SetupError(f"The script {path} must be a JSON list of turns.")
        return cls(turns)

    async def stream(self, request: ModelRequest) -> AsyncIterator[AIMessageChunk]:
        self.requests.append(request)
        turn = self._minutes if request.minutes else self._turns[min(self._at, len(self._turns) - 1)]
        self._at += not request.minutes
        self.open_streams += 1
        try:
            async for chunk in self._play(turn, request):
                yield chunk
        finally:
            self.open_streams -= 1

    async def _play(self, turn: dict[str, Any], request: ModelRequest) -> AsyncIterator[AIMessageChunk]:
        text = turn.get("text", "")
        if text == "{summary}":
            last = request.turn[-1]
            text = orjson.loads(str(last.content))["summary"] if isinstance(last, ToolMessage) else ""
        words = text.split(" ")
        for n, word in enumerate(words):
            if word or n:
                yield AIMessageChunk(content=word if n == 0 else f" {word}")
            if self._delay:
                await asyncio.sleep(self._delay)
        if "error" in turn:
            raise ModelUnavailable(turn["error"])
        calls = [
            tool_call_chunk(
                name=call["name"],
                args=orjson.dumps(call.get("args", {})).decode(),
                id=f"call_{next(self._ids)}",
                index=n,
            )
            for n, call in enumerate(turn.get("tool_calls", []))
        ]
        spent = len(words)
        yield AIMessageChunk(
            content="",
            tool_call_chunks=calls,
            usage_metadata=UsageMetadata(input_tokens=10, output_tokens=spent, total_tokens=10 + spent),
        )

    async def close(self) -> None:
        """Nothing is held."""
