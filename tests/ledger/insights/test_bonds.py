"""What belongs together in insights: the parts of a split are one purchase, a transfer is none."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from db.engine import Database
from domain.ids import new_id
from domain.money import Money
from domain.periods import DateRange, Month
from ledger import recurring
from ledger.changes import Change, apply, inserted
from ledger.insights import history
from ledger.insights.anomalies import anomalies
from ledger.insights.forecast import forecast

TODAY = date(2026, 11, 22)
MONTHS = [Month(2026, number) for number in range(4, 12)]


@pytest.fixture
async def person(database: Database, user: UUID) -> UUID:
    """Pays a club 20.00 on each 5th, split in two halves, and moves 300.00 to savings on each 1st, whose ends
    are in a spending category, as no tool would leave them."""
    account, fun, home = (str(new_id()) for _ in range(3))
    changes: list[Change] = [
        inserted("account", {"id": account}, name="Checking", kind="checking", currency="USD"),
        inserted("category", {"id": fun}, name="Fun"),
        inserted("category", {"id": home}, name="Home"),
    ]

    def posting(day: date, minor: int, merchant: str, category: str, **more: Any) -> str:
        key = str(new_id())
        own = {"account_id": account, "day": day.isoformat(), "currency": "USD", "merchant": merchant}
        changes.append(inserted("txn", {"id": key}, amount_minor=minor, category_id=category, **own, **more))
        return key

    for month in MONTHS:
        whole = posting(month.first.replace(day=5), -10_00, "Club", fun)
        posting(month.first.replace(day=5), -10_00, "Club", home, split_of=whole)
        transfer = str(new_id())
        posting(month.first, -300_00, "Transfer to Savings", fun, transfer_id=transfer)
        posting(month.first, 300_00, "Transfer from Checking", fun, transfer_id=transfer)
    async with database.transaction(user) as tx:
        await apply(tx, changes)
    return user


async def test_a_split_charge_recurs_once(database: Database, person: UUID) -> None:
    """With its whole price, monthly, in the first part's category; the transfers are no charge and no income."""
    async with database.read(person) as tx:
        (club,) = await recurring.find(tx, TODAY)
        assert await recurring.find(tx, TODAY, flow="income") == ()
        known = await history.load(tx, TODAY, "USD")
    usd = Money(20_00, "USD")
    assert (club.merchant, club.category) == ("Club", "Fun")
    assert (club.pattern.cadence, club.pattern.count, club.pattern.typical) == ("monthly", 8, usd)
    (charge,) = known.charges
    assert (charge.pattern.typical, len(charge.entries), known.everyday) == (usd, 8, ())


async def test_parts_count_once_and_transfers_never(database: Database, person: UUID) -> None:
    """Each part in its category and their sum in all; two equal parts are no double charge."""
    async with database.read(person) as tx:
        known = await history.load(tx, TODAY, "USD")
    assert sum(entry.minor for entry in known.entries) == len(MONTHS) * 20_00
    assert sum(entry.minor for entry in known.purchases) == len(MONTHS) * 20_00
    assert len(known.purchases) == len(MONTHS)
    found = forecast(known, Month.of(TODAY))
    assert {line.category: line.spent.minor for line in found.lines} == {"Fun": 10_00, "Home": 10_00}
    assert found.total.expected == Money(20_00, "USD")
    assert anomalies(known, DateRange(date(2026, 11, 1), TODAY)).twice == ()
