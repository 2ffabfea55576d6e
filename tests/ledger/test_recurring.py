"""Recurring charges: the known ones are found with their prices and dates, shopping is not taken for one."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

import pytest

from db.engine import Database
from domain.money import Money
from domain.periods import Month
from ledger import household, recurring
from ledger.household import Household
from ledger.household_plan import BILLS, HABITS
from ledger.recurring import Recurring, detect

TODAY = date(2026, 11, 22)


def usd(minor: int) -> Money:
    return Money(minor, "USD")


@pytest.fixture
async def found(database: Database, resident: UUID) -> dict[str, Recurring]:
    async with database.read(resident) as tx:
        return {charge.merchant: charge for charge in await recurring.find(tx, TODAY)}


async def test_exactly_the_bills_are_found(found: dict[str, Recurring]) -> None:
    """Every subscription and bill, the varying utilities too, and no shop, however regular."""
    bills = {bill.merchant for bill in BILLS}
    assert set(found) == bills | {"Pacific Gas & Electric", "City Water"}


async def test_a_price_rise_is_told_with_its_day(found: dict[str, Recurring]) -> None:
    """Netflix went from 15.49 to 17.99 on 5 April 2026, and rent rose in May."""
    netflix = found["Netflix"].pattern
    assert netflix.price_change == recurring.PriceChange(date(2026, 4, 5), usd(15_49), usd(17_99))
    assert (netflix.typical, netflix.last, netflix.cadence) == (usd(17_99), usd(17_99), "monthly")
    assert netflix.next == date(2026, 12, 5)
    rent = found["Maple Street Apartments"].pattern.price_change
    assert rent == recurring.PriceChange(date(2026, 5, 1), usd(2_150_00), usd(2_225_00))
    assert found["Spotify"].pattern.price_change is None


async def test_a_cancelled_subscription_is_lapsed(found: dict[str, Recurring]) -> None:
    """Audible was charged last in May: no next charge is expected; it is the only one."""
    assert found["Audible"].pattern.last_day == date(2026, 5, 9)
    assert [name for name, charge in found.items() if charge.pattern.lapsed] == ["Audible"]


async def test_a_yearly_charge_is_found_and_costs_a_twelfth_a_month(found: dict[str, Recurring]) -> None:
    """Amazon Prime is seen twice a year apart, due again a year on, and is not mixed up with Amazon."""
    prime = found["Amazon Prime"].pattern
    assert (prime.cadence, prime.count, prime.typical, prime.next) == ("yearly", 2, usd(139_00), date(2027, 9, 15))
    assert prime.per_month == usd(11_58)


async def test_bills_that_vary_are_marked(found: dict[str, Recurring]) -> None:
    """Electricity follows the seasons: a usual amount, no price change."""
    energy = found["Pacific Gas & Electric"].pattern
    assert energy.varies
    assert energy.price_change is None
    assert usd(70_00) < energy.typical < usd(200_00)


async def test_one_category_can_be_asked_for(database: Database, resident: UUID, home: Household) -> None:
    """The subscriptions alone, dearest month first and the lapsed one last."""
    subscriptions = next(c.id for c in home.categories if c.name == "Subscriptions")
    async with database.read(resident) as tx:
        charges = await recurring.find(tx, TODAY, subscriptions)
    assert [c.merchant for c in charges] == ["Netflix", "Spotify", "Amazon Prime", "iCloud+", "Audible"]


@pytest.mark.parametrize("today", [date(2026, 11, 1), date(2027, 3, 1), date(2028, 2, 29), date(2026, 7, 31)])
@pytest.mark.parametrize("seed", range(5))
def test_detection_holds_for_other_households_and_days(today: date, seed: int) -> None:
    """No habit is reported and no fixed bill missed, whatever the seed and the day."""
    home = household.generate(today, seed)
    for habit in HABITS:
        own = [t for t in home.transactions if t.merchant == habit.merchant and t.amount.minor < 0]
        dollars = [t for t in own if t.amount.currency == "USD"]
        assert detect([t.day for t in dollars], [-t.amount for t in dollars], today) is None, habit.merchant
    for bill in BILLS:
        own = [t for t in home.transactions if t.merchant == bill.merchant]
        pattern = detect([t.day for t in own], [-t.amount for t in own], today)
        assert pattern is not None, bill.merchant
        assert pattern.lapsed == (bill.until is not None)


def monthly(count: int, day: int = 31) -> list[date]:
    months = [Month(2026, 1).plus(n) for n in range(count)]
    return [m.first + timedelta(days=min(day, len(m.days)) - 1) for m in months]


def test_a_charge_on_the_last_day_stays_on_the_last_day() -> None:
    """Charged on the 31st, in February on the 28th, the next one is on the month's last day again."""
    pattern = detect(monthly(3), [usd(900)] * 3, date(2026, 4, 2))
    assert pattern is not None
    assert pattern.next == date(2026, 4, 30)


def test_a_weekly_charge_is_due_in_a_week() -> None:
    """Five or more charges a week apart at one price are weekly."""
    days = [date(2026, 10, 1) + timedelta(days=7 * n) for n in range(6)]
    pattern = detect(days, [usd(12_00)] * 6, date(2026, 11, 6))
    assert pattern is not None
    assert (pattern.cadence, pattern.next, pattern.per_month) == ("weekly", date(2026, 11, 12), usd(52_00))


def test_too_few_or_irregular_charges_are_no_pattern() -> None:
    """Two months are no habit, and neither are scattered days of one price."""
    assert detect(monthly(2), [usd(900)] * 2, date(2026, 3, 2)) is None
    scattered = [date(2026, 1, 1) + timedelta(days=n) for n in (0, 3, 20, 24, 60, 63, 90)]
    assert detect(scattered, [usd(500)] * 7, date(2026, 4, 2)) is None
    assert detect([], [], TODAY) is None
