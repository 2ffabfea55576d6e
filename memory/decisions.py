"""Decisions on proposals as turns of the session, so that the conversation knows what became of them."""

from __future__ import annotations

from uuid import UUID

import orjson

from db.engine import Transaction
from db.sealing.places import MESSAGE_TEXT
from domain.ids import new_id
from memory.messages import sealed_body


async def append_decision(
    tx: Transaction, session_id: UUID, proposal_id: UUID, status: str, text: str, journal_id: UUID | None = None
) -> int | None:
    """Adds a turn of one message of role "decision", in the caller's transaction, under the session row's lock.

    `status` is what the proposal became ("applied", "rejected"), `text` one sentence that says so. Gives the turn; None
    when the session is gone.
    """
    body = {"proposal_id": str(proposal_id), "status": status}
    if journal_id is not None:
        body["journal_id"] = str(journal_id)
    message_id = new_id()
    turn = await tx.pg.fetchval(
        """
        WITH s AS (
            UPDATE session SET last_turn = last_turn + 1, updated_at = clock_timestamp()
             WHERE user_id = $1 AND id = $2 RETURNING last_turn)
        INSERT INTO message (user_id, session_id, turn, pos, id, role, text, body)
        SELECT $1, $2, s.last_turn, 0, $3, 'decision', $4, $5::text::jsonb FROM s RETURNING turn
        """,
        tx.user,
        session_id,
        message_id,
        tx.ring.seal(MESSAGE_TEXT, message_id, text),
        orjson.dumps(sealed_body(tx.ring, message_id, body)).decode(),
    )
    return None if turn is None else int(turn)
