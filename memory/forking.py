"""A session that begins with what was said in another."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from db.engine import Transaction
from db.sealing.places import SESSION_TITLE
from domain.ids import new_id
from memory.messages import columns, message_of
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
    title = tx.ring.open(SESSION_TITLE, session_id, row["title"])
    made = (await create(tx, f"{title} (fork)".strip())).id
    rows = await tx.pg.fetch(
        """
        WITH edit AS MATERIALIZED (
            SELECT turn, replaces FROM message WHERE user_id = $1 AND session_id = $2 AND replaces IS NOT NULL)
        SELECT dense_rank() OVER (ORDER BY turn)::int AS turn, pos, id, NULL AS run_id, role, text, body, created_at,
               NULL AS superseded_by
          FROM message m
         WHERE user_id = $1 AND session_id = $2 AND turn <= $3
           AND (role IN ('decision', 'notice') OR NOT EXISTS (
                SELECT FROM edit e WHERE e.replaces <= m.turn AND e.turn > m.turn AND e.turn <= $3))
         ORDER BY m.turn, pos
        """,
        tx.user,
        session_id,
        row["last_turn"] if through is None else through,
    )
    copies = [replace(message_of(tx.ring, row), id=new_id()) for row in rows]
    await tx.pg.execute(
        """
        WITH copied AS (
            INSERT INTO message (user_id, session_id, turn, pos, id, role, text, body, created_at)
            SELECT $1, $2, u.turn, u.pos, u.id, u.role, u.text, u.body::jsonb, u.created_at
              FROM unnest($3::int[], $4::timestamptz[], $5::int[], $6::uuid[], $7::text[], $8::text[], $9::text[])
                   AS u (turn, created_at, pos, id, role, text, body)
            RETURNING turn)
        UPDATE session SET last_turn = (SELECT coalesce(max(turn), 0) FROM copied) WHERE user_id = $1 AND id = $2
        """,
        tx.user,
        made,
        [copy.turn for copy in copies],
        [copy.created_at for copy in copies],
        *columns(tx.ring, copies),
    )
    return made
