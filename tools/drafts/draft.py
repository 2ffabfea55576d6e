"""Intents and drafts: what the user wants changed, and the row changes that would do it now."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from db.engine import Transaction
from ledger.changes import Change


@dataclass(frozen=True, slots=True)
class Intent:
    """A change that the user wants, with names resolved to ids: JSON values only, stored with the proposal so that its
    draft can be made again when the rows have changed."""

    kind: str
    args: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Draft:
    """The rows that carrying out an intent would change now, and one sentence that says so as a request ("Set the
    Dining budget for November 2026 from $300.00 to $250.00.").

    Without changes there is nothing to do, and the sentence says why. `undoes` is the journal entry it reverses.
    """

    text: str
    changes: tuple[Change, ...] = ()
    undoes: UUID | None = None


Builder = Callable[[Transaction, Mapping[str, Any]], Awaitable[Draft]]
"""Makes the draft of an intent's arguments from the rows as they are now. Raises PennyError when it cannot be done."""
