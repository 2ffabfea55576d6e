"""Forecasts of generated households against what really came."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from random import Random
from statistics import median
from typing import Any

import pytest

from domain.errors import InvalidInput
from domain.money import Money
from domain.periods import Month
from ledger.insights.forecast import TooLittleHistory, forecast

SEEDS = range(15)


def looks(home_of: Callable[[int], Any]) -> list[tuple[Any, date]]:
    """Each household on four days, drawn from its seed."""
    found = []
    for seed in SEEDS:
        draw = Random(f"looks:{seed}")
        found += [(home_of(seed), date(2025, 10, 1) + timedelta(days=draw.randrange(270))) for _ in range(4)]
    return found


def test_four_ranges_in_five_hold(
    home_of: Callable[[int], Any], record_property: Callable[[str, object], None]
) -> None:
    """The range for the month and for each category contains the truth about four times in five; the expected total
    is nearer to it than last month was."""
    totals, categories, coming, off, naive = [], [], [], [], []
    for home, today in looks(home_of):
        history, month = home.until(today), Month.of(today)
        ahead = forecast(history, month.plus(1)).total
        coming.append(ahead.low.minor <= home.spent(month.plus(1)) <= ahead.high.minor)
        found, truth = forecast(history, month), home.spent(month)
        if not found.days_left:
            continue
        totals.append(found.total.low.minor <= truth <= found.total.high.minor)
        off.append(abs(found.total.expected.minor - truth) / truth)
        naive.append(abs(home.spent(month.plus(-1)) - truth) / truth)
        uncertain = [line for line in found.lines if line.total.low != line.total.high]
        categories += [
            li.total.low.minor <= home.spent(month, li.category_id) <= li.total.high.minor for li in uncertain
        ]
    figures = {
        "coverage_total": sum(totals) / len(totals),
        "coverage_next_month": sum(coming) / len(coming),
        "coverage_category": sum(categories) / len(categories),
        "median_error": median(off),
        "median_error_of_last_month": median(naive),
    }
    for name, value in figures.items():
        record_property(f"forecast_{name}", value)
    assert 0.70 <= figures["coverage_total"] <= 0.90
    assert 0.66 <= figures["coverage_next_month"] <= 0.94
    assert 0.72 <= figures["coverage_category"] <= 0.92
    assert figures["median_error"] < figures["median_error_of_last_month"]


def test_the_parts_add_up_exactly(home_of: Callable[[int], Any]) -> None:
    """Lines add up to the total in spent and expected; each line is spent, bills and everyday; the path ends there."""
    for home, today in looks(home_of)[:20]:
        for month in (Month.of(today), Month.of(today).plus(2)):
            found = forecast(home.until(today), month)
            assert sum(line.total.expected.minor for line in found.lines) == found.total.expected.minor
            assert sum(line.spent.minor for line in found.lines) == found.spent.minor
            for line in found.lines:
                assert line.spent + line.bills + line.everyday == line.total.expected
                assert line.total.low.minor <= line.total.expected.minor <= line.total.high.minor
            assert sum(bill.amount.expected.minor for bill in found.bills) == sum(li.bills.minor for li in found.lines)
            if found.path:
                assert found.path[-1].total == found.total
                assert [point.day for point in found.path][-1] == month.last


def test_known_bills_are_counted_once(home_of: Callable[[int], Any]) -> None:
    """The rent that is paid is not due again; the one that is not is due whole."""
    home = home_of(1)
    (rent,) = (c for c in home.until(date(2026, 1, 31)).charges if c.merchant == "Landlord")
    paid = rent.entries[-1].day
    for today, due in ((paid - timedelta(days=1), 1), (paid, 0)):
        found = forecast(home.until(today), Month.of(paid))
        assert sum(bill.merchant == "Landlord" for bill in found.bills) == due
        line = next(li for li in found.lines if li.category == "Rent")
        assert line.total.expected == Money(rent.entries[-1].minor, "USD")


def test_on_the_last_day_nothing_is_left_to_forecast(home_of: Callable[[int], Any]) -> None:
    """The total is what is spent, without a range."""
    home = home_of(2)
    found = forecast(home.until(date(2026, 1, 31)), Month(2026, 1))
    assert found.total.low == found.total.expected == found.total.high == found.spent
    assert found.spent.minor == home.spent(Month(2026, 1))


def test_what_cannot_be_forecast_is_refused(home_of: Callable[[int], Any]) -> None:
    """A month that is over or more than a year off, and a user of five weeks."""
    history = home_of(3).until(date(2026, 1, 10))
    for month in (Month(2025, 12), Month(2027, 2)):
        with pytest.raises(InvalidInput, match=r"is over|too far off"):
            forecast(history, month)
    recent = tuple(entry for entry in history.entries if entry.day >= date(2025, 12, 6))
    with pytest.raises(TooLittleHistory, match="36 days"):
        forecast(replace(history, entries=recent, first=recent[0].day), Month(2026, 1))
