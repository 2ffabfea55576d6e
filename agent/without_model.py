"""An answer without a language model, at the cap of what a day may take: plain rules pick a look-up, and what is said
are the tools' own summaries. Nothing can be proposed this way; what was proposed before can still be confirmed.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any, Final

import orjson
from langchain_core.messages import AIMessageChunk, HumanMessage, ToolMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import tool_call_chunk

from agent.local.heard import Heard, in_words
from agent.model import Abilities, ModelRequest
from memory.usage import Cap

NAME: Final = "none"

_WHOSE: Final = {
    "user_tokens": "your",
    "user_cost": "your",
    "tenant_tokens": "everybody's",
    "tenant_cost": "everybody's",
}

_ASKS: Final[tuple[tuple[str, str], ...]] = (
    (r"\b(?:know|remember) about me\b", "list_facts"),
    (r"\b(?:subscriptions?|recurring|memberships?)\b", "find_recurring"),
    (r"\b(?:unusual|strange|anomal\w+|suspicious|double|twice)\b", "find_anomalies"),
    (r"\bsafe to spend\b|\bcan i (?:still )?(?:spend|afford)\b", "get_safe_to_spend"),
    (r"\b(?:forecast|end of (?:the |this )?month|will i)\b", "get_forecast"),
    (r"\b(?:goals?|saving for)\b", "list_goals"),
    (r"\b(?:changed|changes|history|undone)\b", "get_change_history"),
    (r"\b(?:accounts?|balances?|net worth|how much (?:money )?do i have)\b", "list_accounts"),
    (r"\b(?:transactions?|purchases?|list|what did i (?:buy|get)|bought)\b", "list_transactions"),
    (r"\b(?:spend|spent|spending|cost|costs|went|paid|expenses?)\b", "get_spending"),
)


class WithoutModel:
    """A model that is none; `cap` is why."""

    name = NAME
    abilities = Abilities(prose=False)

    def __init__(self, cap: Cap) -> None:
        self._cap = cap

    async def stream(self, request: ModelRequest) -> AsyncIterator[AIMessageChunk]:
        """The summaries of the results that the turn ends with; else that there is a limit, and a look-up."""
        if results := _results(request):
            yield _last(content="\n\n".join(results))
            return
        told = (
            f"Today's limit for {_WHOSE[self._cap]} use of the language model is reached; "
            "it starts again at midnight UTC. "
        )
        if not request.tools:
            yield _last(content=f"{told}Please ask again then.")
            return
        name, args = look_up(request)
        yield AIMessageChunk(
            content=f"{told}Until then I look things up without it, and cannot propose changes. Here is what I found:"
        )
        yield _last(
            tool_call_chunks=[tool_call_chunk(name=name, args=orjson.dumps(args).decode(), id="look_up_1", index=0)]
        )

    async def close(self) -> None:
        """Nothing is held."""


def look_up(request: ModelRequest) -> tuple[str, dict[str, Any]]:
    """The tool that the person's words ask for, and the category and period in them."""
    asked = next(m for m in reversed(request.turn) if isinstance(m, HumanMessage))
    words = str(asked.text).rpartition("]\n\n")[2]
    at = request.situation
    heard = Heard(words, (), at.today, at.categories, at.currency, at.locale)
    name = next((tool for pattern, tool in _ASKS if re.search(pattern, words, re.I)), "get_budget_status")
    named, period = heard.named(), heard.period()
    said = named[0].said if len(named) == 1 and len(named[0].meant) == 1 else None
    takes = next(tool for tool in request.tools if tool["name"] == name)["input_schema"]["properties"]
    args: dict[str, Any] = {"by": "category"} if name == "get_spending" else {}
    if said and "category" in takes:
        args["category"] = said
    if period is not None:
        for key in ("period", "month"):
            if key in takes:
                args[key] = in_words(period)
    return name, args


def _results(request: ModelRequest) -> list[str]:
    found: list[str] = []
    for message in reversed(request.turn):
        if not isinstance(message, ToolMessage):
            break
        found.insert(0, str(orjson.loads(str(message.text)).get("summary", "")))
    return found


def _last(**parts: Any) -> AIMessageChunk:
    nothing = UsageMetadata(input_tokens=0, output_tokens=0, total_tokens=0)
    about = {"answered_by": NAME}
    return AIMessageChunk(**{"content": "", **parts}, usage_metadata=nothing, response_metadata=about)
