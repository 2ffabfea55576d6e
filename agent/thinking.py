"""What a model thought before it called a tool: never shown, stored with the message, given back to it unchanged.

Stored as the message's `thinking`: `{"text", "signature"}`, or `{"redacted"}` (base64) where the provider encrypts it.
"""

from __future__ import annotations

from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk, AnyMessage

from agent.history import to_langchain
from memory.messages import Message


def thoughts(whole: AIMessageChunk) -> list[dict[str, str]]:
    """The thinking in a reply, in the form that is stored."""
    blocks = whole.content if isinstance(whole.content, list) else []
    found = [b["reasoning_content"] for b in blocks if isinstance(b, dict) and b.get("type") == "reasoning_content"]
    return [_stored(block) for block in found]


def _stored(block: dict[str, Any]) -> dict[str, str]:
    if "redacted_content" in block:
        return {"redacted": block["redacted_content"]}
    return {"text": block.get("text", ""), "signature": block.get("signature", "")}


def recalled(message: Message) -> AnyMessage:
    """A message of the running turn as LangChain has it, with its thinking and the name of the model that thought it:
    another model has no use for it."""
    told = to_langchain(message)
    if not isinstance(told, AIMessage) or "model" not in message.body:
        return told
    blocks: list[str | dict[Any, Any]] = [_block(each) for each in message.body.get("thinking", ())]
    if blocks and message.text:
        blocks.append({"type": "text", "text": message.text})
    about = {"answered_by": message.body["model"]}
    return AIMessage(blocks or message.text, tool_calls=told.tool_calls, response_metadata=about)


def _block(stored: dict[str, str]) -> dict[str, Any]:
    inner = {"redacted_content": stored["redacted"]} if "redacted" in stored else dict(stored)
    return {"type": "reasoning_content", "reasoning_content": inner}
