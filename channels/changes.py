"""A proposed change in the words of a chat: what code says of it in English, said in the chat's language.

English is stored with the proposal and shown as it is. For other languages the few forms that tools.drafts.diff writes
are read again here; what is none of them stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final

from channels.texts import Texts
from domain.money import Money

SHOWN: Final = 3
"""Lines of what a decided change was."""

_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAY: Final = r"(?P<day>[A-Z][a-z]+\.? \d{1,2}, \d{4}|\d{1,2} [A-Z][a-z]+\.?,? \d{4}|\d{4}-\d\d-\d\d)"
"""As English writes it here or there."""

_WHAT: Final = (
    ("budget", re.compile(r"(?P<name>.+) budget, (?P<month>\w+ \d{4})")),
    ("transaction", re.compile(r"Transaction (?P<number>\d+): (?P<name>.*), " + _DAY)),
    ("new_transaction", re.compile(r"New transaction: (?P<name>.*), " + _DAY)),
    ("held", re.compile(r"Held for the month after (?P<month>\w+ \d{4})")),
    ("rate", re.compile(r"(?P<name>[A-Z]{3}) to (?P<other>[A-Z]{3}) rate, " + _DAY)),
    ("rule", re.compile(r"Rule for (?P<name>.+)")),
    ("goal", re.compile(r"Goal (?P<name>.+)")),
    ("category", re.compile(r"Category (?P<name>.+)")),
    ("account", re.compile(r"Account (?P<name>.+)")),
    ("import", re.compile(r"Import of (?P<name>.+) into (?P<other>.+)")),
    ("preferences", re.compile(r"Your preferences")),
    ("facts", re.compile(r"What I remember about you")),
)


def heading(proposal: Mapping[str, Any], say: Texts) -> str:
    """What is proposed, in a sentence or a few words."""
    if say.language == "en":
        return str(proposal["text"])
    return say.get("kinds", proposal["kind"]) or str(proposal["text"])


def lines(proposal: Mapping[str, Any], say: Texts) -> list[str]:
    """A line for each value that would change: "Dining budget, November 2026: amount $380.00 → $250.00"; then what of
    it the user did not say."""
    told = [
        f"{_what(entry['what'], say)}: {_field(entry['field'], say)} "
        f"{value(entry['before'], say)} → {value(entry['after'], say)}"
        for entry in proposal["diff"]
    ]
    if not proposal.get("notice"):
        return told
    unsaid = proposal.get("unsaid")
    if say.language == "en" or not unsaid:
        return [*told, proposal["notice"]]
    named = dict.fromkeys(f"{_field(one['field'].replace('_', ' '), say)} {one['value']}" for one in unsaid)
    return [*told, say.say("proposals.unsaid", named=", ".join(named))]


def fitted(proposal: Mapping[str, Any], say: Texts, room: int, escape: Callable[[str], str] = str) -> str:
    """The lines one below the other, each whole and as the dialect's `escape` makes it, in at most `room` characters.
    Changes that find no room are counted; what the user did not say is always told."""
    told = [escape(line) for line in lines(proposal, say)]
    if len("\n".join(told)) <= room:
        return "\n".join(told)
    changes, unsaid = told[: len(proposal["diff"])], told[len(proposal["diff"]) :]
    kept: list[str] = []
    for at, line in enumerate(changes):
        rest = [escape(say.say("notices.more", count=str(len(changes) - at))), *unsaid]
        if len("\n".join([*kept, line, *rest])) > room:
            return "\n".join([*kept, *rest])
        kept.append(line)
    return "\n".join([*kept, *unsaid])


def outcome(proposal: Mapping[str, Any], say: Texts) -> str:
    """What became of it and what it was, as markdown."""
    head = f"**{say.status(proposal)}:** {heading(proposal, say)}"
    if say.language == "en":
        return head
    return "\n".join([head, *(f"- {line}" for line in lines({**proposal, "notice": None}, say)[:SHOWN])])


def value(of: Any, say: Texts) -> str:
    """A value of a diff as people of that locale read it."""
    if of is None:
        return "–"
    if isinstance(of, dict) and {"minor", "currency"} <= of.keys():
        return Money(of["minor"], of["currency"]).format(say.locale)
    return say.get("values", str(of).replace(" ", "_")) or str(of)


def _field(name: str, say: Texts) -> str:
    return name if say.language == "en" else say.get("fields", name.replace(" ", "_")) or name


def _what(text: str, say: Texts) -> str:
    if say.language == "en":
        return text
    for key, pattern in _WHAT:
        if found := pattern.fullmatch(text):
            named = found.groupdict()
            if "month" in named:
                month = _date(named["month"], 1)
                named["month"] = say.month(month) if month else named["month"]
            if "day" in named:
                day = _date(named["day"])
                named["day"] = say.full_day(day) if day else named["day"]
            return say.say(f"what.{key}", **named)
    return text


def _date(text: str, day: int | None = None) -> date | None:
    """The day that English text names with its month in words."""
    month = next((n for n, name in enumerate(_MONTHS, 1) if re.search(rf"\b{name}", text, re.I)), None)
    year = re.search(r"\b\d{4}\b", text)
    of_month = day or next((int(n) for n in re.findall(r"\b\d{1,2}\b", text)), None)
    try:
        return date(int(year[0]), month, of_month) if year and month and of_month else None
    except ValueError:
        return None
