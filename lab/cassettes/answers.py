"""What came back on the wire, as a turn of the emulator's script files, and a turn masked or with its words put in."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

from agent.bedrock.frames import FrameReader

_USAGE = {
    "input": "inputTokens",
    "output": "outputTokens",
    "cache_read": "cacheReadInputTokens",
    "cache_write": "cacheWriteInputTokens",
}


def turn_of_stream(body: bytes) -> dict[str, Any] | None:
    """The turn in the frames of converse-stream; None when the stream did not come to its end."""
    reader = FrameReader()
    reader.add(body)
    blocks: dict[int, dict[str, Any]] = {}
    stop, about = None, {}
    for headers, payload in reader:
        event = json.loads(payload or b"{}")
        match headers.get(":event-type"):
            case "contentBlockStart":
                blocks.setdefault(event["contentBlockIndex"], {}).update(event.get("start") or {})
            case "contentBlockDelta":
                _add(blocks.setdefault(event["contentBlockIndex"], {}), event["delta"])
            case "messageStop":
                stop = event["stopReason"]
            case "metadata":
                about = event
    if stop is None:
        return None
    return _turn([blocks[at] for at in sorted(blocks)], stop, about)


def turn_of_whole(body: bytes) -> dict[str, Any]:
    """The turn in the JSON of converse."""
    said = json.loads(body)
    blocks = []
    for block in said["output"]["message"]["content"]:
        thought = block.get("reasoningContent", {})
        if "toolUse" in block:
            blocks.append({"toolUse": block["toolUse"], "input": json.dumps(block["toolUse"]["input"])})
        elif thought:
            blocks.append({"thinking": thought.get("reasoningText", {}).get("text", ""),
                           "redacted": thought.get("redactedContent", "")})  # fmt: skip
        else:
            blocks.append({"text": block.get("text", "")})
    return _turn(blocks, said["stopReason"], said)


def through(turn: dict[str, Any], change: Callable[[str], str]) -> dict[str, Any]:
    """The turn with its words (text, thoughts, arguments of calls) changed."""
    changed = dict(turn)
    for name in ("text", "thinking"):
        if name in turn:
            changed[name] = change(turn[name])
    if "tools" in turn:
        changed["tools"] = [{**tool, "input": _input(change(_text(tool["input"])))} for tool in turn["tools"]]
    return changed


def _add(block: dict[str, Any], delta: dict[str, Any]) -> None:
    if "text" in delta:
        block["text"] = block.get("text", "") + delta["text"]
    elif "toolUse" in delta:
        block["input"] = block.get("input", "") + delta["toolUse"]["input"]
    elif "reasoningContent" in delta:
        thought = delta["reasoningContent"]
        block["thinking"] = block.get("thinking", "") + thought.get("text", "")
        block["redacted"] = block.get("redacted", "") + thought.get("redactedContent", "")


def _turn(blocks: list[dict[str, Any]], stop: str, about: dict[str, Any]) -> dict[str, Any]:
    turn: dict[str, Any] = {}
    if thinking := "".join(block.get("thinking", "") for block in blocks):
        turn["thinking"] = thinking
    if redacted := "".join(block.get("redacted", "") for block in blocks):
        turn["redacted"] = _decoded(redacted)
    if text := "".join(block.get("text", "") for block in blocks):
        turn["text"] = text
    if tools := [block for block in blocks if "toolUse" in block]:
        turn["tools"] = [
            {"name": block["toolUse"]["name"], "input": _input(block.get("input") or "{}")} for block in tools
        ]
    turn["stop_reason"] = stop
    usage = about.get("usage") or {}
    turn["usage"] = {name: usage.get(wire) or 0 for name, wire in _USAGE.items()}
    if details := usage.get("cacheDetails"):
        turn["usage"]["cache_hour"] = sum(kept["inputTokens"] for kept in details if kept["ttl"] == "1h")
    if guardrail := (about.get("trace") or {}).get("guardrail"):
        turn["trace"] = guardrail
    return turn


def _input(text: str) -> dict[str, Any] | str:
    """A call's arguments; text that is no JSON object is kept as the model broke it."""
    try:
        parsed = json.loads(text)
    except ValueError:
        return text
    return parsed if isinstance(parsed, dict) else text


def _text(value: dict[str, Any] | str) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _decoded(redacted: str) -> str:
    try:
        return base64.b64decode(redacted, validate=True).decode()
    except ValueError:
        return redacted
