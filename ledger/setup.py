"""Accounts and categories that the user makes by hand, not in a conversation: applied at once, journalled, undoable."""

from __future__ import annotations

import unicodedata
from typing import get_args
from uuid import UUID

from db.engine import Transaction
from domain.errors import Conflict, InvalidInput
from domain.money import Money, check_currency
from ledger import accounts, categories, journal
from ledger.changes import Stale, apply, inserted
from ledger.rows import Json, Table, new_key

LONGEST_NAME = 80


class NameTaken(Conflict):
    """There is one of that name already, in this or other letters' case."""

    code = "name_taken"


async def add_account(tx: Transaction, name: str, kind: str, opening: Money, approval: str) -> accounts.Account:
    """Makes an account that holds `opening`, in that currency. `approval` says where the user asked for it ("http",
    "cli"). Raises InvalidInput and NameTaken."""
    name = checked_name(name, "account")
    if kind not in get_args(accounts.Kind):
        raise InvalidInput(f"An account's kind is one of {', '.join(get_args(accounts.Kind))}.")
    opening = Money.of(opening.amount, check_currency(opening.currency))
    fields: dict[str, Json] = {"kind": kind, "currency": opening.currency, "opening_minor": opening.minor}
    made = await _add(tx, "account", name, fields, approval)
    return next(account for account in await accounts.list_(tx) if account.id == made)


async def add_category(tx: Transaction, name: str, group: str, kind: str, approval: str) -> categories.Category:
    """Makes a category. `approval` as for accounts. Raises InvalidInput and NameTaken."""
    name = checked_name(name, "category")
    if name.casefold() == categories.UNCATEGORIZED.casefold():
        raise InvalidInput(f"{categories.UNCATEGORIZED} is what has no category; choose another name.")
    if kind not in get_args(categories.Kind):
        raise InvalidInput(f"A category's kind is one of {', '.join(get_args(categories.Kind))}.")
    group = checked_name(group, "group") if group.strip() else ""
    made = await _add(tx, "category", name, {"group_name": group, "kind": kind}, approval)
    return next(category for category in await categories.list_(tx) if category.id == made)


def checked_name(name: str, what: str) -> str:
    """The name with single spaces. Raises InvalidInput when it is empty, longer than 80 characters, or has characters
    that cannot be seen (control, direction, zero width)."""
    kept = " ".join(name.split())
    if not kept or len(kept) > LONGEST_NAME:
        raise InvalidInput(
            f"A name for {'an' if what[0] in 'aeiou' else 'a'} {what} has 1 to {LONGEST_NAME} characters."
        )
    if any(unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") for character in kept):
        raise InvalidInput("A name cannot have characters that are not seen.")
    return kept


async def _add(tx: Transaction, table: Table, name: str, fields: dict[str, Json], approval: str) -> UUID:
    key = new_key()
    try:
        async with tx.savepoint():
            written = await apply(tx, [inserted(table, key, name=name, **fields)])
    except Stale:
        raise NameTaken(f"You have {'an' if table == 'account' else 'a'} {table} called “{name}” already.") from None
    await journal.append(
        tx, kind=f"create_{table}", text=f"Added the {table} {name}.", changes=written, approval=approval
    )
    return UUID(str(key["id"]))
