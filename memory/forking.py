"""A session that begins with what was said in another."""

from __future__ import annotations

from uuid import UUID

from db.engine import Transaction
from memory.sessions import create, no_session


async def fork(tx: Transaction, session_id: UUID, through: int | None = None) -> UUID:
    """A new session with the conversation of this one, up to the turn `through` or all of it, as it stands: without
    what edits have superseded. Its messages are copies; proposals stay with the session they were made in. Raises
    NotFound."""
    row = await tx.pg.fetchrow(
        "SELECT title, last_turn FROM session WHERE user_id = $1 AND id = $2", tx.user, session_id
    )
    if row is None:
        raise no_session(session_id)
    made = (await create(tx, f"{row['title']} (fork)".strip())).id
    await tx.pg.execute(
        """
        WITH edit AS MATERIALIZED (
            SELECT turn, replaces FROM message WHERE user_id = $1 AND session_id = $2 AND replaces IS NOT NULL),
        kept AS (
            SELECT dense_rank() OVER (ORDER BY turn)::int AS new_turn, m.* FROM message m
             WHERE user_id = $1 AND session_id = $2 AND turn <= $4
               AND (role = 'decision' OR NOT EXISTS (
                    SELECT FROM edit e WHERE e.replaces <= m.turn AND e.turn > m.turn AND e.turn <= $4))),
        copied AS (
            INSERT INTO message (user_id, session_id, turn, pos, id, role, text, body, created_at)
            SELECT user_id, $3, new_turn, pos, uuidv7(), role, text, body, created_at FROM kept RETURNING turn)
        UPDATE session SET last_turn = (SELECT coalesce(max(turn), 0) FROM copied) WHERE user_id = $1 AND id = $3
        """,
        tx.user,
        session_id,
        made,
        row["last_turn"] if through is None else through,
    )
    return made
