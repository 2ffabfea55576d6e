"""What the user sets up by hand, not in a conversation: accounts, categories, rates and preferences. It is applied at
once, journalled and undoable."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final, get_args
from uuid import UUID

from db.engine import Transaction
from domain.errors import Conflict, InvalidInput
from domain.money import Money, check_currency
from ledger import accounts, categories, journal, preferences, rates
from ledger.changes import Change, Stale, apply, inserted
from ledger.preferences import Preferences
from ledger.rates import Rate
from ledger.rows import Json, Table, new_key

LONGEST_NAME: Final = 80
RATES_AN_ENTRY: Final = 2000
"""How many rates one entry of the journal holds: undoing it goes rate by rate."""


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


async def enter_rates(tx: Transaction, entered: Sequence[Rate], today: date, approval: str) -> int:
    """Stores the rates, all or none, and returns how many. Those that are new or different are journalled, 2,000 to an
    entry. `approval` as for accounts. Raises InvalidInput for a day that has not come yet."""
    if late := next((rate for rate in entered if rate.day > today), None):
        raise InvalidInput(f"{late.day} has not come yet; a rate is of today or earlier.")
    days = {(rate.base, rate.quote, rate.day) for rate in entered}
    changes = await rates.enter(tx, entered)
    for part in _parts(changes):
        first = part[0]
        about = f"{first.key['base']} to {first.key['quote']} rate of {first.key['day']}"
        text = f"Entered the {about}: {(first.after or {})['rate']}."
        if len(part) > 1:
            text = f"Entered {len(part):,} exchange rates, among them the {about}."
        await journal.append(tx, kind="set_rate", text=text, changes=part, approval=approval)
    return len(days)


async def change_preferences(tx: Transaction, wanted: Preferences, approval: str) -> Preferences:
    """Makes the preferences be so and returns them in canonical spelling. `approval` as for accounts. Raises
    InvalidInput, and Conflict when they are being changed by someone else."""
    before, change = await preferences.get(tx), await preferences.changing(tx, wanted)
    kept = preferences.checked(wanted)
    if change is not None:
        written = await apply(tx, [change])
        text = preferences.told(before, kept)
        await journal.append(tx, kind="set_preference", text=text, changes=written, approval=approval)
    return kept


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


def _parts(changes: Sequence[Change]) -> Iterator[Sequence[Change]]:
    for first in range(0, len(changes), RATES_AN_ENTRY):
        yield changes[first : first + RATES_AN_ENTRY]


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
