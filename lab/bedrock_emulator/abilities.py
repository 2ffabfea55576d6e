"""What Bedrock takes of one model and refuses of another: tools, system prompts, history, streams, thinking."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Any

from agent.capabilities import UNKNOWN, Capabilities
from lab.bedrock_emulator.cache import lifetimes, points
from lab.bedrock_emulator.refusals import ApiError, invalid

_KEY = b"the emulator signs what it thinks"
_NO_CACHING = "You invoked an unsupported model or your request did not allow prompt caching."
_EXPECTED = (
    "messages.{at}.content.0.type: Expected `thinking` or `redacted_thinking`, but found `{found}`. When `thinking` is "
    "enabled, a final `assistant` message must start with a thinking block (preceding the lastmost set of `tool_use` "
    "and `tool_result` blocks)."
)


def signature(text: str) -> str:
    """What a thought is signed with; it has to come back with the very same text."""
    return base64.b64encode(hmac.new(_KEY, text.encode(), hashlib.sha256).digest()).decode()


def check(asked: Mapping[str, Any], known: Capabilities, *, streams: bool) -> None:
    """Raises ApiError for what the model cannot do. A model that the table does not know is held to little."""
    if known is UNKNOWN:
        return
    messages: Sequence[Mapping[str, Any]] = asked["messages"]
    if streams and not known.streaming:
        raise invalid("The model is unsupported for streaming")
    if asked.get("system") and not known.system:
        raise invalid(
            "This model doesn't support system messages. "
            "Try again without a system message or use a model that supports system messages."
        )
    if len(messages) > 1 and not known.chat:
        raise invalid(
            "This model doesn't support conversation history. Try again with input that only has one message."
        )
    if asked.get("toolConfig") and not known.tools:
        raise invalid("This model doesn't support tool use.")
    if (asked.get("inferenceConfig") or {}).get("maxTokens", 1) > known.output:
        raise invalid(f"The maximum tokens you requested exceeds the model limit of {known.output}.")
    _check_points(asked, known)
    _check_thinking(asked, known)
    _check_guard(asked)


def _check_points(asked: Mapping[str, Any], known: Capabilities) -> None:
    found = points(asked)
    if not found:
        return
    if known.caching is None:
        raise ApiError("AccessDeniedException", _NO_CACHING)
    if len(found) > known.caching.points:
        raise invalid(
            f"A maximum of {known.caching.points} blocks with cache_control may be provided. Found {len(found)}."
        )
    asked_for = lifetimes(asked)
    if "1h" in asked_for and not known.caching.hour:
        raise invalid("This model does not support the ttl 1h for cachePoint blocks.")
    if asked_for != sorted(asked_for):
        raise invalid("A ttl='1h' cachePoint block must not come after a ttl='5m' cachePoint block.")
    if not known.caching.tools:
        after_results = [
            at for at, m in enumerate(asked["messages"])
            if f"messages.{at}" in found and any("toolResult" in b or "toolUse" in b for b in m["content"])
        ]  # fmt: skip
        if "tools" in found or after_results:
            raise invalid("Malformed input request: extraneous key [cachePoint] is not permitted, please reformat.")


def _check_thinking(asked: Mapping[str, Any], known: Capabilities) -> None:
    fields = asked.get("additionalModelRequestFields") or {}
    thinking = fields.get("thinking") or {}
    if (thinking or "reasoningConfig" in fields) and known.thinking is None:
        raise invalid("thinking: Extra inputs are not permitted")
    if thinking.get("type") == "enabled" and known.thinking == "effort":
        raise invalid('"thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive".')
    for at, message in enumerate(asked["messages"]):
        for number, block in enumerate(message["content"]):
            if "reasoningContent" in block:
                _check_thought(f"messages.{at}.content.{number}", block["reasoningContent"], known)
    if thinking.get("type") != "enabled":
        return
    inference = asked.get("inferenceConfig") or {}
    if inference.get("temperature", 1) != 1:
        raise invalid("`temperature` may only be set to 1 when thinking is enabled.")
    if inference.get("maxTokens", 0) <= thinking["budget_tokens"] or thinking["budget_tokens"] < 1024:
        raise invalid("`max_tokens` must be greater than `thinking.budget_tokens`, which must be at least 1024.")
    messages = asked["messages"]
    if len(messages) > 1 and any("toolResult" in block for block in messages[-1]["content"]):
        first = messages[-2]["content"][0]
        if "reasoningContent" not in first:
            raise invalid(_EXPECTED.format(at=len(messages) - 2, found="tool_use" if "toolUse" in first else "text"))


def _check_thought(where: str, thought: Mapping[str, Any], known: Capabilities) -> None:
    if known.thinking is None:
        raise invalid(f"{where}: This model doesn't support reasoning content.")
    if "redactedContent" in thought:
        try:
            base64.b64decode(thought["redactedContent"], validate=True).decode()
        except ValueError:
            raise invalid(f"{where}: Invalid `data` in `redacted_thinking` block") from None
        return
    text = thought["reasoningText"]
    if text.get("signature") != signature(text["text"]):
        raise invalid(f"{where}: Invalid `signature` in `thinking` block")


def _check_guard(asked: Mapping[str, Any]) -> None:
    config = asked.get("guardrailConfig")
    judged = any("guardContent" in block for m in asked["messages"] for block in m["content"])
    if judged and not config:
        raise invalid("A guardrail configuration is needed when guardContent blocks are given.")
    if config and not (config.get("guardrailIdentifier") and config.get("guardrailVersion")):
        raise invalid("The guardrail identifier and version must both be given.")
