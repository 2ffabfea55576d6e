"""Stored proposals: how one is written, found and shown."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any
from uuid import UUID

import orjson

from db.engine import Database, Transaction
from db.sealing.places import PROPOSAL_CHANGES, PROPOSAL_DIFF, PROPOSAL_TEXT
from db.sealing.ring import Ring
from domain.errors import NotFound
from domain.ids import new_id, parse_id
from tools.drafts.diff import describe
from tools.drafts.draft import Draft, Intent
from tools.tool import Args
from tools.unsaid import Unsaid, notice, unsaid

LIFETIME_HOURS = 24
PAGE_LIMIT = 200

View = dict[str, Any]
"""A proposal as GET /v1/proposals/{id} shows it."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a proposal comes from. `op_key` names the step that made it, so that a repeated step finds it again."""

    op_key: str
    session_id: UUID | None = None
    run_id: UUID | None = None
    call_id: str = ""


@dataclass(frozen=True, slots=True)
class Heard:
    """The call that a proposal is made from, and the user's own words."""

    args: Args
    said: Sequence[str]
    locale: str


def digest(proposal_id: UUID, kind: str, rows: list[dict[str, Any]]) -> str:
    """The hash by which a decision names exactly what it approves: sha256 of canonical JSON of id, kind and rows, the
    rows' versions among them."""
    canonical = orjson.dumps({"id": str(proposal_id), "kind": kind, "rows": rows}, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(canonical).hexdigest()


def opened(ring: Ring, row: Any) -> dict[str, Any]:
    """A row as it was before it was sealed."""
    return dict(row) | {
        "changes": ring.open_json(PROPOSAL_CHANGES, row["id"], row["changes"]),
        "diff": ring.open_json(PROPOSAL_DIFF, row["id"], row["diff"]),
        "text": ring.open(PROPOSAL_TEXT, row["id"], row["text"]),
    }


def view(row: Any) -> View:
    """A row that is open, with `past` (whether its time is over by the database's clock), as clients see it."""
    return {
        "id": str(row["id"]),
        "kind": row["kind"],
        "status": "expired" if row["status"] == "pending" and row["past"] else row["status"],
        "hash": row["hash"],
        "diff": row["diff"],
        "text": row["text"],
        "unsaid": (missing := row["changes"].get("unsaid", [])),
        "notice": notice(missing),
        "created_at": row["created_at"].astimezone(UTC).isoformat(),
        "expires_at": row["expires_at"].astimezone(UTC).isoformat(),
        "session_id": _text(row["session_id"]),
        "run_id": _text(row["run_id"]),
        "journal_id": _text(row["journal_id"]),
        "superseded_by": _text(row["superseded_by"]),
    }


async def insert(
    tx: Transaction, intent: Intent, draft: Draft, origin: Origin, about: Heard | Sequence[Unsaid] = ()
) -> View:
    """Stores a pending proposal; one that the same step stored before is given back as it is. `about` is what it was
    made from, or what was found not to be in the user's words then."""
    proposal_id = new_id()
    rows = [change.json() for change in draft.changes]
    diff = await describe(tx, draft.changes)
    found = unsaid(about.args, about.said, diff, about.locale) if isinstance(about, Heard) else list(about)
    await tx.pg.execute(
        """
        INSERT INTO proposal (user_id, id, kind, changes, diff, text, hash, op_key, undoes, session_id, run_id, call_id,
                              expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12,
                clock_timestamp() + $13::int * interval '1 hour')
        ON CONFLICT (user_id, op_key) DO NOTHING
        """,
        tx.user,
        proposal_id,
        intent.kind,
        tx.ring.seal_json(PROPOSAL_CHANGES, proposal_id, {"args": dict(intent.args), "rows": rows, "unsaid": found}),
        tx.ring.seal_json(PROPOSAL_DIFF, proposal_id, diff),
        tx.ring.seal(PROPOSAL_TEXT, proposal_id, draft.text),
        digest(proposal_id, intent.kind, rows),
        origin.op_key,
        draft.undoes,
        origin.session_id,
        origin.run_id,
        origin.call_id,
        LIFETIME_HOURS,
    )
    stored = await by_op_key(tx, origin.op_key)
    assert stored is not None
    return stored


async def lock_ledger(tx: Transaction) -> None:
    """Lets one transaction at a time decide on, count, or carry out this user's changes; held until it ends."""
    await tx.pg.execute("SELECT FROM app_user WHERE id = $1 FOR NO KEY UPDATE", tx.user)


async def by_op_key(tx: Transaction, op_key: str) -> View | None:
    """The proposal that the step of that key stored, or None."""
    row = await tx.pg.fetchrow(
        """
        SELECT *, expires_at <= clock_timestamp() AS past FROM proposal WHERE user_id = $1 AND op_key = $2
        """,
        tx.user,
        op_key,
    )
    return view(opened(tx.ring, row)) if row else None


async def load(tx: Transaction, proposal_id: UUID) -> Any:
    """The row, open, and `past`: whether its time is over by the database's clock. Raises NotFound."""
    row = await tx.pg.fetchrow(
        """
        SELECT *, expires_at <= clock_timestamp() AS past FROM proposal WHERE user_id = $1 AND id = $2
        """,
        tx.user,
        proposal_id,
    )
    if row is None:
        raise NotFound(f"There is no proposal {proposal_id}.")
    return opened(tx.ring, row)


async def get(db: Database, user: UUID, proposal_id: UUID) -> View:
    """One proposal. Raises NotFound."""
    async with db.transaction(user) as tx:
        return view(await load(tx, proposal_id))


async def get_all(db: Database, user: UUID, proposal_ids: Sequence[UUID]) -> dict[str, View]:
    """Those of the proposals that the user has, by their ids."""
    if not proposal_ids:
        return {}
    async with db.read(user) as tx:
        rows = await tx.pg.fetch(
            """
            SELECT *, expires_at <= clock_timestamp() AS past FROM proposal WHERE user_id = $1 AND id = ANY($2::uuid[])
            """,
            tx.user,
            list(proposal_ids),
        )
    return {str(row["id"]): view(opened(tx.ring, row)) for row in rows}


async def list_proposals(
    db: Database, user: UUID, status: str | None = None, limit: int = 50, cursor: str | None = None
) -> tuple[list[View], str | None]:
    """The user's proposals, newest first, at most `limit` (1 to 200) of them, and the cursor of the next page.

    `status` is one of pending, applied, rejected, expired, superseded. Raises NotFound for a cursor that is none.
    """
    size = max(1, min(limit, PAGE_LIMIT))
    async with db.transaction(user) as tx:
        rows = await tx.pg.fetch(
            """
            SELECT *, expires_at <= clock_timestamp() AS past FROM proposal
             WHERE user_id = $1 AND ($3::uuid IS NULL OR id < $3)
               AND ($2::text IS NULL OR $2 = CASE
                        WHEN status = 'pending' AND expires_at <= clock_timestamp() THEN 'expired' ELSE status END)
             ORDER BY id DESC LIMIT $4
            """,
            tx.user,
            status,
            parse_id(cursor, "page") if cursor else None,
            size + 1,
        )
    items = [view(opened(tx.ring, row)) for row in rows[:size]]
    return items, items[-1]["id"] if len(rows) > size else None


def _text(value: UUID | None) -> str | None:
    return str(value) if value is not None else None
