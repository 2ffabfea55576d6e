"""Drafts of money that moves or comes back: transfers between own accounts, refunds of a purchase."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from db.engine import Transaction
from domain.errors import InvalidInput
from domain.ids import new_id
from domain.money import Money
from ledger import bonds, categories, preferences
from ledger.changes import Change, inserted
from tools.drafts import lookup
from tools.drafts.draft import Draft, Intent
from tools.drafts.editing import which
from tools.wording import cell, short_day


def transferring(from_id: UUID, to_id: UUID, amount: Money, day: date) -> Intent:
    """To have `amount` leave one account and come to the other on that day."""
    return Intent(
        "transfer_between_accounts",
        {
            "ids": [str(new_id()) for _ in range(4)],
            "from": str(from_id),
            "to": str(to_id),
            "day": day.isoformat(),
            **amount.json(),
        },
    )


def refunding(transaction_id: UUID, minor: int | None, day: date) -> Intent:
    """To have so many minor units of the purchase (None: all that was not given back yet) come back on that day."""
    args = {"id": str(new_id()), "transaction": str(transaction_id), "minor": minor, "day": day.isoformat()}
    return Intent("record_refund", args)


async def transfer_between_accounts(tx: Transaction, args: Mapping[str, Any]) -> Draft:
    """The draft of `transferring`: two postings that name each other, in a category of transfers (made when there is
    none), so that no report takes them for spending or income.

    Raises InvalidInput for accounts of unlike currencies, which need a rate.
    """
    locale = (await preferences.get(tx)).locale
    source, target = await lookup.account(tx, args["from"]), await lookup.account(tx, args["to"])
    if source.currency != target.currency:
        raise InvalidInput(
            f"{cell(source.name)} is kept in {source.currency} and {cell(target.name)} in {target.currency}: that needs"
            " an exchange rate. Record what left the one and what came to the other in a category for transfers."
        )
    transfer, out, into, category = args["ids"]
    amount = Money(args["minor"], source.currency)
    changes: list[Change] = []
    known = await categories.list_(tx)
    found = next((c for c in known if c.kind == "transfer"), None)
    if found is None:
        taken = {c.name.lower() for c in known}
        name = next(
            n for n in ("Transfers", "Transfers between accounts", f"Transfers {category}") if n.lower() not in taken
        )
        changes.append(inserted("category", {"id": category}, name=name, kind="transfer"))
    for key, account, signed, merchant in (
        (out, source, -amount, f"Transfer to {target.name}"),
        (into, target, amount, f"Transfer from {source.name}"),
    ):
        changes.append(
            inserted(
                "txn",
                {"id": key},
                account_id=str(account.id),
                day=args["day"],
                amount_minor=signed.minor,
                currency=signed.currency,
                merchant=merchant,
                category_id=str(found.id) if found else category,
                transfer_id=transfer,
            )
        )
    day = short_day(date.fromisoformat(args["day"]), locale)
    text = f"Record a transfer of {amount.format(locale)} from {cell(source.name)} to {cell(target.name)} on {day}."
    return Draft(text, tuple(changes))


async def record_refund(tx: Transaction, args: Mapping[str, Any]) -> Draft:
    """The draft of `refunding`: money back on the purchase's account and category, so that spending there goes down.

    Raises InvalidInput for what is no purchase, has no category, or would give back more than was paid.
    """
    locale = (await preferences.get(tx)).locale
    about = await bonds.posting(tx, args["transaction"])
    _, row = about
    paid = -Money(int(row["amount_minor"] or 0), str(row["currency"]))
    if paid.minor <= 0 or row["transfer_id"] is not None:
        raise InvalidInput(f"{which(about, locale).capitalize()} is no purchase that could be refunded.")
    if row["category_id"] is None:
        raise InvalidInput(
            f"Transaction {row['no']} has no category, so a refund of it would count as income; file it first."
        )
    back = sum(int(refund["amount_minor"] or 0) for _, refund in await bonds.refunds(tx, [about]))
    left = paid - Money(back, paid.currency)
    amount = left if args["minor"] is None else Money(args["minor"], paid.currency)
    if left < amount or amount.minor <= 0:
        raise InvalidInput(
            f"{paid.format(locale)} was paid and {left.format(locale)} of it can still come back,"
            f" not {amount.format(locale)}."
        )
    change = inserted(
        "txn",
        {"id": args["id"]},
        day=args["day"],
        amount_minor=amount.minor,
        refund_of=args["transaction"],
        **{name: row[name] for name in ("account_id", "currency", "merchant", "category_id")},
    )
    day = short_day(date.fromisoformat(args["day"]), locale)
    return Draft(f"Record a refund of {amount.format(locale)} for {which(about, locale)} on {day}.", (change,))
