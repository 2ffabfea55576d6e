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

_NO_CALLS = {
    "content_filtered",
    "guardrail_intervened",
    "malformed_model_output",
    "malformed_tool_use",
    "max_tokens",
    "model_context_window_exceeded",
    "refusal",
}
"""Endings after which a call may be a part of one."""


class BrokenAnswer(ConnectionError):
    """The stream ended before the answer was whole."""


@dataclass(slots=True)
class _Call:
    """A tool call on its way; `fragments` join to JSON text, `ended` when its block did."""

    id: str
    name: str
    fragments: list[str] = field(default_factory=list)
    ended: bool = False


class Answer:
    """Takes events, gives chunks whose sum is the message. Content stays plain text unless the model also reasons.

    `about` goes into the response's metadata. A call of which a part is missing is left out: it must never run.
    """

    def __init__(self, **about: str) -> None:
        self._metadata: dict[str, Any] = dict(about)
        self._calls: dict[int, _Call] = {}
        self._usage: UsageMetadata | None = None
        self._stop: str | None = None
        self._thinking_tokens: int | None = None

    @property
    def complete(self) -> bool:
        """Whether `messageStop` came: only the token counts may still be missing."""
        return self._stop is not None

    def feed(self, events: Iterable[StreamEvent]) -> Iterator[AIMessageChunk]:
        """The chunks to pass on now; neighbouring deltas of text, or of thinking, become one."""
        text: list[str] = []
        for kind, body in _joined(events):
            delta = body.get("delta", {})
            if kind == "contentBlockDelta" and "text" in delta:
                text.append(delta["text"])
            elif kind == "contentBlockDelta" and "toolUse" in delta:
                self._call(body["contentBlockIndex"]).fragments.append(delta["toolUse"].get("input", ""))
            elif kind == "contentBlockDelta":
                yield from _text(text)
                text = []
                # Not said of plain text: LangChain would then look for the tool calls among the content's blocks.
                self._metadata["model_provider"] = "bedrock_converse"
                yield cast(AIMessageChunk, upstream._parse_stream_event({kind: body}))
            else:
                self._note(kind, body)
        yield from _text(text)

    def end(self) -> AIMessageChunk:
        """The last chunk: tool calls, stop reason, usage. Raises BrokenAnswer when the reply is not whole."""
        if self._stop is None:
            raise BrokenAnswer("The stream ended without messageStop.")
        calls = {} if self._stop in _NO_CALLS else self._calls
        return AIMessageChunk(
            content="",
            tool_call_chunks=[_chunk(index, call) for index, call in calls.items() if call.ended],
            response_metadata=self._metadata,
            usage_metadata=self._usage,
            chunk_position="last",
        )

    def _note(self, kind: str, body: dict[str, Any]) -> None:
        if kind == "contentBlockStart" and "toolUse" in body.get("start", {}):
            start = body["start"]["toolUse"]
            self._calls[body["contentBlockIndex"]] = _Call(start["toolUseId"], start["name"])
        elif kind == "contentBlockStop" and (call := self._calls.get(body["contentBlockIndex"])):
            call.ended = True
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


def _chunk(index: int, call: _Call) -> ToolCallChunk:
    """The call; arguments that are no JSON object as a JSON text, for LangChain would complete cut-off JSON by guessing
    (an amount of 25 for 250) and so finds an invalid call."""
    text = "".join(call.fragments) or "{}"
    try:
        whole = isinstance(json.loads(text), dict)
    except ValueError:
        whole = False
    return tool_call_chunk(name=call.name, args=text if whole else json.dumps(text), id=call.id, index=index)


def _text(parts: list[str]) -> Iterator[AIMessageChunk]:
    if joined := "".join(parts):
        yield AIMessageChunk(content=joined)


def _joined(events: Iterable[StreamEvent]) -> Iterator[StreamEvent]:
    """The events, with neighbouring deltas of one thought as one."""
    thought: dict[str, Any] | None = None
    for kind, body in events:
        part = body.get("delta", {}).get("reasoningContent", {}) if kind == "contentBlockDelta" else {}
        if thought is not None and "text" in part and body["contentBlockIndex"] == thought["contentBlockIndex"]:
            thought["delta"]["reasoningContent"]["text"] += part["text"]
            continue
        if thought is not None:
            yield "contentBlockDelta", thought
        thought = body if "text" in part else None
        if thought is None:
            yield kind, body
    if thought is not None:
        yield "contentBlockDelta", thought


def events_of(body: dict[str, Any]) -> list[StreamEvent]:
    """An answer of converse as the events in which converse-stream would tell it."""
    events: list[StreamEvent] = []
    for index, block in enumerate(body["output"]["message"]["content"]):
        at = {"contentBlockIndex": index}
        if "toolUse" in block:
            call = block["toolUse"]
            start = {"toolUse": {"toolUseId": call["toolUseId"], "name": call["name"]}}
            events.append(("contentBlockStart", {**at, "start": start}))
            delta = {"toolUse": {"input": json.dumps(call["input"])}}
        elif "reasoningContent" in block:
            delta = {"reasoningContent": block["reasoningContent"].get("reasoningText", block["reasoningContent"])}
        else:
            delta = {"text": block.get("text", "")}
        events.append(("contentBlockDelta", {**at, "delta": delta}))
        events.append(("contentBlockStop", at))
    events.append(("messageStop", {"stopReason": body["stopReason"]}))
    events.append(("metadata", {name: body[name] for name in ("usage", "metrics", "trace") if name in body}))
    return events
