"""Decisions on proposals as turns of the session, so that the conversation knows what became of them."""

from __future__ import annotations

from uuid import UUID

from db.engine import Transaction
from memory.messages import open_turn


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
    opened = await open_turn(tx, session_id, "decision", text, body)
    return opened[1] if opened else None
