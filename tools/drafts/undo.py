"""Drafts that undo: a journal entry's changes turned round.

That is well defined out of order too, as long as what the entry changed still is as it left it: a row that it made is
unchanged and in no other use, a row that it deleted is not there, and in a row that it altered the columns that it
altered are unchanged, whatever became of the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from db.engine import Transaction
from db.sealing.places import JOURNAL_TEXT
from domain.errors import Conflict, NotFound
from ledger import changes, journal
from ledger.bonds import parts, posting
from ledger.changes import Change
from ledger.imports import batches
from ledger.journal import Entry
from ledger.rows import TABLES, Row
from tools.drafts.draft import Draft, Intent
from tools.wording import counted

_OF_ALL_PARTS = frozenset({"day", "merchant", "account_id", "pending"})


class NotUndoable(Conflict):
    """The change was undone before, or a later one stands on it; the message says which."""

    code = "not_undoable"


def undoing(journal_id: UUID) -> Intent:
    """To have everything that the journal entry changed as it was before."""
    return Intent("undo", {"journal": str(journal_id)})


async def last_standing(tx: Transaction) -> UUID:
    """The latest change that holds: not undone, or undone and applied again. Rates that an app has sent are passed
    over, as nobody means them by "the last one". Raises NotFound when there is none."""
    found: UUID | None = await tx.pg.fetchval(
        """
        WITH RECURSIVE entry AS (
            SELECT id, at, true AS applies FROM journal
             WHERE user_id = $1 AND undoes IS NULL AND NOT (kind = 'set_rate' AND approval = 'http'
                                                            AND proposal_id IS NULL)
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
        altered = _altered(change)
        if (now is None) != (change.after is None) or _values(now, altered) != _values(change.after, altered):
            raise await _overtaken(tx, entry, change, what)
        if change.table == "import_batch" and not await batches.follows(tx, change.key, change.after, change.before):
            raise NotUndoable(f"“{what}” cannot be {'undone' if applies else 'applied again'}: {batches.CHANGED}")
        if change.before is None:
            await _check_unused(tx, entry, change, what)
        elif now and change.table == "txn" and altered & _OF_ALL_PARTS and await _split_since(tx, entry, change):
            raise await _overtaken(tx, entry, change, what)
        before = {**now, **{n: change.before[n] for n in altered}} if now and change.before else change.before
        there.append(replace(change, before=before, after=now))
    return Draft(f"{'Undo' if applies else 'Apply again'} “{what}”.", changes.inverse(there), undoes=entry.id)


async def _meaning(tx: Transaction, entry: Entry) -> tuple[str, bool]:
    """What was asked for at the root of the entry, and whether the entry applies it (True) or takes it back."""
    applies = True
    while entry.undoes:
        entry, applies = await journal.get(tx, entry.undoes), not applies
    return entry.text.removesuffix("."), applies


def _altered(change: Change) -> frozenset[str]:
    """The columns that the change is about: all of a row that was made or deleted. Not its version, which rises with
    every write, an undone one too."""
    row = change.before or change.after or {}
    if change.before is None or change.after is None:
        return frozenset(row) - {"version"}
    return frozenset(n for n in row if change.before[n] != change.after[n]) - {"version"}


def _values(row: Row | None, columns: frozenset[str]) -> dict[str, object]:
    return {name: row[name] for name in columns} if row else {}


async def _check_unused(tx: Transaction, entry: Entry, made: Change, what: str) -> None:
    """Raises NotUndoable when rows that the entry did not make itself refer to one that it made."""
    own = [UUID(str(change.key["id"])) for change in entry.changes if "id" in change.key]
    for table, column in TABLES[made.table].referred_by:
        others = "AND id <> ALL ($3)" if "id" in TABLES[table].key else "AND $3::uuid[] IS NOT NULL"
        used = await tx.pg.fetchval(
            f"SELECT count(*) FROM {table} WHERE user_id = $1 AND {column} = $2 {others}",  # noqa: S608
            tx.user,
            UUID(str(made.key["id"])),
            own,
        )
        if used:
            raise NotUndoable(
                f"“{what}” cannot be undone while it is in use: {counted(used, changes.NAMES[table])} would be lost."
            )


async def _split_since(tx: Transaction, entry: Entry, change: Change) -> bool:
    """Whether the transaction now has parts that the entry knows nothing of, which have the same day and account."""
    known = {str(other.key.get("id")) for other in entry.changes}
    return any(str(key["id"]) not in known for key, _ in await parts(tx, await posting(tx, str(change.key["id"]))))


async def _overtaken(tx: Transaction, entry: Entry, change: Change, what: str) -> NotUndoable:
    row = await tx.pg.fetchrow(
        """
        SELECT id, text FROM journal
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
    if row is None:
        return NotUndoable(f"“{what}” cannot be undone any more: what it changed has been changed since.")
    later = tx.ring.open(JOURNAL_TEXT, row["id"], row["text"])
    return NotUndoable(
        f"“{what}” cannot be undone while a later change of the same thing stands:"
        f" “{later.removesuffix('.')}”. Undo that one first."
    )
