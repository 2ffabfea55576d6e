"""Proposals in a chat: whether they wait, and the data that a button carries (what they say: channels.changes)."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from channels.channel import MARK_LENGTH, Shown

Verdict = Literal["confirm", "reject"]

_LETTERS: dict[Verdict, str] = {"confirm": "c", "reject": "r"}


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
