"""Proposals in a chat: their exact difference as text, and the data that a button carries."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from channels.channel import MARK_LENGTH, Shown
from domain.money import Money

Verdict = Literal["confirm", "reject"]

_LETTERS: dict[Verdict, str] = {"confirm": "c", "reject": "r"}


def lines(one: Shown, locale: str) -> list[str]:
    """A line for each value that would change: "Dining budget, November 2026: amount $380.00 → $250.00"; then what of
    it the user did not say."""
    changes = [
        f"{entry['what']}: {entry['field']} {value(entry['before'], locale)} → {value(entry['after'], locale)}"
        for entry in one.proposal["diff"]
    ]
    return [*changes, one.proposal["notice"]] if one.proposal.get("notice") else changes


def value(of: Any, locale: str) -> str:
    """A value of a diff as people of that locale read it."""
    if of is None:
        return "–"
    if isinstance(of, dict) and {"minor", "currency"} <= of.keys():
        return Money(of["minor"], of["currency"]).format(locale)
    return str(of)


def open_(one: Shown) -> bool:
    """Whether it waits for a decision."""
    return bool(one.proposal["status"] == "pending")


def button(one: Shown, verdict: Verdict) -> str:
    """What a button carries, 51 signs: the verdict, the proposal, and the beginning of its hash."""
    return f"{_LETTERS[verdict]}:{UUID(one.proposal['id']).hex}:{one.proposal['hash'][:MARK_LENGTH]}"


def pressed(data: str) -> tuple[Verdict, UUID, str] | None:
    """The inverse of `button`; None for anything else."""
    letter, _, rest = data.partition(":")
    name, _, mark = rest.partition(":")
    verdict = next((verdict for verdict, own in _LETTERS.items() if own == letter), None)
    if verdict is None or len(mark) != MARK_LENGTH or not mark.isalnum():
        return None
    try:
        return verdict, UUID(hex=name), mark
    except ValueError:
        return None
