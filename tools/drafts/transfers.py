"""Drafts of money that moves or comes back: transfers between own accounts, refunds of a purchase."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID

from db.engine import Transaction
from domain.errors import InvalidInput
from domain.ids import new_id
from domain.money import MAX_MINOR, Money
from ledger import bonds, categories, preferences, rates
from ledger.changes import Change, inserted
from ledger.rates import MissingRate
from tools.drafts import lookup
from tools.drafts.draft import Draft, Intent
from tools.drafts.editing import which
from tools.wording import cell, short_day


def transferring(from_id: UUID, to_id: UUID, amount: Money, day: date, arrived: Money | None = None) -> Intent:
    """To have `amount` leave one account and come to the other on that day, as `arrived` where the currencies differ
    and it is known, else by the rate of the day."""
    return Intent(
        "transfer_between_accounts",
        {
            "ids": [str(new_id()) for _ in range(4)],
            "from": str(from_id),
            "to": str(to_id),
            "day": day.isoformat(),
            "arrived": arrived.minor if arrived else None,
            **amount.json(),
        },
    )


def refunding(transaction_id: UUID, minor: int | None, day: date) -> Intent:
    """To have so many minor units of the purchase (None: all that was not given back yet) come back on that day."""
    args = {"id": str(new_id()), "transaction": str(transaction_id), "minor": minor, "day": day.isoformat()}
    return Intent("record_refund", args)


async def transfer_between_accounts(tx: Transaction, args: Mapping[str, Any]) -> Draft:
    """The draft of `transferring`: two postings that name each other, in a category of transfers (made when there is
    none), so that no report takes them for spending or income. Between unlike currencies each has the amount of its
    own, and the rate is in the memo of both.

    Raises MissingRate when there is none to convert by, InvalidInput for amounts that do not go together.
    """
    own = await preferences.get(tx)
    locale = own.locale
    source, target = await lookup.account(tx, args["from"]), await lookup.account(tx, args["to"])
    amount, on = Money(args["minor"], source.currency), date.fromisoformat(args["day"])
    given = args.get("arrived")
    exchange = await exchanged(
        tx, amount, Money(given, target.currency) if given else None, target.currency, on, own.currency
    )
    arrived = exchange.amount if exchange else amount
    transfer, out, into, category = args["ids"]
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
        (into, target, arrived, f"Transfer from {source.name}"),
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
                memo=exchange.memo if exchange else "",
                category_id=str(found.id) if found else category,
                transfer_id=transfer,
            )
        )
    text = f"Record a transfer of {amount.format(locale)} from {cell(source.name)} to {cell(target.name)}"
    if exchange:
        text += f", where {arrived.format(locale)} arrives ({exchange.told(locale)}),"
    return Draft(f"{text} on {short_day(on, locale)}.", tuple(changes))


@dataclass(frozen=True, slots=True)
class Exchange:
    """What arrives of a transfer between unlike currencies. `day` is the rate's; None when both amounts were given, and
    the rate follows from them, to ten digits."""

    original: Money
    amount: Money
    rate: Decimal
    day: date | None

    @property
    def memo(self) -> str:
        """ "1 EUR = 1.0842 USD, rate of 2026-11-01"."""
        return f"{self._equation}, {f'rate of {self.day}' if self.day else 'by the two amounts'}"

    def told(self, locale: str) -> str:
        """ "1 EUR = 1.0842 USD, the rate of Nov 1, 2026"."""
        return f"{self._equation}, {f'the rate of {short_day(self.day, locale)}' if self.day else 'by the two amounts'}"

    @property
    def _equation(self) -> str:
        return f"1 {self.original.currency} = {self.rate:f} {self.amount.currency}"


async def exchanged(
    tx: Transaction, amount: Money, arrived: Money | None, currency: str, on: date, own: str
) -> Exchange | None:
    """What arrives in `currency`; None when that is the amount's own. Raises MissingRate and InvalidInput."""
    if amount.currency == currency:
        if arrived is not None and arrived != amount:
            raise InvalidInput(
                "Both accounts are kept in the same currency, so the amount that leaves is what arrives."
            )
        return None
    if arrived is not None:
        rate = rates.shown(Fraction(arrived.amount) / Fraction(amount.amount))
        return Exchange(amount, arrived, rate, None)
    try:
        found = await rates.convert(tx, amount, currency, on, own)
    except MissingRate as missing:
        raise MissingRate(
            f"{missing.message.rstrip('.')}, or say how much arrived in {currency}.", **missing.details
        ) from None
    if not 0 < found.amount.minor <= MAX_MINOR:
        raise InvalidInput(f"{amount.amount} {amount.currency} is {found.amount.amount} {currency}: no amount to move.")
    return Exchange(amount, found.amount, found.rate, found.day)


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
