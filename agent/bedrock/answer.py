"""Stream events of one reply, put together: text as it comes, tool calls only when they are whole."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, cast

from langchain_aws.chat_models import bedrock_converse as upstream
from langchain_core.messages import AIMessageChunk
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import ToolCallChunk, tool_call_chunk

from agent.bedrock.wire import StreamEvent

_MALFORMED = {"malformed_model_output", "malformed_tool_use"}


class BrokenAnswer(ConnectionError):
    """The stream ended before the answer was whole, or a tool call in it is cut off."""


@dataclass(slots=True)
class _Call:
    """A tool call on its way; `fragments` join to JSON text."""

    id: str
    name: str
    fragments: list[str] = field(default_factory=list)


class Answer:
    """Takes events, gives chunks whose sum is the message. Content stays plain text unless the model also reasons."""

    def __init__(self, model_name: str) -> None:
        self._metadata: dict[str, Any] = {"model_name": model_name, "model_provider": "bedrock_converse"}
        self._calls: dict[int, _Call] = {}
        self._usage: UsageMetadata | None = None
        self._stop: str | None = None
        self._thinking_tokens: int | None = None

    @property
    def complete(self) -> bool:
        """Whether `messageStop` came: only the token counts may still be missing."""
        return self._stop is not None

    def feed(self, events: Iterable[StreamEvent]) -> Iterator[AIMessageChunk]:
        """The chunks to pass on now; neighbouring text deltas become one."""
        text: list[str] = []
        for kind, body in events:
            delta = body.get("delta", {})
            if kind == "contentBlockDelta" and "text" in delta:
                text.append(delta["text"])
            elif kind == "contentBlockDelta" and "toolUse" in delta:
                self._call(body["contentBlockIndex"]).fragments.append(delta["toolUse"].get("input", ""))
            elif kind == "contentBlockDelta":
                yield from _text(text)
                text = []
                yield cast(AIMessageChunk, upstream._parse_stream_event({kind: body}))
            else:
                self._note(kind, body)
        yield from _text(text)

    def end(self) -> AIMessageChunk:
        """The last chunk: tool calls, stop reason, usage. Raises BrokenAnswer when the reply is not whole."""
        if self._stop is None:
            raise BrokenAnswer("The stream ended without messageStop.")
        if self._stop in _MALFORMED:
            raise BrokenAnswer(f"The model stopped with {self._stop}.")
        return AIMessageChunk(
            content="",
            tool_call_chunks=[self._whole(index, call) for index, call in self._calls.items()],
            response_metadata=self._metadata,
            usage_metadata=self._usage,
            chunk_position="last",
        )

    def _note(self, kind: str, body: dict[str, Any]) -> None:
        if kind == "contentBlockStart" and "toolUse" in body.get("start", {}):
            start = body["start"]["toolUse"]
            self._calls[body["contentBlockIndex"]] = _Call(start["toolUseId"], start["name"])
        elif kind == "messageStop":
            self._stop = self._metadata["stopReason"] = body["stopReason"]
            self._thinking_tokens = upstream._extract_thinking_tokens(body.get("additionalModelResponseFields"))
        elif kind == "metadata":
            parsed = upstream._parse_stream_event({kind: body}, reasoning_tokens=self._thinking_tokens)
            self._usage = cast(AIMessageChunk, parsed).usage_metadata
            self._metadata |= {name: body[name] for name in ("metrics", "trace") if name in body}

    def _call(self, index: int) -> _Call:
        if index not in self._calls:
            raise BrokenAnswer("A tool call's input came without its start.")
        return self._calls[index]

    def _whole(self, index: int, call: _Call) -> ToolCallChunk:
        # LangChain would complete cut-off JSON by guessing (an amount of 25 for 250), hence this strict reading.
        text = "".join(call.fragments)
        if not text and self._stop == "tool_use":
            text = "{}"
        try:
            arguments = json.loads(text)
        except ValueError:
            arguments = None
        if not isinstance(arguments, dict):
            raise BrokenAnswer(f"The call of {call.name} is not whole.")
        return tool_call_chunk(name=call.name, args=text, id=call.id, index=index)


def _text(parts: list[str]) -> Iterator[AIMessageChunk]:
    if joined := "".join(parts):
        yield AIMessageChunk(content=joined)
