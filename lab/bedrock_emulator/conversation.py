"""The answers a developer gets without a script: a small budget conversation that calls tools, else a paced echo."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from lab.bedrock_emulator.script import Responder, ToolUse, Turn

_SET = re.compile(r"\bset (?:my |the )?(?P<category>[\w ]+?)(?: budget)? to \D{0,2}(?P<amount>\d+(?:\.\d+)?)", re.I)
_SPENT = re.compile(r"\b(?:spend|spent|spending)\b(?:.*?\bon (?P<category>\w+))?", re.I)
_PERIOD = re.compile(r"\b(?:last|this) (?:week|month|year)\b", re.I)
_BUDGET = re.compile(r"\bbudgets?\b", re.I)
_UNDO = re.compile(r"\bundo\b", re.I)


def conversation(token_delay: float = 0.02) -> Responder:
    """A responder that paces its words `token_delay` seconds apart."""

    def respond(asked: Mapping[str, Any]) -> Turn:
        blocks = asked["messages"][-1]["content"]
        results = [block["toolResult"] for block in blocks if "toolResult" in block]
        if results:
            return Turn(" ".join(_said(result) for result in results), token_delay=token_delay)
        text = " ".join(block["text"] for block in blocks if "text" in block)
        offered = {t["toolSpec"]["name"] for t in (asked.get("toolConfig") or {}).get("tools", ()) if "toolSpec" in t}
        call = _call_for(text)
        if call is not None and call.name in offered:
            return Turn("Let me look.", (call,), token_delay=token_delay)
        return Turn(f"You said: {text}", token_delay=token_delay)

    return respond


def _call_for(text: str) -> ToolUse | None:
    if _UNDO.search(text):
        return ToolUse("undo_change", {})
    if match := _SET.search(text):
        return ToolUse("set_budget", {"category": match["category"].strip(), "amount": float(match["amount"])})
    if match := _SPENT.search(text):
        period = _PERIOD.search(text)
        wanted = {"by": "category", "period": period[0] if period else None, "category": match["category"]}
        return ToolUse("get_spending", {name: value for name, value in wanted.items() if value})
    return ToolUse("get_budget_status", {}) if _BUDGET.search(text) else None


def _said(result: Mapping[str, Any]) -> str:
    """The summary in a tool's result, whether it came as JSON or as text."""
    for block in result["content"]:
        data = block.get("json")
        if data is None:
            try:
                data = json.loads(block.get("text", ""))
            except ValueError:
                return str(block.get("text", ""))
        if isinstance(data, dict) and data.get("summary"):
            return str(data["summary"])
    return "The tool gave no summary."
