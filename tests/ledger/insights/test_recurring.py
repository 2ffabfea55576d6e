"""Recurring charges of generated households with known truth."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest

from domain.money import Money
from domain.periods import Month
from ledger.insights.patterns import detect, due, separate

SEEDS = range(15)


def usd(minor: int) -> Money:
    return Money(minor, "USD")


def day_in(seed: int) -> date:
    return date(2025, 11, 1) + timedelta(days=Random(seed).randrange(270))


def test_precision_and_recall_on_generated_households(
    home_of: Callable[[int], Any], record_property: Callable[[str, object], None]
) -> None:
    """Of all rhythms nearly all are found with their cadence, nearly nothing else is, and ended ones are told."""
    right = wrong = missed = ended_right = ended_wrong = ended = 0
    for seed in SEEDS:
        home = home_of(seed)
        history = home.until(day_in(seed))
        found = {c.merchant: c.pattern for c in history.charges if not c.among}
        for merchant, cadence in home.rhythms.items():
            if merchant in found and found[merchant].cadence == cadence:
                right += 1
            else:
                missed += 1
        wrong += sum(merchant not in home.rhythms for merchant in found)
        for merchant, pattern in found.items():
            over = merchant in home.ended and home.ended[merchant] < history.today - timedelta(days=130)
            ended += over
            ended_right += over and pattern.lapsed
            ended_wrong += pattern.lapsed and merchant not in home.ended
    precision, recall = right / (right + wrong), right / (right + missed)
    record_property("recurring_precision", precision)
    record_property("recurring_recall", f"{recall} of {right + missed}")
    record_property("recurring_ended", f"{ended_right} of {ended} told")
    assert precision >= 0.97
    assert recall >= 0.95
    assert ended_wrong == 0
    assert ended_right >= 0.8 * ended


def test_subscriptions_among_purchases_are_separated(
    home_of: Callable[[int], Any], record_property: Callable[[str, object], None]
) -> None:
    """A subscription at a merchant of one-off purchases is found at its amount, and no purchase is taken for one."""
    found = wrong = 0
    for seed in SEEDS:
        home = home_of(seed)
        among = [c for c in home.until(day_in(seed)).charges if c.among]
        found += any(c.merchant == "Bazaar" for c in among)
        wrong += sum(c.merchant != "Bazaar" for c in among)
        assert all({e.minor for e in c.entries} <= {1499, round(1499 * 1.15)} for c in among if c.merchant == "Bazaar")
    record_property("hidden_subscriptions", f"{found} of {len(SEEDS)} found, {wrong} wrongly")
    assert found >= 0.9 * len(SEEDS)
    assert wrong <= 1


def test_the_next_date_is_when_the_next_charge_comes(home_of: Callable[[int], Any]) -> None:
    """In nine of ten cases within three days; a charge that has not ended is not overdue for long."""
    near = asked = 0
    for seed in SEEDS:
        home, today = home_of(seed), day_in(seed)
        for charge in home.until(today).charges:
            coming = [e.day for e in home.entries if e.merchant == charge.merchant and e.day > today]
            if not charge.among and coming and charge.pattern.next:
                asked += 1
                near += abs((coming[0] - charge.pattern.next).days) <= 3
    assert asked > 50
    assert near >= 0.9 * asked


@pytest.mark.parametrize(
    ("step", "cadence", "a_year"), [(7, "weekly", 520_00), (14, "fortnightly", 260_00), (91, "quarterly", 40_00)]
)
def test_each_rhythm_costs_its_times_in_a_year(step: int, cadence: str, a_year: int) -> None:
    """52, 26 or 4 charges of ten dollars."""
    days = [date(2026, 1, 5) + timedelta(days=step * n) for n in range(7)]
    pattern = detect(days, [usd(10_00)] * 7, days[-1])
    assert pattern is not None
    assert (pattern.cadence, pattern.per_year) == (cadence, usd(a_year))


def test_pay_twice_a_month_is_told_from_every_two_weeks() -> None:
    """On the 15th and the last day, moved to Fridays; the next is the other day of the two."""
    days = []
    for number in range(8):
        month = Month(2026, 1).plus(number)
        paydays = month.first.replace(day=15), month.last
        days += [day - timedelta(days=max(0, day.weekday() - 4)) for day in paydays]
    pattern = detect(days, [usd(1_800_00 + n) for n in range(16)], days[-1], income=True)
    assert pattern is not None
    assert (pattern.cadence, pattern.next) == ("semimonthly", date(2026, 9, 15))


def test_a_double_charge_does_not_hide_a_rhythm() -> None:
    """The same amount twice on one day counts once."""
    days = [Month(2026, 1).plus(n).first for n in range(6)]
    pattern = detect([*days, days[-1]], [usd(9_99)] * 7, days[-1])
    assert pattern is not None
    assert pattern.count == 6


def test_two_subscriptions_at_one_merchant_are_two() -> None:
    """Without any purchase beside them, too; a price that rises goes on as one."""
    months = [Month(2026, 1).plus(n) for n in range(8)]
    charges = [(m.first + timedelta(days=4), usd(2_99)) for m in months]
    charges += [(m.first + timedelta(days=20), usd(10_99 if n < 4 else 12_99)) for n, m in enumerate(months)]
    charges.sort(key=lambda pair: pair[0])
    found = separate([day for day, _ in charges], [amount for _, amount in charges], date(2026, 8, 25))
    assert sorted((f.pattern.last.minor, f.pattern.count) for f in found) == [(2_99, 8), (12_99, 8)]


def test_what_is_due_keeps_to_the_last_day_of_the_month() -> None:
    """Charges of the 31st are due on the 30th of June; an overdue one is due tomorrow."""
    days = [date(2026, 3, 31), date(2026, 4, 30), date(2026, 5, 31)]
    pattern = detect(days, [usd(5_00)] * 3, date(2026, 6, 2))
    assert pattern is not None
    assert due(pattern, date(2026, 6, 2), date(2026, 8, 31)) == (
        date(2026, 6, 30),
        date(2026, 7, 31),
        date(2026, 8, 31),
    )
    assert due(pattern, date(2026, 7, 2), date(2026, 7, 31)) == (date(2026, 7, 3), date(2026, 7, 31))
