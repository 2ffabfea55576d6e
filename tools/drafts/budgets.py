"""Drafts about budgets: setting one from a month on, and moving money between two within a month."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from db.engine import Transaction
from domain.errors import InvalidInput
from domain.money import Money
from domain.periods import Month
from ledger import budgets, envelopes, preferences
from ledger.changes import Change, inserted, read
from tools.drafts.draft import Draft, Intent
from tools.drafts.lookup import category
from tools.wording import cell, one_month


def setting(category_id: UUID, amount: Money, month: Month) -> Intent:
    """To have the category's budget be `amount` from the month on."""
    return Intent("set_budget", {"category": str(category_id), "month": str(month), **amount.json()})


def moving(from_id: UUID, to_id: UUID, amount: Money, month: Month) -> Intent:
    """To take `amount` from one category's budget for the month and give it to another's."""
    return Intent("move_money", {"from": str(from_id), "to": str(to_id), "month": str(month), **amount.json()})


async def set_budget(tx: Transaction, args: Mapping[str, Any]) -> Draft:
    """The draft of `setting`: it holds until the next month that has a budget of its own."""
    amount, month = Money(args["minor"], args["currency"]), Month.parse(args["month"])
    locale = (await preferences.get(tx)).locale
    target = await category(tx, args["category"])
    held = (await budgets.effective(tx, month)).get(target.id)
    if held and held.amount == amount:
        return Draft(
            f"The {cell(target.name)} budget for {one_month(month, locale)} is already {amount.format(locale)}."
        )
    months = await _months(tx, target.id, month, locale)
    name, new = cell(target.name), amount.format(locale)
    if held is None:
        text = f"Set a {name} budget of {new} for {months}, where there is none yet."
    else:
        text = f"Set the {name} budget for {months} from {held.amount.format(locale)} to {new}."
    return Draft(text, (await budgets.setting(tx, month, target.id, amount),))


async def move_money(tx: Transaction, args: Mapping[str, Any]) -> Draft:
    """The draft of `moving`; other months stay as they are. The source gives its budget of the month, then what it
    carried in: its budget goes below zero by that. Raises InvalidInput when it has less than that."""
    amount, month = Money(args["minor"], args["currency"]), Month.parse(args["month"])
    locale = (await preferences.get(tx)).locale
    source, target = await category(tx, args["from"]), await category(tx, args["to"])
    effective = await budgets.effective(tx, month)
    nothing = Money(0, amount.currency)
    had, has = (effective[c.id].amount if c.id in effective else nothing for c in (source, target))
    giver, taker, for_month = cell(source.name), cell(target.name), one_month(month, locale)
    brought = await carried_in(tx, month, source.id, nothing) if had < amount else nothing
    if had + brought < amount:
        has_only = f"{had.format(locale)} budgeted for {for_month}"
        if brought.minor:
            there = f"{had.format(locale)} budgeted, {brought.format(locale)} carried in"
            has_only = f"{(had + brought).format(locale)} to give in {for_month} ({there})"
        raise InvalidInput(
            f"{giver} has only {has_only}, so {amount.format(locale)} cannot be moved from it to {taker}."
        )
    less, more = had - amount, has + amount
    changes = [
        *await budgets.setting_once(tx, month, source.id, less),
        *await budgets.setting_once(tx, month, target.id, more),
    ]
    if target.id not in effective:
        changes += await nothing_after(tx, month, target.id, nothing)
    text = (
        f"Move {amount.format(locale)} from {giver} to {taker} for {for_month}:"
        f" {giver} goes from {had.format(locale)} to {less.format(locale)},"
        f" {taker} from {has.format(locale)} to {more.format(locale)}"
    )
    text += f"; {(amount - max(had, nothing)).format(locale)} of it was carried in." if brought.minor else "."
    return Draft(text, tuple(changes))


async def carried_in(tx: Transaction, month: Month, category_id: UUID, nothing: Money) -> Money:
    """What the category's envelope brought along and can give away; what it overspent before is nothing."""
    brought = (await envelopes.carried(tx, month)).get(category_id, nothing)
    return brought if brought.currency == nothing.currency and brought.minor > 0 else nothing


async def nothing_after(tx: Transaction, month: Month, category_id: UUID, nothing: Money) -> tuple[Change, ...]:
    """What keeps money given to a category without a budget from being given to it again in every later month."""
    key = {"month": month.plus(1).first.isoformat(), "category_id": str(category_id)}
    if await read(tx, "budget", key) is not None:
        return ()
    return (inserted("budget", key, amount_minor=0, currency=nothing.currency),)


async def _months(tx: Transaction, category_id: UUID, month: Month, locale: str) -> str:
    """The months that a budget set in `month` holds for: "November 2026 onwards", "November 2026 to January 2027"."""
    following: date | None = await tx.pg.fetchval(
        "SELECT min(month) FROM budget WHERE user_id = $1 AND category_id = $2 AND month > $3",
        tx.user,
        category_id,
        month.first,
    )
    first = one_month(month, locale)
    if following is None:
        return f"{first} onwards"
    last = Month.of(following).plus(-1)
    return first if last == month else f"{first} to {one_month(last, locale)}"
