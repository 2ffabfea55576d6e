"""Undoing by the user's own act, without a proposal to confirm in between."""

from __future__ import annotations

from uuid import UUID

from db.engine import Database
from domain.errors import PennyError
from domain.ids import new_id
from tools.drafts.kinds import draft
from tools.drafts.undo import last_standing, undoing
from tools.proposals.decide import Applied, claim
from tools.proposals.store import Origin, insert, lock_ledger


async def undo_now(db: Database, user: UUID, journal_id: UUID | None = None, *, approval: str = "http") -> Applied:
    """Takes the journal entry back, or applies it again if it is itself an undoing, in one transaction.

    Without `journal_id` the latest change that stands. `approval` says how the user asked ("http", "cli").
    Raises NotFound, NotUndoable, ProposalStale.
    """
    async with db.transaction(user) as tx:
        await lock_ledger(tx)
        intent = undoing(journal_id or await last_standing(tx))
        proposal = await insert(tx, intent, await draft(tx, intent), Origin(f"undone at once: {new_id()}"))
        outcome = await claim(tx, UUID(proposal["id"]), proposal["hash"], approval)
    if isinstance(outcome, PennyError):
        raise outcome
    return outcome
