"""The routing prompt: a constant beginning, the same for every user and day, and then the message.

What it says of each tool stands in prompts/routing; the examples are here. The process keeps the constant beginning's
state (docs/local-model.md), so only the last message is ever read anew.
Periods and names stay in the user's words: the tools resolve them, so the prompt needs neither the date nor the
user's categories.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prompts import library

Role = dict[str, str]
"""A chat message as the runtime takes it: `{"role", "content"}`."""

EARLIER_MESSAGES = 6
EARLIER_CHARACTERS = 240
MESSAGE_CHARACTERS = 800

_SPENT = (("User", "how much did travel cost me in May?"), ("App", "You spent $90.00 on Travel in May 2026."))
_SHOWN = (
    ("User", "what was my latest purchase?"),
    ("App", "Your latest transaction: #71, May 3, Lyft, Uncategorized, $12.00"),
)
_SET = (("User", "make my rent budget 900"), ("App", "Rent for November 2026: $850.00 to $900.00. Confirm?"))

_SHOTS: tuple[tuple[tuple[tuple[str, str], ...], str, str, dict[str, Any]], ...] = (
    (
        (),
        "how much went to dining in August?",
        "get_spending",
        {"by": "category", "category": "dining", "period": "August"},
    ),
    ((), "hello there", "none", {}),
    ((), "make my rent budget 900", "set_budget", {"category": "rent", "amount": 900}),
    ((), "what did I get at Costco in May?", "list_transactions", {"merchant": "Costco", "period": "May"}),
    (
        (),
        "paid 7.25 at Blue Bottle this morning",
        "add_transaction",
        {"amount": 7.25, "merchant": "Blue Bottle", "date": "this morning"},
    ),
    (
        (),
        "transfer 20 from shopping to dining",
        "move_money",
        {"from_category": "shopping", "to_category": "dining", "amount": 20},
    ),
    ((), "how much of my travel budget is left?", "get_budget_status", {"month": "this month", "category": "travel"}),
    ((), "am I doing ok?", "get_budget_status", {"month": "this month"}),
    ((), "tell me a joke", "none", {}),
    ((), "June vs July?", "compare_periods", {"period_a": "June", "period_b": "July"}),
    ((), "purchase 71 belongs in travel", "categorize_transaction", {"transaction": "71", "category": "travel"}),
    ((), "where do I shop the most?", "get_spending", {"by": "merchant"}),
    ((), "could I buy a bike for 350?", "simulate_what_if", {"change": "purchase", "amount": 350}),
    ((), "what can I spend until friday?", "get_safe_to_spend", {"date": "friday"}),
    ((), "did anything odd happen in May?", "find_anomalies", {"period": "May"}),
    ((), "where will dining end up this month?", "get_forecast", {"month": "this month", "category": "dining"}),
    ((), "how much is in my accounts?", "list_accounts", {}),
    ((), "put aside 900 for a laptop by May", "set_goal", {"name": "laptop", "amount": 900, "date": "May"}),
    ((), "wire 300 to my sister", "none", {}),
    (_SPENT, "and health?", "get_spending", {"by": "category", "category": "health", "period": "May 2026"}),
    (_SET, "no, 950", "set_budget", {"category": "rent", "amount": 950}),
    (_SHOWN, "this belongs to travel", "categorize_transaction", {"transaction": "71", "category": "travel"}),
    (_SET, "cancel that change", "undo_change", {}),
)


@dataclass(frozen=True, slots=True)
class Said:
    """A message of the conversation: `who` is "User" or "App"."""

    who: str
    text: str


def _last(earlier: Sequence[Said], text: str) -> str:
    lines = ["Earlier:"] if earlier else []
    lines += [f"{said.who}: {_short(said.text, EARLIER_CHARACTERS)}" for said in earlier[-EARLIER_MESSAGES:]]
    return "\n".join([*lines, f"Message: {_short(text, MESSAGE_CHARACTERS)}"])


def _short(text: str, limit: int) -> str:
    """On one line, a table's rows as lists, cut in the middle: a message's end matters as much as its beginning."""
    rows = (re.sub(r"\s*\|\s*", ", ", row.strip().strip("|").strip()) for row in text.splitlines())
    line = " ".join(" ".join(row for row in rows if not re.fullmatch(r"[-:, ]*", row)).split())
    return line if len(line) <= limit else f"{line[: limit // 2]} … {line[-limit // 2 :]}"


def call(tool: str, args: Mapping[str, Any]) -> str:
    """A call as the model writes it: without spaces and with the tool for a key, as every token costs 50 ms."""
    return json.dumps({tool: args}, separators=(",", ":"))


def prefix(routing: str | None = None) -> list[Role]:
    """The constant messages that every prompt begins with; `routing` is another text than prompts/routing has."""
    roles = [{"role": "system", "content": routing or library.load_routing().text}]
    for earlier, text, tool, args in _SHOTS:
        roles.append({"role": "user", "content": _last([Said(*line) for line in earlier], text)})
        roles.append({"role": "assistant", "content": call(tool, args)})
    return roles


def messages(earlier: Sequence[Said], text: str, routing: str | None = None) -> list[Role]:
    """The whole prompt for the user's message `text`; `earlier` is what was said before it, oldest first."""
    return [*prefix(routing), {"role": "user", "content": _last(earlier, text)}]
