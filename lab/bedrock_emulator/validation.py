"""What Bedrock refuses in a converse request, in Bedrock's own words."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from lab.bedrock_emulator.refusals import invalid

_BLANK = "The text field in the {kind} object at {where} is blank. Add text to the text field, and try again."
_EMPTY = (
    "The content field in the Message object at messages.{at} is empty. "
    "Add a ContentBlock object to the content field and try again."
)


def check(request: dict[str, Any]) -> None:
    """Raises ApiError (ValidationException) for a request that Bedrock would refuse."""
    messages: list[dict[str, Any]] = request.get("messages") or []
    _check_roles(messages)
    for at, message in enumerate(messages):
        _check_content(at, message)
    for at, block in enumerate(request.get("system") or []):
        if "text" in block and not block["text"].strip():
            raise invalid(_BLANK.format(kind="SystemContentBlock", where=f"system.{at}"))
    _check_tool_pairs(messages)
    _check_tool_config(request, messages)
    _check_inference(request.get("inferenceConfig") or {})


def _check_roles(messages: Sequence[dict[str, Any]]) -> None:
    if not messages or messages[0].get("role") != "user":
        raise invalid(
            "A conversation must start with a user message. "
            "Try again with a conversation that starts with a user message."
        )
    roles = [message.get("role") for message in messages]
    if any(role not in ("user", "assistant") for role in roles):
        raise invalid("Value at 'messages.role' failed to satisfy constraint: Member must satisfy enum value set")
    if any(a == b for a, b in pairwise(roles)):
        raise invalid(
            "A conversation must alternate between user and assistant roles. Make sure the conversation alternates "
            "between user and assistant roles and try again."
        )
    if roles[-1] != "user":
        raise invalid(
            "This model does not support assistant message prefill. The conversation must end with a user message."
        )


def _check_content(at: int, message: dict[str, Any]) -> None:
    blocks = message.get("content") or []
    if not blocks:
        raise invalid(_EMPTY.format(at=at))
    for number, block in enumerate(blocks):
        where = f"messages.{at}.content.{number}"
        if "text" in block and not block["text"].strip():
            raise invalid(_BLANK.format(kind="ContentBlock", where=where))
        if "toolUse" in block and not isinstance(block["toolUse"].get("input"), dict):
            raise invalid(
                f"The format of the value at {where}.toolUse.input is invalid. "
                "Provide a json object for the field and try again."
            )


def _check_tool_pairs(messages: Sequence[dict[str, Any]]) -> None:
    """Every toolUse is answered in the next user message, and nothing is answered that was not asked."""
    asked: list[str] = []
    for at, message in enumerate(messages):
        answered = [b["toolResult"]["toolUseId"] for b in message["content"] if "toolResult" in b]
        missing = [call for call in asked if call not in answered]
        if missing:
            raise invalid(
                f"Expected toolResult blocks at messages.{at}.content for the following Ids: {', '.join(missing)}"
            )
        if len(answered) > len(asked):
            raise invalid(
                f"The number of toolResult blocks at messages.{at}.content "
                "exceeds the number of toolUse blocks of previous turn."
            )
        asked = [b["toolUse"]["toolUseId"] for b in message["content"] if "toolUse" in b]
        if len(set(asked)) < len(asked):
            raise invalid(f"The toolUse blocks at messages.{at}.content contain duplicate Ids: {', '.join(asked)}")
        if asked and message["role"] != "assistant":
            raise invalid(f"The toolUse block at messages.{at}.content is only allowed in an assistant message.")


def _check_tool_config(request: dict[str, Any], messages: Sequence[dict[str, Any]]) -> None:
    config = request.get("toolConfig")
    used = any("toolUse" in block or "toolResult" in block for m in messages for block in m["content"])
    if used and not config:
        raise invalid("The toolConfig field must be defined when using toolUse and toolResult content blocks.")
    if config is None:
        return
    specs = [tool["toolSpec"] for tool in config.get("tools") or [] if "toolSpec" in tool]
    if not specs:
        raise invalid("The toolConfig.tools field must contain at least one toolSpec.")
    for at, spec in enumerate(specs):
        where = f"toolConfig.tools.{at}.toolSpec"
        if spec.get("inputSchema", {}).get("json", {}).get("type") != "object":
            raise invalid(f"The value at {where}.inputSchema.json.type must be one of the following: object.")
        if not spec.get("description", "-").strip():
            raise invalid(f"The value at {where}.description is blank.")


def _check_inference(config: dict[str, Any]) -> None:
    if config.get("maxTokens", 1) < 1:
        raise invalid("Value at 'inferenceConfig.maxTokens' must have value greater than or equal to 1")
    if not 0 <= config.get("temperature", 0) <= 1:
        raise invalid("Value at 'inferenceConfig.temperature' must have value less than or equal to 1")
