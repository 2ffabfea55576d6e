"""A turn as Bedrock puts it on the wire: the frames of converse-stream, or the JSON of converse."""

from __future__ import annotations

import json
import secrets
from functools import lru_cache
from typing import Any

from lab.bedrock_emulator import frames
from lab.bedrock_emulator.script import TokenCounts, ToolUse, Turn

Paced = tuple[bytes, bool]
"""A frame, and whether it is a token that the turn's pace applies to."""

_PADDING = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_FRAGMENT = 12


def stream_frames(turn: Turn, prompt_tokens: int) -> list[Paced]:
    """All frames of the reply, in order; `prompt_tokens` is said in `usage` when the turn does not say better."""
    out = [(_event("messageStart", {"role": "assistant"}), False)]
    tokens = turn.tokens
    if tokens:
        out += _text_block(tokens)
    for index, tool in enumerate(turn.tools, start=1 if tokens else 0):
        out += _tool_block(tool, index)
    out.append((_event("messageStop", {"stopReason": turn.stop}), False))
    metadata = {"usage": usage(turn, prompt_tokens), "metrics": {"latencyMs": 1}}
    out.append((_event("metadata", metadata), False))
    return out


def whole(turn: Turn, prompt_tokens: int) -> dict[str, Any]:
    """The body that converse answers with."""
    content: list[dict[str, Any]] = [{"text": "".join(turn.tokens)}] if turn.tokens else []
    content += [
        {"toolUse": {"toolUseId": tool.id or fresh_tool_use_id(), "name": tool.name, "input": tool.input}}
        for tool in turn.tools
    ]
    return {
        "output": {"message": {"role": "assistant", "content": content}},
        "stopReason": turn.stop,
        "usage": usage(turn, prompt_tokens),
        "metrics": {"latencyMs": 1},
    }


def usage(turn: Turn, prompt_tokens: int) -> dict[str, int]:
    """Bedrock's `usage`; `totalTokens` includes the prompt cache's."""
    count = turn.usage or TokenCounts(prompt_tokens, len(turn.tokens) + 20 * len(turn.tools))
    return {
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
def _text_block(tokens: tuple[str, ...]) -> list[Paced]:
    deltas = [(_event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": t}}), True) for t in tokens]
    return [*deltas, (_event("contentBlockStop", {"contentBlockIndex": 0}), False)]


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
