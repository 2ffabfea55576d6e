"""A session as it was said, message by message, for wires that show a client its whole conversation."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from db.engine import Transaction
from db.sealing.places import MESSAGE_TEXT
from memory.messages import Message, message_of


@dataclass(frozen=True, slots=True)
class Said:
    """A message, with the name its client gave the user's message of the turn, and the id of the turn's reply."""

    message: Message
    client_id: str | None
    reply_id: UUID | None


async def transcript(tx: Transaction, session_id: UUID, turns: int) -> list[Said]:
    """The messages of the last so many turns, in order, without what edits have superseded; none when there is no such
    session."""
    rows = await tx.pg.fetch(
        """
        WITH edit AS MATERIALIZED (
            SELECT turn, replaces FROM message WHERE user_id = $1 AND session_id = $2 AND replaces IS NOT NULL)
        SELECT m.turn, m.pos, m.id, m.run_id, m.role, m.text, m.body, m.created_at, NULL AS superseded_by,
               r.client_id, r.message_id AS reply_id
          FROM message m LEFT JOIN run r ON r.user_id = m.user_id AND r.id = m.run_id
         WHERE m.user_id = $1 AND m.session_id = $2
           AND m.turn > (SELECT last_turn FROM session WHERE user_id = $1 AND id = $2) - $3
           AND (m.role IN ('decision', 'notice')
                OR NOT EXISTS (SELECT FROM edit e WHERE e.replaces <= m.turn AND e.turn > m.turn))
         ORDER BY m.turn, m.pos
        """,
        tx.user,
        session_id,
        turns,
    )
    return [Said(message_of(tx.ring, row), row["client_id"], row["reply_id"]) for row in rows]


async def named(tx: Transaction, session_id: UUID, name: str, message_id: UUID | None) -> UUID | None:
    """The id of the user's message that a client called `name`, or whose id is `message_id`; None when the session has
    none."""
    found = await tx.pg.fetchval(
        """
        SELECT m.id FROM message m LEFT JOIN run r ON r.user_id = m.user_id AND r.id = m.run_id
         WHERE m.user_id = $1 AND m.session_id = $2 AND m.role = 'user' AND (m.id = $4 OR r.client_id = $3) LIMIT 1
        """,
        tx.user,
        session_id,
        name,
        message_id,
    )
    return UUID(int=found.int) if found else None


@dataclass(frozen=True, slots=True)
class Named:
    """A message of the user's that a client has a name for."""

    message_id: UUID
    run_id: UUID
    text: str


async def last_named(tx: Transaction, session_id: UUID, name: str, message_id: UUID | None) -> Named | None:
    """The message that a client calls `name` (or whose id is `message_id`) as it stands now, for clients whose name for
    a message stays when it is edited: an edit's client_id is the name, a space and something of its own."""
    row = await tx.pg.fetchrow(
        """
        SELECT m.id, m.run_id, m.text FROM run r
          JOIN message m ON m.user_id = r.user_id AND m.session_id = r.session_id AND m.turn = r.turn AND m.pos = 0
         WHERE r.user_id = $1 AND r.session_id = $2 AND m.role = 'user'
           AND (r.client_id = $3 OR starts_with(r.client_id, $3 || ' ') OR m.id = $4)
         ORDER BY r.turn DESC LIMIT 1
        """,
        tx.user,
        session_id,
        name,
        message_id,
    )
    if row is None:
        return None
    text = tx.ring.open(MESSAGE_TEXT, row["id"], row["text"])
    return Named(UUID(int=row["id"].int), UUID(int=row["run_id"].int), text)
