"""Finding again, by the ids in an intent, what it is about."""

from __future__ import annotations

from db.engine import Transaction
from domain.errors import NotFound
from ledger import accounts, categories
from ledger.accounts import Account
from ledger.categories import Category


async def category(tx: Transaction, category_id: str) -> Category:
    """The category. Raises NotFound when it has gone since."""
    found = next((c for c in await categories.list_(tx) if str(c.id) == category_id), None)
    if found is None:
        raise NotFound("That category is not there any more.")
    return found


async def account(tx: Transaction, account_id: str) -> Account:
    """The account. Raises NotFound when it has gone since."""
    found = next((a for a in await accounts.list_(tx) if str(a.id) == account_id), None)
    if found is None:
        raise NotFound("That account is not there any more.")
    return found
