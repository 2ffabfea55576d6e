"""A turn as Bedrock puts it on the wire: the frames of converse-stream, or the JSON of converse."""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import replace
from functools import lru_cache
from typing import Any

from lab.bedrock_emulator import frames
from lab.bedrock_emulator.abilities import signature
from lab.bedrock_emulator.script import TokenCounts, ToolUse, Turn

Paced = tuple[bytes, bool]
"""A frame, and whether it is a token that the turn's pace applies to."""

_PADDING = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_FRAGMENT = 12


def stream_frames(turn: Turn, prompt: TokenCounts, *, traced: bool = False) -> list[Paced]:
    """All frames of the reply, in order; `prompt` is said in `usage` when the turn does not say better."""
    out = [(_event("messageStart", {"role": "assistant"}), False)]
    thoughts, tokens = _thoughts(turn), turn.tokens
    for index, deltas in enumerate(thoughts):
        out += _thought_block(deltas, index)
    if tokens:
        out += _text_block(tokens, len(thoughts))
    for index, tool in enumerate(turn.tools, start=len(thoughts) + bool(tokens)):
        out += _tool_block(tool, index)
    out.append((_event("messageStop", {"stopReason": turn.stop}), False))
    out.append((_event("metadata", _about(turn, prompt, traced)), False))
    return out


def _about(turn: Turn, prompt: TokenCounts, traced: bool) -> dict[str, Any]:
    trace = {"trace": {"guardrail": dict(turn.trace)}} if traced and turn.trace else {}
    return {"usage": usage(turn, prompt), "metrics": {"latencyMs": 1}, **trace}


def _thoughts(turn: Turn) -> list[list[dict[str, str]]]:
    """The deltas of each block of thinking."""
    blocks: list[list[dict[str, str]]] = []
    if turn.thinking:
        pieces = [turn.thinking[i : i + _FRAGMENT] for i in range(0, len(turn.thinking), _FRAGMENT)]
        blocks.append([*({"text": piece} for piece in pieces), {"signature": signature(turn.thinking)}])
    if turn.redacted:
        blocks.append([{"redactedContent": base64.b64encode(turn.redacted.encode()).decode()}])
    return blocks


def _thought_block(deltas: list[dict[str, str]], index: int) -> list[Paced]:
    at = {"contentBlockIndex": index}
    told = [(_event("contentBlockDelta", {**at, "delta": {"reasoningContent": delta}}), True) for delta in deltas]
    return [*told, (_event("contentBlockStop", at), False)]


def whole(turn: Turn, prompt: TokenCounts, *, traced: bool = False) -> dict[str, Any]:
    """The body that converse answers with."""
    content: list[dict[str, Any]] = [{"reasoningContent": _merged(deltas)} for deltas in _thoughts(turn)]
    content += [{"text": "".join(turn.tokens)}] if turn.tokens else []
    content += [
        {"toolUse": {"toolUseId": tool.id or fresh_tool_use_id(), "name": tool.name, "input": tool.input}}
        for tool in turn.tools
    ]
    return {
        "output": {"message": {"role": "assistant", "content": content}},
        "stopReason": turn.stop,
        **_about(turn, prompt, traced),
    }


def _merged(deltas: list[dict[str, str]]) -> dict[str, Any]:
    if "redactedContent" in deltas[0]:
        return deltas[0]
    text = "".join(delta.get("text", "") for delta in deltas)
    return {"reasoningText": {"text": text, "signature": deltas[-1]["signature"]}}


def usage(turn: Turn, prompt: TokenCounts) -> dict[str, Any]:
    """Bedrock's `usage`; `totalTokens` includes the prompt cache's. Models that can keep a prompt for an hour tell for
    how long they keep what they wrote."""
    count = turn.usage or replace(prompt, output=len(turn.tokens) + 20 * len(turn.tools))
    kept = {"1h": count.cache_hour, "5m": count.cache_write - count.cache_hour} if count.cache_hour is not None else {}
    details = [{"ttl": ttl, "inputTokens": tokens} for ttl, tokens in kept.items() if tokens]
    return {
        **({"cacheDetails": details} if details else {}),
        "inputTokens": count.input,
        "outputTokens": count.output,
        "totalTokens": count.input + count.output + count.cache_read + count.cache_write,
        "cacheReadInputTokens": count.cache_read,
        "cacheWriteInputTokens": count.cache_write,
    }


def fresh_tool_use_id() -> str:
    return "tooluse_" + secrets.token_urlsafe(16)


def _event(kind: str, payload: dict[str, Any]) -> bytes:
    # Bedrock pads each event by an ignorable "p" so that token lengths do not show in packet sizes.
    size = len(json.dumps(payload))
    return frames.event(kind, {**payload, "p": _PADDING[: size % len(_PADDING) + 1]})


@lru_cache(maxsize=64)
def _text_block(tokens: tuple[str, ...], index: int) -> list[Paced]:
    deltas = [(_event("contentBlockDelta", {"contentBlockIndex": index, "delta": {"text": t}}), True) for t in tokens]
    return [*deltas, (_event("contentBlockStop", {"contentBlockIndex": index}), False)]


def _tool_block(tool: ToolUse, index: int) -> list[Paced]:
    text = tool.input if isinstance(tool.input, str) else json.dumps(tool.input)
    start = {"toolUse": {"toolUseId": tool.id or fresh_tool_use_id(), "name": tool.name}}
    pieces = ["", *(text[i : i + _FRAGMENT] for i in range(0, len(text), _FRAGMENT))]
    return [
        (_event("contentBlockStart", {"contentBlockIndex": index, "start": start}), False),
        *(
            (_event("contentBlockDelta", {"contentBlockIndex": index, "delta": {"toolUse": {"input": piece}}}), True)
            for piece in pieces
        ),
        (_event("contentBlockStop", {"contentBlockIndex": index}), False),
    ]
