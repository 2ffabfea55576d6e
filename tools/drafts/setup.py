"""Drafts of what is set up: a new account, an exchange rate, preferences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import date
from typing import Any

from db.engine import Transaction
from domain.errors import InvalidInput
from domain.ids import new_id
from domain.money import Money
from ledger import accounts, preferences, rates
from ledger.changes import inserted
from ledger.rates import Rate
from tools.drafts.draft import Draft, Intent
from tools.wording import cell, short_day

CHAT = "chat"
"""The source of a rate that a person has told Penny."""


def opening(name: str, kind: accounts.Kind, holds: Money) -> Intent:
    """To have a new account, which holds so much before its first transaction (negative: is owed)."""
    return Intent("create_account", {"id": str(new_id()), "name": name, "kind": kind, **holds.json()})


def valuing(rate: Rate) -> Intent:
    """To have this exchange rate."""
    shown = {"base": rate.base, "quote": rate.quote, "day": rate.day.isoformat(), "rate": f"{rate.value:f}"}
    return Intent("set_rate", shown)


def preferring(**wanted: str | bool | None) -> Intent:
    """To have these preferences, by name; days as ISO text. Others stay as they are."""
    return Intent("set_preference", wanted)


async def create_account(tx: Transaction, args: Mapping[str, Any]) -> Draft:
    """The draft of `opening`. Raises InvalidInput when there is an account of that name, in any case."""
    locale = (await preferences.get(tx)).locale
    name, holds = args["name"], Money(args["minor"], args["currency"])
    for known in await accounts.list_(tx):
        if known.name.lower() == name.lower():
            raise InvalidInput(f"There is an account {cell(known.name)} already.")
    change = inserted(
        "account",
        {"id": args["id"]},
        name=name,
        kind=args["kind"],
        currency=holds.currency,
        opening_minor=holds.minor,
    )
    amount = abs(holds).format(locale)
    balance = f"with {amount} on it" if holds.minor >= 0 else f"on which {amount} is owed"
    article = "an" if args["kind"] == "investment" else "a"
    return Draft(f"Add {article} {args['kind']} account {cell(name)} in {holds.currency}, {balance}.", (change,))


async def set_rate(tx: Transaction, args: Mapping[str, Any]) -> Draft:
    """The draft of `valuing`; a rate of the same currencies and day is replaced."""
    locale = (await preferences.get(tx)).locale
    rate = Rate.of(args["base"], args["quote"], date.fromisoformat(args["day"]), args["rate"], CHAT)
    change = await rates.entering(tx, rate)
    about, when = f"1 {rate.base} = {rate.value:f} {rate.quote}", short_day(rate.day, locale)
    if change is None:
        return Draft(f"The rate for {when} is already {about}.")
    instead = f", instead of {change.before['rate']}" if change.before else ""
    return Draft(f"Enter the exchange rate {about} for {when}{instead}.", (change,))


async def set_preference(tx: Transaction, args: Mapping[str, Any]) -> Draft:
    """The draft of `preferring`. Raises InvalidInput for what cannot be preferred."""
    own = await preferences.get(tx)
    since = args.get("envelopes_since")
    named = dict(args) | ({"envelopes_since": date.fromisoformat(since)} if since else {})
    wanted = preferences.checked(replace(own, **named))
    change = await preferences.changing(tx, wanted)
    if change is None:
        kept = asdict(wanted)
        already = " and ".join(
            f"the {preferences.NAMES[key]} is already {preferences.shown(kept[key])}" for key in args
        )
        return Draft(f"{already[:1].upper()}{already[1:]}.")
    return Draft(preferences.told(own, wanted), (change,))
