"""What is turned down or asked back by the words alone, whatever tool the model chose."""

from __future__ import annotations

import calendar
import re
from typing import Final

from agent.local.heard import Heard, Say

_OTHERS: Final = re.compile(
    r"\b(?:users?|customers?|clients?|accounts?) (?:no\.? ?|number |id )?#?\d+\b|"
    r"\b(?:an)?other (?:user|customer|client)s?\b|\b(?:someone|somebody|everybody|everyone) else\b|"
    r"\b(?:other people|people like me|most people|my neighbou?rs?)\b|"
    r"\b(?:average|typical|normal) (?:person|family|household|user|customer)s?\b",
    re.I,
)
_NEGATIVE: Final = re.compile(r"(?:\b(?:minus|negative)\s+|(?<![\w.,-])[-−]\s?)[$€£¥]?\s?\d", re.I)
_BELOW_ZERO: Final = frozenset(
    {"set_budget", "move_money", "set_goal", "simulate_what_if", "transfer_between_accounts"}
)
_ADVICE: Final = re.compile(
    r"\b(?:invest\w*|bitcoin|crypto\w*|stocks?|shares|bonds|etfs?|(?:index|mutual) funds?|tax(?:es)?|deduct\w*|"
    r"mortgages?|loans?|insurance|lawyers?|legal\w*|su(?:e|ing))\b",
    re.I,
)
_MONTHS: Final = {name.lower(): number for number, name in enumerate(calendar.month_name) if name}
_NAMES: Final = "|".join(_MONTHS)
_DAY: Final = re.compile(
    rf"\b(?P<month>{_NAMES})\s+(?P<day>3[01]|29|30)(?:st|th)?\b(?![.,]?\d)|"
    rf"\b(?P<day_of>3[01])(?:st|th)?\s+(?:of\s+)?(?P<of>{_NAMES})\b",
    re.I,
)


def others(heard: Heard) -> Say | None:
    """Who asks for another person's figures, or for what people spend, is told whose data there is."""
    if not _OTHERS.search(heard.text):
        return None
    return Say("I only see your own accounts, budgets and transactions: I cannot tell what other people have or spend.")


def below_zero(tool: str, heard: Heard) -> Say | None:
    """An amount below zero is asked about: its sign is not taken away."""
    if tool not in _BELOW_ZERO or not _NEGATIVE.search(heard.text):
        return None
    return Say("I cannot do that with an amount below zero. Which amount, from zero up, do you mean?")


def no_such_day(heard: Heard) -> Say | None:
    """A day that the calendar does not have: "November 31"."""
    for found in _DAY.finditer(heard.text):
        name, day = found["month"] or found["of"], int(found["day"] or found["day_of"])
        days = 29 if name.lower() == "february" else calendar.monthrange(2001, _MONTHS[name.lower()])[1]
        if day > days:
            return Say(f"{name.capitalize()} has {days} days at most. Which day do you mean?")
    return None


def advice(heard: Heard) -> Say | None:
    """What an adviser is for; only when no tool fits."""
    if not _ADVICE.search(heard.text):
        return None
    return Say(
        "I give no investment, tax or legal advice; an adviser can. I can show what you spend, what is left and what "
        "you have saved."
    )
