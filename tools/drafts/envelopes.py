"""Drafts about envelopes: what a category carries into the next month, covering what is overspent, holding money back;
and new categories."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from db.engine import Transaction
from domain.errors import InvalidInput
from domain.ids import new_id
from domain.money import Money
from domain.periods import Month
from ledger import budgets, categories, envelopes, preferences
from ledger.budgets import BudgetLine, BudgetStatus
from ledger.categories import Kind, Rollover
from ledger.changes import deleted, editing, inserted, read, updated
from tools.drafts.budgets import nothing_after
from tools.drafts.draft import Draft, Intent
from tools.drafts.lookup import category
from tools.wording import cell, one_month

CARRIES: Final[dict[Rollover, str]] = {
    "none": "carry nothing into the next month",
    "left": "carry what is left into the next month",
    "all": "carry what is left, and what is overspent, into the next month",
}


def rolling(category_id: UUID, rollover: Rollover, month: Month) -> Intent:
    """To have the category carry so much from month to month, that month's rest first."""
    return Intent("set_rollover", {"category": str(category_id), "rollover": rollover, "month": str(month)})


def covering(category_id: UUID, from_id: UUID | None, month: Month) -> Intent:
    """To have what the category is overspent by in the month given to it, from another one or the unassigned money."""
    source = str(from_id) if from_id else None
    return Intent("cover_overspending", {"category": str(category_id), "from": source, "month": str(month)})


def holding(amount: Money, month: Month) -> Intent:
    """To have `amount` of the month's unassigned money kept for the next month."""
    return Intent("hold_for_next_month", {"month": str(month), **amount.json()})


def creating(name: str, group: str, kind: Kind) -> Intent:
    """To have a new category."""
    return Intent("create_category", {"id": str(new_id()), "name": name, "group": group, "kind": kind})


async def set_rollover(tx: Transaction, args: Mapping[str, Any]) -> Draft:
    """The draft of `rolling`. A category that carries already goes on from when it began."""
    target, rollover = await category(tx, args["category"]), args["rollover"]
    if target.rollover == rollover:
        return Draft(f"{cell(target.name)} is already to {CARRIES[target.rollover]}.")
    since = target.rollover_since or Month.parse(args["month"]).first
    change = await editing(
        tx,
        "category",
        {"id": str(target.id)},
        rollover=rollover,
        rollover_since=None if rollover == "none" else since.isoformat(),
    )
    locale = (await preferences.get(tx)).locale
    when = "" if rollover == "none" else f", from {one_month(Month.of(since), locale)} on"
    return Draft(f"Let {cell(target.name)} {CARRIES[rollover]}{when}.", (change,))


async def cover_overspending(tx: Transaction, args: Mapping[str, Any]) -> Draft:
    """The draft of `covering`, by as much as the envelope lacks now. Raises InvalidInput when the source has less."""
    own, month = await preferences.get(tx), Month.parse(args["month"])
    status = await budgets.status(tx, month, own.currency)
    line = _line(status, args["category"])
    name, when = cell(line.category), one_month(month, own.locale)
    there = line.available if line.budget else -line.spent
    if there is None or there.minor >= 0:
        return Draft(f"{name} is not overspent in {when}.")
    lacking = -there
    has = line.budget or Money(0, lacking.currency)
    changes = list(await budgets.setting_once(tx, month, UUID(args["category"]), has + lacking))
    if line.budget is None:
        changes += await nothing_after(tx, month, UUID(args["category"]), Money(0, lacking.currency))
    shown = lacking.format(own.locale)
    if args["from"] is None:
        free = (await envelopes.unassigned(tx, status, own.envelopes_since)).amount
        # what was spent without a budget is off the unassigned money already
        free = free + line.spent if line.budget is None else free
        if free.currency != lacking.currency or free < lacking:
            raise InvalidInput(
                f"{name} lacks {shown}, and {free.format(own.locale)} is unassigned in {when};"
                " which category should give the money?"
            )
        source = "the unassigned money"
    else:
        giver = _line(status, args["from"])
        source = cell(giver.category)
        none = Money(0, lacking.currency)
        had = giver.budget if giver.budget and giver.budget.currency == lacking.currency else none
        brought = giver.carried if giver.carried and giver.carried.currency == had.currency else none
        if giver.budget is None or had + max(brought, none) < lacking:
            also = f" and {brought.format(own.locale)} carried in" if brought.minor > 0 else ""
            raise InvalidInput(
                f"{source} has only {had.format(own.locale)} budgeted for {when}{also}; {name} lacks {shown}."
            )
        changes = [*await budgets.setting_once(tx, month, UUID(args["from"]), had - lacking), *changes]
    budget = f"its budget goes from {has.format(own.locale)} to {(has + lacking).format(own.locale)}"
    return Draft(f"Cover the {shown} that {name} is overspent by in {when} from {source}: {budget}.", tuple(changes))


async def hold_for_next_month(tx: Transaction, args: Mapping[str, Any]) -> Draft:
    """The draft of `holding`; 0 gives it free again. Raises InvalidInput for more than is unassigned."""
    own, month = await preferences.get(tx), Month.parse(args["month"])
    amount = Money(args["minor"], args["currency"])
    when, shown = one_month(month, own.locale), amount.format(own.locale)
    key = {"month": month.first.isoformat()}
    before = await read(tx, "hold", key)
    if (int(before["amount_minor"] or 0) if before else 0) == amount.minor:
        return Draft(f"{shown} is already held back in {when}.")
    status = await budgets.status(tx, month, own.currency)
    now = await envelopes.unassigned(tx, status, own.envelopes_since)
    free = now.amount + now.held
    if amount.minor and free < amount:
        there = f"Only {free.format(own.locale)}" if free.minor > 0 else "Nothing"
        raise InvalidInput(f"{there} is unassigned in {when}, so {shown} cannot be held back.")
    if before is None:
        change = inserted("hold", key, **_columns(amount))
    elif amount.minor:
        change = updated("hold", key, before, **_columns(amount))
    else:
        return Draft(f"Hold nothing of {when} back for the next month.", (deleted("hold", key, before),))
    return Draft(f"Hold {shown} of {when} back for {one_month(month.plus(1), own.locale)}.", (change,))


async def create_category(tx: Transaction, args: Mapping[str, Any]) -> Draft:
    """The draft of `creating`. Raises InvalidInput when there is one of that name, in any case."""
    name = args["name"]
    for known in await categories.list_(tx):
        if known.name.lower() == name.lower():
            raise InvalidInput(f"There is a category {cell(known.name)} already.")
    change = inserted("category", {"id": args["id"]}, name=name, group_name=args["group"], kind=args["kind"])
    group = f" in the group {cell(args['group'])}" if args["group"] else ""
    what = {"spending": "category", "income": "income category", "transfer": "category for transfers"}[args["kind"]]
    return Draft(f"Create the {what} {cell(name)}{group}.", (change,))


def _columns(amount: Money) -> dict[str, Any]:
    return {"amount_minor": amount.minor, "currency": amount.currency}


def _line(status: BudgetStatus, category_id: str) -> BudgetLine:
    found = next((line for line in status.lines if str(line.category_id) == category_id), None)
    if found is None:
        raise InvalidInput("Only spending categories have budgets.")
    return found
