"""Net worth: what someone has less what they owe, per currency, and together where there are rates for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from db.engine import Transaction
from domain.money import Money
from ledger import accounts, rates
from ledger.accounts import Account
from ledger.rates import Converted, MissingRate, RateTable


@dataclass(frozen=True, slots=True)
class NetWorth:
    """The sums of all balances: `by_currency` has one per currency, the user's own first. `total` is all of it in their
    own currency, with the `conversions` it took; None when a rate is missing, and `missing` then asks for it."""

    day: date
    by_currency: tuple[Money, ...]
    total: Money | None
    conversions: tuple[Converted, ...] = ()
    missing: MissingRate | None = None


async def of_user(tx: Transaction, day: date, own: str) -> tuple[tuple[Account, ...], NetWorth]:
    """The accounts, and what they are worth together by the rates of the day. Balances are those of now."""
    found = await accounts.list_(tx)
    known = await rates.table(tx, day, own) if any(a.currency != own for a in found) else RateTable(day, own)
    return found, net_worth(found, known)


def net_worth(found: Sequence[Account], known: RateTable) -> NetWorth:
    """What the accounts are worth together, converted by these rates, each currency once."""
    own = known.own
    sums: dict[str, Money] = {} if found else {own: Money(0, own)}
    for account in found:
        sums[account.currency] = sums.get(account.currency, Money(0, account.currency)) + account.balance
    by_currency = tuple(sorted(sums.values(), key=lambda money: (money.currency != own, money.currency)))
    try:
        converted = tuple(known.convert(money, own) for money in by_currency)
    except MissingRate as missing:
        return NetWorth(known.on, by_currency, None, (), missing)
    total = sum((one.amount for one in converted), Money(0, own))
    return NetWorth(known.on, by_currency, total, tuple(c for c in converted if c.original.currency != own))
