"""Drafts about budgets: setting one, and moving money between two."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from db.engine import Transaction
from domain.errors import InvalidInput, NotFound
from domain.money import Money
from domain.periods import Month
from ledger import categories, preferences
from ledger.changes import Change, inserted, read, updated
from ledger.rows import Row
from tools.drafts.draft import Draft, Intent
from tools.wording import one_month


def setting(category_id: str, amount: Money, month: Month) -> Intent:
    """To have the category's budget for the month be `amount`."""
    return Intent("set_budget", {"category": category_id, "month": month.first.isoformat(), **amount.json()})


def moving(from_id: str, to_id: str, amount: Money, month: Month) -> Intent:
    """To take `amount` from one category's budget for the month and give it to another's."""
    return Intent("move_money", {"from": from_id, "to": to_id, "month": month.first.isoformat(), **amount.json()})


async def set_budget(tx: Transaction, args: Mapping[str, Any]) -> Draft:
    """The draft of `setting`."""
    amount, locale = Money(args["minor"], args["currency"]), (await preferences.get(tx)).locale
    name, month = await _name(tx, args["category"]), _month(args, locale)
    key, row = await _budget(tx, args["category"], args["month"])
    if row is None:
        text = f"Set a {name} budget of {amount.format(locale)} for {month}, where there is none yet."
        return Draft(text, (_given(key, row, amount),))
    before = _amount(row)
    if before == amount:
        return Draft(f"The {name} budget for {month} is already {amount.format(locale)}.")
    text = f"Set the {name} budget for {month} from {before.format(locale)} to {amount.format(locale)}."
    return Draft(text, (_given(key, row, amount),))


async def move_money(tx: Transaction, args: Mapping[str, Any]) -> Draft:
    """The draft of `moving`. Raises InvalidInput when the source has less than that budgeted."""
    amount, locale = Money(args["minor"], args["currency"]), (await preferences.get(tx)).locale
    source, target = await _name(tx, args["from"]), await _name(tx, args["to"])
    month = _month(args, locale)
    from_key, from_row = await _budget(tx, args["from"], args["month"])
    to_key, to_row = await _budget(tx, args["to"], args["month"])
    nothing = Money(0, amount.currency)
    had, has = (_amount(row) if row else nothing for row in (from_row, to_row))
    if had < amount:
        raise InvalidInput(
            f"{source} has only {had.format(locale)} budgeted for {month}, so {amount.format(locale)} cannot be moved"
            f" from it to {target}."
        )
    text = (
        f"Move {amount.format(locale)} from {source} to {target} for {month}:"
        f" {source} from {had.format(locale)} to {(had - amount).format(locale)},"
        f" {target} from {has.format(locale)} to {(has + amount).format(locale)}."
    )
    return Draft(text, (_given(from_key, from_row, had - amount), _given(to_key, to_row, has + amount)))


def _given(key: Row, row: Row | None, amount: Money) -> Change:
    fields = {"amount_minor": amount.minor, "currency": amount.currency}
    return inserted("budget", key, **fields) if row is None else updated("budget", key, row, **fields)


async def _budget(tx: Transaction, category_id: str, month: str) -> tuple[Row, Row | None]:
    key = {"month": month, "category_id": category_id}
    return key, await read(tx, "budget", key)


def _amount(row: Row) -> Money:
    return Money(int(row["amount_minor"] or 0), str(row["currency"]))


def _month(args: Mapping[str, Any], locale: str) -> str:
    return one_month(Month.of(date.fromisoformat(args["month"])), locale)


async def _name(tx: Transaction, category_id: str) -> str:
    for category in await categories.list_(tx):
        if str(category.id) == category_id:
            return category.name
    raise NotFound("That category is not there any more.")
