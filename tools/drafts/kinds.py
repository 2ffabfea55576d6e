"""Every kind of change that can be proposed, and who makes its draft."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from db.engine import Transaction
from tools.drafts import budgets, editing, envelopes, facts, goals, setup, splits, transactions, transfers, undo
from tools.drafts.draft import Builder, Draft, Intent

BUILDERS: Final[Mapping[str, Builder]] = {
    "set_budget": budgets.set_budget,
    "move_money": budgets.move_money,
    "add_transaction": transactions.add_transaction,
    "categorize_transaction": transactions.categorize,
    "edit_transaction": editing.edit_transaction,
    "delete_transaction": editing.delete_transaction,
    "split_transaction": splits.split_transaction,
    "transfer_between_accounts": transfers.transfer_between_accounts,
    "record_refund": transfers.record_refund,
    "set_rollover": envelopes.set_rollover,
    "cover_overspending": envelopes.cover_overspending,
    "hold_for_next_month": envelopes.hold_for_next_month,
    "create_category": envelopes.create_category,
    "set_goal": goals.set_goal,
    "create_account": setup.create_account,
    "set_rate": setup.set_rate,
    "set_preference": setup.set_preference,
    "remember_fact": facts.remember_fact,
    "forget_fact": facts.forget_fact,
    "undo": undo.undo,
}


async def draft(tx: Transaction, intent: Intent) -> Draft:
    """What carrying out the intent would change now. Raises PennyError when it cannot be done."""
    return await BUILDERS[intent.kind](tx, intent.args)
