"""Penny on the wires of others: how a reply is asked for, and what stands in each of its texts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4


@dataclass(frozen=True)
class Wire:
    """`body` asks for a reply in a new conversation."""

    path: str
    body: Callable[[str], dict[str, Any]]
    mark: bytes


def _ai_sdk(text: str) -> dict[str, Any]:
    said = {"id": uuid4().hex, "role": "user", "parts": [{"type": "text", "text": text}]}
    return {"id": uuid4().hex, "trigger": "submit-message", "messages": [said]}


def _ag_ui(text: str) -> dict[str, Any]:
    said = {"id": uuid4().hex, "role": "user", "content": text}
    empty: dict[str, Any] = {"state": {}, "tools": [], "context": [], "forwardedProps": {}}
    return {"threadId": uuid4().hex, "runId": uuid4().hex, "messages": [said], **empty}


def _openai(text: str) -> dict[str, Any]:
    said = {"role": "user", "content": text}
    return {"model": "penny", "stream": True, "user": uuid4().hex, "messages": [said]}


WIRES = {
    "ai_sdk": Wire("/ai-sdk/chat", _ai_sdk, b"text-delta"),
    "ag_ui": Wire("/ag-ui", _ag_ui, b"TEXT_MESSAGE_CONTENT"),
    "openai": Wire("/openai/v1/chat/completions", _openai, b'"content"'),
}
