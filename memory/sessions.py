"""Sessions: conversations of one user, each with a log of messages in turns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from db.engine import Transaction
from db.sealing.places import SESSION_TITLE
from db.sealing.ring import Ring
from domain.errors import NotFound
from domain.ids import new_id

TITLE_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Session:
    """A conversation."""

    id: UUID
    title: str
    created_at: datetime
    updated_at: datetime


def no_session(session_id: UUID) -> NotFound:
    """The error for an id that names no session of this user."""
    return NotFound(f"There is no session {session_id}.")


def _session(ring: Ring, row: Any) -> Session:
    title = ring.open(SESSION_TITLE, row["id"], row["title"])
    return Session(row["id"], title, row["created_at"], row["updated_at"])


async def create(tx: Transaction, title: str = "", session_id: UUID | None = None) -> Session:
    """A new, empty session."""
    session_id = session_id or new_id()
    row = await tx.pg.fetchrow(
        "INSERT INTO session (user_id, id, title) VALUES ($1, $2, $3) RETURNING id, title, created_at, updated_at",
        tx.user,
        session_id,
        tx.ring.seal(SESSION_TITLE, session_id, title[:TITLE_LENGTH]),
    )
    return _session(tx.ring, row)


async def get(tx: Transaction, session_id: UUID) -> Session:
    """The session. Raises NotFound."""
    row = await tx.pg.fetchrow("SELECT id, title, created_at, updated_at FROM session WHERE id = $1", session_id)
    if row is None:
        raise no_session(session_id)
    return _session(tx.ring, row)


async def exists(tx: Transaction, session_id: UUID) -> bool:
    """Whether the user has such a session."""
    return bool(await tx.pg.fetchval("SELECT true FROM session WHERE user_id = $1 AND id = $2", tx.user, session_id))


async def ensure(tx: Transaction, session_id: UUID) -> None:
    """Makes the session unless it is there."""
    await tx.pg.execute("INSERT INTO session (user_id, id) VALUES ($1, $2) ON CONFLICT DO NOTHING", tx.user, session_id)


async def list_(
    tx: Transaction, limit: int, before: tuple[datetime, UUID] | None = None
) -> tuple[list[Session], tuple[datetime, UUID] | None]:
    """Sessions, the most recently used first, at most `limit`, older than `before`; and where the next page starts."""
    rows = await tx.pg.fetch(
        """
        SELECT id, title, created_at, updated_at FROM session
         WHERE user_id = $1 AND ($2::timestamptz IS NULL OR (updated_at, id) < ($2, $3::uuid))
         ORDER BY updated_at DESC, id DESC LIMIT $4
        """,
        tx.user,
        *(before or (None, None)),
        limit + 1,
    )
    items = [_session(tx.ring, row) for row in rows[:limit]]
    return items, (items[-1].updated_at, items[-1].id) if len(rows) > limit else None


async def rename(tx: Transaction, session_id: UUID, title: str) -> Session:
    """Gives the session another title. Raises NotFound."""
    row = await tx.pg.fetchrow(
        "UPDATE session SET title = $2 WHERE id = $1 RETURNING id, title, created_at, updated_at",
        session_id,
        tx.ring.seal(SESSION_TITLE, session_id, title[:TITLE_LENGTH]),
    )
    if row is None:
        raise no_session(session_id)
    return _session(tx.ring, row)


async def delete(tx: Transaction, session_id: UUID) -> None:
    """Deletes the session with its messages, runs, events and undecided proposals. What was applied stays in the
    journal. Raises NotFound."""
    await tx.pg.execute(  # runs first, as their owners lock them before the session
        """
        SELECT FROM run WHERE user_id = $1 AND session_id = $2 AND status IN ('queued', 'running')
         ORDER BY id FOR UPDATE
        """,
        tx.user,
        session_id,
    )
    if await tx.pg.fetchval("DELETE FROM session WHERE id = $1 RETURNING 1", session_id) is None:
        raise no_session(session_id)
