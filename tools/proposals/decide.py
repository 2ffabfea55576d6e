"""Deciding on proposals: the one place where a change that Penny proposed is carried out."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from db.engine import Database, Transaction
from domain.errors import PennyError
from ledger import changes, journal
from memory.decisions import append_decision
from tools.drafts.draft import Intent
from tools.drafts.kinds import draft
from tools.proposals.errors import HashMismatch, ProposalConflict, ProposalDecided, ProposalExpired, ProposalStale
from tools.proposals.store import Origin, View, insert, load, lock_ledger, opened, view

AUTO = "auto"
"""The approval of what the user lets be applied without asking."""


@dataclass(frozen=True, slots=True)
class Applied:
    """A proposal that was carried out: the journal entry it became, and the proposal as it now is."""

    journal_id: UUID
    proposal: View
    turn: int | None = None
    """The turn of its session that this decision has just opened."""


async def confirm(db: Database, user: UUID, proposal_id: UUID, hash: str, *, approval: str = "http") -> Applied:  # noqa: A002 -- the contract's name
    """Carries the proposal out, once, and journals it, in one transaction; asked again, the answer is the same.

    `approval` says how the user agreed ("http", "cli"). Raises NotFound, HashMismatch, ProposalExpired,
    ProposalDecided, ProposalStale.
    """
    async with db.transaction(user) as tx:
        outcome = await claim(tx, proposal_id, hash, approval)
    if isinstance(outcome, PennyError):
        raise outcome
    return outcome


async def reject(db: Database, user: UUID, proposal_id: UUID) -> View:
    """Decides against the proposal; asked again, the answer is the same. One that expired stays expired.

    Raises NotFound, and ProposalDecided for one that was applied or superseded.
    """
    async with db.transaction(user) as tx:
        outcome = await decline(tx, proposal_id)
    if isinstance(outcome, PennyError):
        raise outcome
    return outcome


async def decline(tx: Transaction, proposal_id: UUID) -> View | ProposalConflict:
    """Decides against the proposal in this transaction; an error is returned, not raised, as by `claim`. Raises
    NotFound."""
    await lock_ledger(tx)
    rejected = await tx.pg.fetchrow(
        """
        UPDATE proposal SET status = 'rejected', decided_at = clock_timestamp()
         WHERE user_id = $1 AND id = $2 AND status = 'pending' AND expires_at > clock_timestamp()
        RETURNING *, false AS past
        """,
        tx.user,
        proposal_id,
    )
    if rejected:
        rejected = opened(tx.ring, rejected)
        await _tell_session(tx, rejected, "rejected", f"Rejected: {rejected['text']}")
        return view(rejected)
    stored = view(await load(tx, proposal_id))
    if stored["status"] == "applied":
        return ProposalDecided("This change has been applied; undo it instead.", proposal=stored)
    if stored["status"] == "superseded":
        return ProposalDecided("This proposal was replaced by a newer one.", proposal=stored)
    return stored


async def supersede(tx: Transaction, run_id: UUID) -> None:
    """Closes what is not decided of the turns that this run's message takes the place of: the user has said something
    else instead. To be called under `lock_ledger`."""
    await tx.pg.execute(
        """
        UPDATE proposal p SET status = 'superseded', decided_at = clock_timestamp()
          FROM run mine
          JOIN message m ON m.user_id = mine.user_id AND m.session_id = mine.session_id AND m.turn = mine.turn
                        AND m.pos = 0
          JOIN run r ON r.user_id = mine.user_id AND r.session_id = mine.session_id
                    AND r.turn >= m.replaces AND r.turn < m.turn
         WHERE mine.user_id = $1 AND mine.id = $2 AND p.user_id = $1 AND p.run_id = r.id AND p.status = 'pending'
        """,
        tx.user,
        run_id,
    )


async def claim(tx: Transaction, proposal_id: UUID, hash_: str, approval: str) -> Applied | ProposalConflict:
    """Applies the proposal if it is this transaction that claims it. An error is returned, not raised, because what was
    found out on the way (expired, superseded) is to be committed."""
    await lock_ledger(tx)
    row = await tx.pg.fetchrow(
        """
        UPDATE proposal SET status = 'applied', decided_at = clock_timestamp()
         WHERE user_id = $1 AND id = $2 AND status = 'pending' AND hash = $3 AND expires_at > clock_timestamp()
        RETURNING *, false AS past
        """,
        tx.user,
        proposal_id,
        hash_,
    )
    if row is None:
        return await _not_claimed(tx, proposal_id, hash_)
    try:
        async with tx.savepoint():
            return await _apply(tx, opened(tx.ring, row), approval)
    except changes.Stale as stale:
        return await _renew(tx, opened(tx.ring, row), stale)


async def _apply(tx: Transaction, row: Any, approval: str) -> Applied:
    """Writes what the claimed proposal says, journals it and tells its session. Raises Stale."""
    written = await changes.apply(tx, [changes.Change.parse(change) for change in row["changes"]["rows"]])
    cause = await tx.pg.fetchrow(
        """
        SELECT r.prompt_version, m.id AS message_id FROM run r
          LEFT JOIN message m ON m.user_id = r.user_id AND m.session_id = r.session_id AND m.turn = r.turn AND m.pos = 0
         WHERE r.user_id = $1 AND r.id = $2
        """,
        tx.user,
        row["run_id"],
    )
    journal_id = await journal.append(
        tx,
        kind=row["kind"],
        text=row["text"],
        changes=written,
        approval=approval,
        proposal_id=row["id"],
        session_id=row["session_id"],
        run_id=row["run_id"],
        message_id=cause["message_id"] if cause else None,
        prompt_version=cause["prompt_version"] if cause else "",
        undoes=row["undoes"],
    )
    await tx.pg.execute(
        "UPDATE proposal SET journal_id = $3 WHERE user_id = $1 AND id = $2", tx.user, row["id"], journal_id
    )
    turn = None
    if approval != AUTO:  # the tool's own result tells of that one, within the turn that is running
        turn = await _tell_session(tx, row, "applied", f"Applied: {row['text']}", journal_id)
    return Applied(journal_id, view(row) | {"journal_id": str(journal_id)}, turn)


async def _not_claimed(tx: Transaction, proposal_id: UUID, hash_: str) -> Applied | ProposalConflict:
    row = await load(tx, proposal_id)
    stored = view(row)
    if not hmac.compare_digest(row["hash"].encode(), hash_.encode()):
        return HashMismatch("This is not the change that was shown; look at it again and decide.", proposal=stored)
    match stored["status"]:
        case "applied":
            return Applied(row["journal_id"], stored)
        case "expired":
            await tx.pg.execute(
                "UPDATE proposal SET status = 'expired' WHERE user_id = $1 AND id = $2 AND status = 'pending'",
                tx.user,
                proposal_id,
            )
            return ProposalExpired("This proposal has expired; ask for the change again.", proposal=stored)
        case "superseded" if row["superseded_by"]:
            return _stale(view(await load(tx, row["superseded_by"])))
        case status:
            return ProposalDecided(f"This proposal was {status}; ask for the change again.", proposal=stored)


async def _renew(tx: Transaction, row: Any, stale: changes.Stale) -> ProposalStale:
    """Replaces a claimed proposal whose rows have changed by one that starts from the rows as they are.

    There is none when the intention has become impossible or is fulfilled already, or when its rows are the same again,
    so that something else than their age stands in the way.
    """
    intent = Intent(row["kind"], row["changes"]["args"])
    fresh: View | None = None
    try:
        remade = await draft(tx, intent)
    except PennyError as refused:
        why = refused.message
    else:
        why = remade.text if not remade.changes else stale.message
        if remade.changes and [change.json() for change in remade.changes] != row["changes"]["rows"]:
            origin = Origin(f"instead of {row['id']}", row["session_id"], row["run_id"], row["call_id"] or "")
            fresh = await insert(tx, intent, remade, origin, row["changes"].get("unsaid", ()))
    await tx.pg.execute(
        "UPDATE proposal SET status = 'superseded', superseded_by = $3 WHERE user_id = $1 AND id = $2",
        tx.user,
        row["id"],
        UUID(fresh["id"]) if fresh else None,
    )
    if fresh:
        return _stale(fresh)
    return ProposalStale(f"Something else has changed since this was proposed. {why}")


def _stale(fresh: View) -> ProposalStale:
    return ProposalStale(f"Something else has changed since this was proposed. Now: {fresh['text']}", proposal=fresh)


async def _tell_session(
    tx: Transaction, row: Any, status: str, text: str, journal_id: UUID | None = None
) -> int | None:
    if not row["session_id"]:
        return None
    return await append_decision(tx, row["session_id"], row["id"], status, text, journal_id)
