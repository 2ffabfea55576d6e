"""Drafts about goals: setting one, changing it, giving it up."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from db.engine import Transaction
from domain.errors import InvalidInput
from domain.ids import new_id
from domain.money import Money
from ledger import goals, preferences
from ledger.changes import deleted, inserted, read, updated
from ledger.goals import Goal
from ledger.rows import Json
from tools.drafts import lookup
from tools.drafts.draft import Draft, Intent
from tools.wording import cell, short_day


def saving(
    name: str, amount: Money, due: date | None, account: UUID | None, category: UUID | None, today: date
) -> Intent:
    """To have the goal of that name be so; what is None stays as it is, or is nothing for a new one. `amount` 0: to
    give it up."""
    return Intent(
        "set_goal",
        {
            "id": str(new_id()),
            "name": name,
            "due": due.isoformat() if due else None,
            "account": str(account) if account else None,
            "category": str(category) if category else None,
            "today": today.isoformat(),
            **amount.json(),
        },
    )


async def set_goal(tx: Transaction, args: Mapping[str, Any]) -> Draft:
    """The draft of `saving`. What is saved already is where the goal's pace starts."""
    own = await preferences.get(tx)
    known = await goals.list_(tx)
    there = next((goal for goal in known if goal.name.lower() == args["name"].lower()), None)
    amount = Money(args["minor"], args["currency"])
    if not amount.minor:
        return await _giving_up(tx, there, args["name"])
    fields = await _fields(tx, args, amount, there)
    key = {"id": str(there.id) if there else args["id"]}
    before = await read(tx, "goal", key)
    changed = before is None or any(before[name] != value for name, value in fields.items())
    if not changed:
        return Draft(f"The goal {cell(args['name'])} is already so.")
    due = date.fromisoformat(str(fields["due"])) if fields["due"] else None
    today = date.fromisoformat(args["today"])
    if due is not None and due <= today and (there is None or due != there.due):
        raise InvalidInput(f"{short_day(due, own.locale)} is not in the future; by when should it be there?")
    if before is None or any(
        before[name] != fields[name] for name in ("account_id", "category_id", "amount_minor", "due")
    ):
        others = [goal for goal in known if not there or goal.id != there.id]
        fields |= await _start(tx, others, fields, amount, today)
    by = f" by {short_day(due, own.locale)}" if due else ""
    shown = amount.format(own.locale)
    if before is None or there is None:
        change = inserted("goal", key, name=args["name"], **fields)
        return Draft(f"Set the goal {cell(args['name'])}: {shown}{by}{await _where(tx, fields)}.", (change,))
    was = there.amount.format(own.locale)
    amounts = f"from {was} to {shown}" if there.amount != amount else f"of {shown}"
    change = updated("goal", key, before, **fields)
    return Draft(f"Change the goal {cell(there.name)} {amounts}{by}{await _where(tx, fields)}.", (change,))


async def _giving_up(tx: Transaction, there: Goal | None, name: str) -> Draft:
    if there is None:
        return Draft(f"There is no goal {cell(name)}.")
    key = {"id": str(there.id)}
    row = await read(tx, "goal", key)
    return Draft(f"Give up the goal {cell(there.name)}.", (deleted("goal", key, row or {}),))


async def _fields(tx: Transaction, args: Mapping[str, Any], amount: Money, there: Goal | None) -> dict[str, Json]:
    """The columns that the user decides on. Raises InvalidInput for an account of another currency."""
    account, category = args["account"], args["category"]
    if account is None and category is None and there is not None:
        account = str(there.account_id) if there.account_id else None
        category = str(there.category_id) if there.category_id else None
    if account is not None and (place := await lookup.account(tx, account)).currency != amount.currency:
        raise InvalidInput(f"{cell(place.name)} is kept in {place.currency}, and the goal is in {amount.currency}.")
    if category is not None:
        await lookup.category(tx, category)
    due = args["due"] or (there.due.isoformat() if there and there.due else None)
    return {
        "amount_minor": amount.minor,
        "currency": amount.currency,
        "due": due,
        "account_id": account,
        "category_id": category,
    }


async def _start(
    tx: Transaction, others: list[Goal], fields: Mapping[str, Json], amount: Money, today: date
) -> dict[str, Json]:
    """Today, and what is saved by now."""
    place = fields["account_id"] or fields["category_id"]
    saved = 0
    if place:
        there = (await goals.places(tx, today, amount.currency)).get(UUID(str(place)))
        same = [goal for goal in others if str(goal.account_id or goal.category_id) == place]
        saved = goals.free(there, same, amount).minor
    return {"start_day": today.isoformat(), "start_minor": saved}


async def _where(tx: Transaction, fields: Mapping[str, Json]) -> str:
    if fields["account_id"]:
        return f", counting what is on {cell((await lookup.account(tx, str(fields['account_id']))).name)}"
    if fields["category_id"]:
        return (
            f", counting what is in the {cell((await lookup.category(tx, str(fields['category_id']))).name)} envelope"
        )
    return ""
