"""Facts: what the user told Penny about themselves, in their own words, and let it remember.

Rows are written by `ledger.changes` like every change, so that they are journalled and can be undone; what is known
about balances or spending is never among them, for the ledger says that as it is now.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, get_args
from uuid import UUID

from db.engine import Transaction
from db.sealing.places import FACT_TEXT, MESSAGE_TEXT
from db.sealing.ring import Ring
from domain.errors import NotFound

Kind = Literal["payday", "household", "goal", "merchant", "tone", "other"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

LONGEST: Final = 240
"""Characters of one fact."""

MOST: Final = 60
"""Facts of one user: they are in every request to the model, so that there is an end to them."""

_WORDS_FROM: Final = 30
"""So many of a session's latest messages of the user may be what a fact was said in."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing the user said of themselves. `message_id` is the message it was said in, None when it was entered by
    hand; `superseded_by` is the fact that took its place."""

    id: UUID
    kind: Kind
    text: str
    message_id: UUID | None
    superseded_by: UUID | None
    created_at: datetime


def _fact(ring: Ring, row: Any) -> Fact:
    fact_id, kind, text, *rest = row
    return Fact(fact_id, kind, ring.open(FACT_TEXT, fact_id, text), *rest)


_COLUMNS = "id, kind, text, message_id, superseded_by, created_at"


def no_fact(fact_id: UUID) -> NotFound:
    """The error for an id that names no fact of this user."""
    return NotFound(f"There is no fact {fact_id}.")


async def list_(tx: Transaction) -> tuple[Fact, ...]:
    """Those that hold, the oldest first: the order in which they were numbered for the user."""
    rows = await tx.pg.fetch(
        f"SELECT {_COLUMNS} FROM user_fact WHERE user_id = $1 AND superseded_by IS NULL"  # noqa: S608
        " ORDER BY created_at, id",
        tx.user,
    )
    return tuple(_fact(tx.ring, row) for row in rows)


async def get(tx: Transaction, fact_id: UUID) -> Fact:
    """A fact that holds. Raises NotFound."""
    row = await tx.pg.fetchrow(
        f"SELECT {_COLUMNS} FROM user_fact WHERE user_id = $1 AND id = $2 AND superseded_by IS NULL",  # noqa: S608
        tx.user,
        fact_id,
    )
    if row is None:
        raise no_fact(fact_id)
    return _fact(tx.ring, row)


async def lineage(tx: Transaction, fact_id: UUID) -> list[UUID]:
    """The fact and all that it took the place of, directly or not: what has to go for it to be forgotten."""
    rows = await tx.pg.fetch(
        """
        WITH RECURSIVE line AS (
            SELECT id FROM user_fact WHERE user_id = $1 AND id = $2
            UNION SELECT f.id FROM user_fact f JOIN line ON f.superseded_by = line.id WHERE f.user_id = $1)
        SELECT id FROM line
        """,
        tx.user,
        fact_id,
    )
    return [row["id"] for row in rows]


async def own_words(tx: Transaction, session_id: UUID) -> list[tuple[UUID, str]]:
    """The user's latest messages in the session, each with its id, the newest first."""
    rows = await tx.pg.fetch(
        """
        SELECT id, text FROM message WHERE user_id = $1 AND session_id = $2 AND role = 'user'
         ORDER BY turn DESC LIMIT $3
        """,
        tx.user,
        session_id,
        _WORDS_FROM,
    )
    return [(row["id"], tx.ring.open(MESSAGE_TEXT, row["id"], row["text"])) for row in rows]


async def every_fact(tx: Transaction) -> AsyncIterator[dict[str, Any]]:
    """All facts for the export, those that were replaced included, the oldest first."""
    rows = await tx.pg.fetch(
        f"SELECT {_COLUMNS} FROM user_fact WHERE user_id = $1 ORDER BY created_at, id",  # noqa: S608
        tx.user,
    )
    for row in rows:
        yield {
            "id": str(row["id"]),
            "kind": row["kind"],
            "text": tx.ring.open(FACT_TEXT, row["id"], row["text"]),
            "message_id": str(row["message_id"]) if row["message_id"] else None,
            "superseded_by": str(row["superseded_by"]) if row["superseded_by"] else None,
            "created_at": row["created_at"].isoformat(),
        }
