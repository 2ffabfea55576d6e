"""Drafts that change or delete a transaction, with what belongs to it: a split's parts, a transfer's two ends."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final
from uuid import UUID

from db.engine import Transaction
from domain.errors import InvalidInput
from domain.money import Money
from ledger import bonds, preferences
from ledger.bonds import Posting
from ledger.changes import Change, deleted, updated
from ledger.rows import Json
from tools.drafts import lookup
from tools.drafts.draft import Draft, Intent
from tools.wording import cell, counted, short_day

_OF_ALL_PARTS: Final = frozenset({"day", "merchant", "account_id", "pending"})
"""What is one for the whole purchase, however it was split."""

_OF_BOTH_ENDS: Final = frozenset({"day", "pending", "amount_minor"})
_OF_ONE_END: Final = frozenset({"note", "tags"})


def editing(transaction_id: UUID, **fields: Json) -> Intent:
    """To have these columns of the transaction be so. `size` is the new amount without its sign, in minor units."""
    return Intent("edit_transaction", {"transaction": str(transaction_id), "fields": fields})


def deleting(transaction_id: UUID) -> Intent:
    """To have the transaction gone."""
    return Intent("delete_transaction", {"transaction": str(transaction_id)})


async def edit_transaction(tx: Transaction, args: Mapping[str, Any]) -> Draft:
    """The draft of `editing`. Raises InvalidInput for what a transfer cannot have."""
    locale = (await preferences.get(tx)).locale
    about = await bonds.posting(tx, args["transaction"])
    wanted = dict(args["fields"])
    if "size" in wanted:
        sign = 1 if int(about[1]["amount_minor"] or 0) > 0 else -1
        wanted = {"amount_minor": wanted.pop("size") * sign} | wanted
    if about[1]["transfer_id"] is not None:
        _check_transfer(wanted)
        rows, shared = await bonds.ends(tx, about), _OF_BOTH_ENDS
        if len({row["currency"] for _, row in rows}) > 1:
            shared -= {"amount_minor"}
    else:
        rows, shared = await bonds.parts(tx, about), _OF_ALL_PARTS
    await _check_account(tx, about, wanted)
    changes = [change for row in rows if (change := _changed(row, about, wanted, shared))]
    if not changes:
        return Draft(f"{_capital(which(about, locale))} is already so.")
    told = await _told(tx, about, wanted, locale)
    rest = ""
    if len(rows) > 1 and about[1]["transfer_id"] is not None:
        rest = " Both ends of the transfer change." if len(changes) > 1 else ""
        other = next(row for row in rows if row[0] != about[0])
        if "amount_minor" in wanted and "amount_minor" not in shared:
            kept = _money(int(other[1]["amount_minor"] or 0), other, locale)
            rest += f" The other end stays {kept}, as it is in another currency."
    elif len(rows) > 1:
        others = (
            f" The other {counted(len(rows) - 1, 'part')} of the split" if len(rows) > 2 else " The split's other part"
        )
        rest = f"{others} {'changes' if len(rows) == 2 else 'change'} with it." if len(changes) > 1 else ""
        if "amount_minor" in wanted:
            total = sum(int(row["amount_minor"] or 0) for _, row in rows)
            total += wanted["amount_minor"] - int(about[1]["amount_minor"] or 0)
            rest += f" It is one part of a split, which then comes to {_money(total, about, locale)}."
    return Draft(f"Change {which(about, locale)}: {told}.{rest}", tuple(changes))


async def delete_transaction(tx: Transaction, args: Mapping[str, Any]) -> Draft:
    """The draft of `deleting`. Raises InvalidInput while a refund of it stands."""
    locale = (await preferences.get(tx)).locale
    about = await bonds.posting(tx, args["transaction"])
    ends, parts = await bonds.ends(tx, about), await bonds.parts(tx, about)
    rows = ends if len(ends) > 1 else parts
    for key, row in await bonds.refunds(tx, rows):
        if key not in [k for k, _ in rows]:
            raise InvalidInput(f"There is a refund of it, transaction {row['no']}; delete that one first.")
    what = which(about, locale)
    if len(ends) > 1:
        what += ", with the other end of the transfer"
    elif len(parts) > 1:
        total = _money(sum(int(row["amount_minor"] or 0) for _, row in rows), about, locale)
        what = f"the purchase of {total} that {what} is a part of, all {len(parts)} parts"
    # the first part is referred to by the others
    return Draft(f"Delete {what}.", tuple(deleted("txn", key, row) for key, row in reversed(rows)))


def which(about: Posting, locale: str) -> str:
    """ "transaction 1042 (Shell, Nov 20, 2026, $40.10)"."""
    _, row = about
    day = short_day(date.fromisoformat(str(row["day"])), locale)
    amount = _money(int(row["amount_minor"] or 0), about, locale)
    return f"transaction {row['no']} ({cell(str(row['merchant'])) or 'no merchant'}, {day}, {amount})"


def _money(minor: int, about: Posting, locale: str) -> str:
    return abs(Money(minor, str(about[1]["currency"]))).format(locale)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _check_transfer(wanted: Mapping[str, Json]) -> None:
    if wanted.keys() - _OF_BOTH_ENDS - _OF_ONE_END:
        raise InvalidInput(
            "That is one end of a transfer between your accounts: its date, amount, note and tags can be changed;"
            " for anything else delete it and record what it was."
        )


async def _check_account(tx: Transaction, about: Posting, wanted: Mapping[str, Json]) -> None:
    if "account_id" in wanted:
        account = await lookup.account(tx, str(wanted["account_id"]))
        if account.currency != about[1]["currency"]:
            raise InvalidInput(
                f"{cell(account.name)} is kept in {account.currency}, and the transaction is in {about[1]['currency']}."
            )
    if wanted.get("category_id"):
        await lookup.category(tx, str(wanted["category_id"]))


def _changed(row: Posting, about: Posting, wanted: Mapping[str, Any], shared: frozenset[str]) -> Change | None:
    """What changes in one of the rows that belong together: in the one it is about, all; in others, what they share."""
    key, before = row
    fields = {name: value for name, value in wanted.items() if key == about[0] or name in shared}
    if "amount_minor" in fields and key != about[0]:
        fields["amount_minor"] = -fields["amount_minor"]
    fields = {name: value for name, value in fields.items() if before[name] != value}
    return updated("txn", key, before, **fields) if fields else None


async def _told(tx: Transaction, about: Posting, wanted: Mapping[str, Any], locale: str) -> str:
    told = []
    for name, value in wanted.items():
        if about[1][name] == value:
            continue
        match name:
            case "amount_minor":
                told.append(f"amount to {_money(value, about, locale)}")
            case "day":
                told.append(f"date to {short_day(date.fromisoformat(value), locale)}")
            case "category_id":
                told.append(f"category to {cell((await lookup.category(tx, value)).name)}")
            case "account_id":
                told.append(f"account to {cell((await lookup.account(tx, value)).name)}")
            case "pending":
                told.append("pending" if value else "no longer pending")
            case _:
                told.append(f"{name} to “{cell(value)}”" if value else f"no {name}")
    return ", ".join(told)
