"""Making a proposal from a tool call, and telling people what it would do."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from db.engine import Transaction
from domain.ids import new_id
from domain.money import Money
from tools.drafts.diff import Entry
from tools.drafts.draft import Intent
from tools.drafts.kinds import draft
from tools.proposals.auto import apply_if_allowed
from tools.proposals.errors import TooManyProposals
from tools.proposals.store import Heard, Origin, View, by_op_key, insert, lock_ledger
from tools.result import Fact, ToolResult
from tools.tool import Args, ToolContext

UNDECIDED_OUTSIDE = 20
"""How many proposals that no turn of a conversation made may wait for a decision."""

_OUTCOMES = {
    "applied": "This has been applied.",
    "rejected": "You decided against this.",
    "expired": "The time to confirm this is over; ask for it again.",
    "superseded": "A newer proposal has taken the place of this one.",
}


async def propose(
    ctx: ToolContext,
    args: Args,
    intent: Intent,
    note: str = "",
    *,
    facts: Sequence[Fact] = (),
) -> ToolResult:
    """Stores what the intent would change as a proposal for the user to decide on; nothing else is written.

    `args` are the call's: the same step of the same run with the same arguments gives the same proposal again. `note`
    is a sentence on how they were understood; `facts` are figures in the proposal's text that are not in its diff. With
    nothing to change the result says so and has no proposal.
    Raises PennyError when it cannot be done, TooManyProposals beyond the context's `proposals` in one turn.
    """
    origin = Origin(_op_key(ctx, args, intent), ctx.session_id, ctx.run_id, ctx.call_id)
    async with ctx.db.transaction(ctx.user) as tx:
        await lock_ledger(tx)
        proposal = await by_op_key(tx, origin.op_key)
        if proposal is None:
            await _check_count(tx, ctx)
            planned = await draft(tx, intent)
            if not planned.changes:
                return ToolResult(planned.text)
            proposal = await insert(tx, intent, planned, origin, about=Heard(args, ctx.said, ctx.preferences.locale))
            proposal = await apply_if_allowed(tx, ctx, intent, proposal)
    return ToolResult(_summary(proposal, note), facts=(*facts, *_facts(proposal["diff"])), proposal=proposal)


def _op_key(ctx: ToolContext, args: Args, intent: Intent) -> str:
    """The step of the run, the tool and its arguments; outside of a run every call is a step of its own."""
    if ctx.run_id is None:
        return f"once {new_id()}"
    said = hashlib.sha256(args.model_dump_json().encode()).hexdigest()
    return f"{ctx.run_id} {ctx.step} {intent.kind} {said}"


async def _check_count(tx: Transaction, ctx: ToolContext) -> None:
    if ctx.run_id is None:
        waiting = await tx.pg.fetchval(
            """
            SELECT count(*) FROM proposal WHERE user_id = $1 AND run_id IS NULL AND session_id IS NULL
               AND status = 'pending' AND expires_at > clock_timestamp()
            """,
            tx.user,
        )
        if waiting >= UNDECIDED_OUTSIDE:
            raise TooManyProposals(
                f"{waiting} proposals wait for the user's decision already; they are to be decided on first."
            )
        return
    made = await tx.pg.fetchval("SELECT count(*) FROM proposal WHERE user_id = $1 AND run_id = $2", tx.user, ctx.run_id)
    if made >= ctx.proposals:
        raise TooManyProposals(
            f"At most {ctx.proposals} changes can be proposed at once; decide on those first, then ask for the rest."
        )


def _summary(proposal: View, note: str) -> str:
    text: str = proposal["text"]
    if proposal["status"] in _OUTCOMES:
        return " ".join(part for part in (text, note, _OUTCOMES[proposal["status"]]) if part)
    return " ".join(part for part in (f"I can {text[:1].lower()}{text[1:]}", note, "Confirm to apply.") if part)


def _facts(diff: list[Entry]) -> Iterator[Fact]:
    """Each amount before, after and by how much it changes, without signs as sentences have them; days; how many
    transactions change when it is more than one."""
    for entry in diff:
        label = f"{entry['what']}: {entry['field']}"
        before, after = _money(entry["before"]), _money(entry["after"])
        if before is not None:
            yield Fact(f"{label} before", before)
        if after is not None:
            yield Fact(f"{label} after", after)
        if before is not None and after is not None and before.currency == after.currency:
            yield Fact(f"{label} {'raised' if before < after else 'lowered'} by", abs(after - before))
        if entry["field"] == "date" and entry["after"]:
            yield Fact(label, date.fromisoformat(entry["after"]))
    transactions = {entry["what"] for entry in diff if entry["what"].startswith("Transaction ")}
    if len(transactions) > 1:
        yield Fact("transactions that change", Decimal(len(transactions)), "count")


def _money(value: Any) -> Money | None:
    return abs(Money(value["minor"], value["currency"])) if isinstance(value, dict) else None
