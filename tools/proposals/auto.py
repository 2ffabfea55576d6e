"""Applying small expenses at once, where the user lets that be done: off by default, within caps, in the user's own
words, and never while text from outside stands before the model. It is a proposal like any other, journalled and
undoable, with the approval "auto".
"""

from __future__ import annotations

import re
from datetime import datetime, time
from typing import Final
from uuid import UUID

from db.engine import Transaction
from domain.money import Money, exponent
from ledger import preferences
from tools.drafts.draft import Intent
from tools.names import plain
from tools.proposals.decide import AUTO, Applied, claim
from tools.proposals.store import View
from tools.tool import ToolContext

EACH: Final = 50
A_DAY: Final = 200
"""The caps of who has set none, in major units of the user's currency."""


async def apply_if_allowed(tx: Transaction, ctx: ToolContext, intent: Intent, proposal: View) -> View:
    """The proposal, applied when it is an expense that the user lets be applied without asking; else as it is."""
    if intent.kind != "add_transaction" or ctx.untrusted or ctx.run_id is None or not ctx.said:
        return proposal
    own = await preferences.get(tx)
    amount = -Money(intent.args["minor"], intent.args["currency"])
    if not own.auto_apply or amount.currency != own.currency or amount.minor <= 0:
        return proposal
    major = 10 ** exponent(own.currency)
    each, a_day = own.auto_each_minor or EACH * major, own.auto_day_minor or A_DAY * major
    if amount.minor >= each or not _said(ctx.said[-1], amount, intent.args["merchant"]):
        return proposal
    begins = datetime.combine(ctx.today, time(), own.zone)
    if amount.minor + await _applied_since(tx, begins, own.currency) > a_day:
        return proposal
    outcome = await claim(tx, UUID(proposal["id"]), proposal["hash"], AUTO)
    return outcome.proposal if isinstance(outcome, Applied) else proposal


def _said(words: str, amount: Money, merchant: str) -> bool:
    """Whether the amount and the merchant are both in the user's own words of this turn."""
    named = f" {plain(merchant).rstrip('s')}" in f" {plain(words)}"
    figures = [figure.replace(",", "") for figure in re.findall(r"\d[\d,]*(?:\.\d+)?", words)]
    return named and any(_same(figure, amount) for figure in figures)


def _same(figure: str, amount: Money) -> bool:
    whole, _, part = figure.partition(".")
    decimals = exponent(amount.currency)
    return len(part) <= decimals and int(whole + part.ljust(decimals, "0")) == amount.minor


async def _applied_since(tx: Transaction, begins: datetime, currency: str) -> int:
    """What was applied without asking since then, in minor units, what was undone since included."""
    spent: int = await tx.pg.fetchval(
        """
        SELECT coalesce(-sum((c -> 'after' ->> 'amount_minor')::bigint), 0)::bigint
          FROM journal j, jsonb_array_elements(j.changes) c
         WHERE j.user_id = $1 AND j.at >= $2 AND j.approval = 'auto' AND c ->> 'table' = 'txn'
           AND c -> 'after' ->> 'currency' = $3
        """,
        tx.user,
        begins,
        currency,
    )
    return spent
