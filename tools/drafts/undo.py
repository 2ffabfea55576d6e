"""Drafts that undo: a journal entry's changes turned round, if every row still is as the entry left it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from db.engine import Transaction
from domain.errors import Conflict, NotFound
from ledger import changes, journal
from ledger.changes import Change
from ledger.imports import batches
from ledger.journal import Entry
from ledger.rows import Row
from tools.drafts.draft import Draft, Intent


class NotUndoable(Conflict):
    """The change was undone before, or a later one stands on it; the message says which."""

    code = "not_undoable"


def undoing(journal_id: UUID) -> Intent:
    """To have everything that the journal entry changed as it was before."""
    return Intent("undo", {"journal": str(journal_id)})


async def last_standing(tx: Transaction) -> UUID:
    """The latest change that holds: not undone, or undone and applied again. Raises NotFound when there is none."""
    found: UUID | None = await tx.pg.fetchval(
        """
        WITH RECURSIVE entry AS (
            SELECT id, at, true AS applies FROM journal WHERE user_id = $1 AND undoes IS NULL
            UNION ALL
            SELECT j.id, j.at, NOT e.applies FROM journal j JOIN entry e ON j.undoes = e.id WHERE j.user_id = $1)
        SELECT id FROM entry e
         WHERE applies AND NOT EXISTS (SELECT FROM journal u WHERE u.user_id = $1 AND u.undoes = e.id)
         ORDER BY at DESC, id DESC LIMIT 1
        """,
        tx.user,
    )
    if found is None:
        raise NotFound("There is no change to undo.")
    return found


async def undo(tx: Transaction, args: Mapping[str, Any]) -> Draft:
    """The draft of `undoing`. Raises NotFound, and NotUndoable for what was undone before or changed later."""
    entry = await journal.get(tx, UUID(args["journal"]))
    what, applies = await _meaning(tx, entry)
    if entry.undone_by:
        raise NotUndoable(f"“{what}” was {'undone' if applies else 'applied again'} before.")
    there = []
    for change in entry.changes:
        now = await changes.current(tx, change)
        if _values(now) != _values(change.after):
            raise await _overtaken(tx, entry, change, what)
        if change.table == "import_batch" and not await batches.follows(tx, change.key, change.after, change.before):
            raise NotUndoable(f"“{what}” cannot be {'undone' if applies else 'applied again'}: {batches.CHANGED}")
        there.append(replace(change, after=now))
    return Draft(f"{'Undo' if applies else 'Apply again'} “{what}”.", changes.inverse(there), undoes=entry.id)


async def _meaning(tx: Transaction, entry: Entry) -> tuple[str, bool]:
    """What was asked for at the root of the entry, and whether the entry applies it (True) or takes it back."""
    applies = True
    while entry.undoes:
        entry, applies = await journal.get(tx, entry.undoes), not applies
    return entry.text.removesuffix("."), applies


def _values(row: Row | None) -> dict[str, object] | None:
    """The row without its version, which rises with every write, an undone one too."""
    return None if row is None else {name: value for name, value in row.items() if name != "version"}


async def _overtaken(tx: Transaction, entry: Entry, change: Change, what: str) -> NotUndoable:
    later: str | None = await tx.pg.fetchval(
        """
        SELECT text FROM journal
         WHERE user_id = $1 AND id <> $2 AND at >= $3
           AND EXISTS (SELECT FROM jsonb_array_elements(changes) c WHERE c ->> 'table' = $4 AND c -> 'key' = $5)
         ORDER BY at DESC, id DESC LIMIT 1
        """,
        tx.user,
        entry.id,
        entry.at,
        change.table,
        dict(change.key),
    )
    if later is None:
        return NotUndoable(f"“{what}” cannot be undone any more: what it changed has been changed since.")
    return NotUndoable(
        f"“{what}” cannot be undone while a later change of the same thing stands:"
        f" “{later.removesuffix('.')}”. Undo that one first."
    )
