"""What somebody says to the embedded model's guards, and what the model chose."""

from __future__ import annotations

from datetime import date
from typing import Any

from agent.local.guards import judge
from agent.local.heard import Call, Heard, Say
from agent.local.routing import Said

CATEGORIES = (
    *("Rent", "Utilities", "Groceries", "Dining", "Transport", "Shopping", "Health", "Subscriptions", "Entertainment"),
    *("Travel", "Income", "Transfers"),
)


def heard(text: str, *earlier: tuple[str, str], currency: str = "USD") -> Heard:
    return Heard(text, tuple(Said(*line) for line in earlier), date(2026, 11, 22), CATEGORIES, currency, "en-US")


def judged(text: str, tool: str, args: dict[str, Any], *earlier: tuple[str, str]) -> Call | Say:
    return judge(Call(tool, args), heard(text, *earlier))
