"""How a model is asked to think before it answers, and how long its answer may then be."""

from __future__ import annotations

from typing import Any

from langchain_aws.utils import reasoning_effort_additional_fields, thinking_on_by_default

from agent.capabilities import Capabilities

LEAST = 1_024
"""Tokens: the API takes no smaller budget."""

UNASKED = 4_000
"""Tokens left for the thinking of models that think without being asked."""

_EFFORTS = ((4_000, "low"), (16_000, "medium"))


def think(model: str, known: Capabilities, budget: int) -> dict[str, Any]:
    """The request fields that ask for up to `budget` tokens of thinking; none for 0 or a model that cannot. Models that
    take an effort are told low up to 4,000 tokens, medium up to 16,000, else high."""
    if budget <= 0 or known.thinking is None:
        return {}
    if known.thinking == "budget":
        return {"thinking": {"type": "enabled", "budget_tokens": max(budget, LEAST)}}
    effort = next((word for most, word in _EFFORTS if budget <= most), "high")
    return reasoning_effort_additional_fields(model, effort)


def longest(model: str, known: Capabilities, answer: int, budget: int) -> int:
    """The limit on what the model writes, in tokens: `answer` and what it thinks, as far as the model goes."""
    if known.thinking is None:
        return min(answer, known.output)
    thought = max(budget, LEAST) if budget > 0 else UNASKED if thinking_on_by_default(model) else 0
    return min(answer + thought, known.output)
