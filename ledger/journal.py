"""The journal: every change that was applied, who approved it and what it came from, and what it undid."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from asyncpg import Record

from db.engine import Transaction
from db.sealing.places import JOURNAL_TEXT, MESSAGE_TEXT
from db.sealing.ring import Ring
from domain.errors import NotFound
from domain.ids import new_id
from ledger.changes import Change


@dataclass(frozen=True, slots=True)
class Entry:
    """One applied change set. `approval` says how the user agreed (over which channel); `message_id` and `message` are
    what they had asked, when it came from a conversation. `undoes` and `undone_by` are ids of other entries."""

    id: UUID
    user: UUID
    at: datetime
    kind: str
    text: str
    changes: tuple[Change, ...]
    approval: str
    proposal_id: UUID | None
    session_id: UUID | None
    run_id: UUID | None
    message_id: UUID | None
    message: str | None
    prompt_version: str
    undoes: UUID | None
    undone_by: UUID | None

    def json(self) -> dict[str, Any]:
        """Who, when, message, prompt version, approval, and rows before and after, as `GET /v1/journal` shows them."""
        return {
            "id": str(self.id),
            "who": str(self.user),
            "at": self.at.isoformat(),
            "kind": self.kind,
            "text": self.text,
            "message": None if self.message_id is None else {"id": str(self.message_id), "text": self.message},
            "prompt_version": self.prompt_version,
            "approval": self.approval,
            "changes": [change.json() for change in self.changes],
            "proposal_id": _text(self.proposal_id),
            "session_id": _text(self.session_id),
            "run_id": _text(self.run_id),
            "undoes": _text(self.undoes),
            "undone_by": _text(self.undone_by),
        }


_READ = """
    SELECT j.id, j.user_id, j.at, j.kind, j.text, j.changes::text AS changes, j.approval, j.proposal_id, j.session_id,
           j.run_id, j.message_id, m.text AS message, j.prompt_version, j.undoes, u.id AS undone_by
      FROM journal j
      LEFT JOIN journal u ON u.user_id = $1 AND u.undoes = j.id
      LEFT JOIN message m ON m.user_id = $1 AND m.id = j.message_id
     WHERE j.user_id = $1
"""


async def append(
    tx: Transaction,
    *,
    kind: str,
    text: str,
    changes: Sequence[Change],
    approval: str,
    proposal_id: UUID | None = None,
    session_id: UUID | None = None,
    run_id: UUID | None = None,
    message_id: UUID | None = None,
    prompt_version: str = "",
    undoes: UUID | None = None,
) -> UUID:
    """Writes down what `ledger.changes.apply` returned, in the same transaction, and gives the entry's id.

    An entry can be undone once: a second one that undoes it violates the index `journal_undone_once`.
    """
    entry = new_id()
    await tx.pg.execute(
        """
        INSERT INTO journal (user_id, id, kind, text, changes, approval, proposal_id, session_id, run_id, message_id,
                             prompt_version, undoes)
        VALUES ($1, $2, $3, $4, $5::text::jsonb, $6, $7, $8, $9, $10, $11, $12)
        """,
        tx.user,
        entry,
        kind,
        tx.ring.seal(JOURNAL_TEXT, entry, text),
        json.dumps(tx.ring.seal_rows([change.json() for change in changes])),
        approval,
        proposal_id,
        session_id,
        run_id,
        message_id,
        prompt_version,
        undoes,
    )
    return entry


async def list_(
    tx: Transaction, limit: int = 50, after: tuple[datetime, UUID] | None = None
) -> tuple[tuple[Entry, ...], tuple[datetime, UUID] | None]:
    """The entries, newest first, and where to go on after the last of them, None when there are no more."""
    params: list[object] = [tx.user, limit + 1]
    older = ""
    if after is not None:
        params += after
        older = "AND (j.at, j.id) < ($3, $4)"
    rows = await tx.pg.fetch(f"{_READ} {older} ORDER BY j.at DESC, j.id DESC LIMIT $2", *params)
    entries = tuple(_entry(tx.ring, row) for row in rows[:limit])
    return entries, (entries[-1].at, entries[-1].id) if entries and len(rows) > limit else None


async def get(tx: Transaction, entry: UUID) -> Entry:
    """The entry with this id. Raises NotFound."""
    row = await tx.pg.fetchrow(f"{_READ} AND j.id = $2", tx.user, entry)
    if row is None:
        raise NotFound("There is no such change in your history.")
    return _entry(tx.ring, row)


def _entry(ring: Ring, row: Record) -> Entry:
    return Entry(
        id=row["id"],
        user=row["user_id"],
        at=row["at"],
        kind=row["kind"],
        text=ring.open(JOURNAL_TEXT, row["id"], row["text"]),
        changes=tuple(Change.parse(change) for change in ring.open_rows(json.loads(row["changes"]))),
        approval=row["approval"],
        proposal_id=row["proposal_id"],
        session_id=row["session_id"],
        run_id=row["run_id"],
        message_id=row["message_id"],
        message=ring.open(MESSAGE_TEXT, row["message_id"], row["message"]) if row["message"] is not None else None,
        prompt_version=row["prompt_version"],
        undoes=row["undoes"],
        undone_by=row["undone_by"],
    )


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)
