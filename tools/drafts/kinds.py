"""Every kind of change that can be proposed, and who makes its draft."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from db.engine import Transaction
from tools.drafts import budgets, transactions, undo
from tools.drafts.draft import Builder, Draft, Intent

BUILDERS: Final[Mapping[str, Builder]] = {
    "set_budget": budgets.set_budget,
    "move_money": budgets.move_money,
    "add_transaction": transactions.add_transaction,
    "categorize_transaction": transactions.categorize,
    "undo": undo.undo,
}


async def draft(tx: Transaction, intent: Intent) -> Draft:
    """What carrying out the intent would change now. Raises PennyError when it cannot be done."""
    return await BUILDERS[intent.kind](tx, intent.args)
