"""What a month will have cost at its end, per category and in all, with a range that holds four times in five.

What is spent already, plus the bills that are still due, plus everyday spending in the days to come. The last is told
from every stretch of as many days in the past year: their trimmed mean is what is expected, and the range lies between
the quantiles that four of five such stretches keep to, widened for how few independent stretches a year has: by half
the finite-sample correction of conformal prediction (Vovk et al., Algorithmic Learning in a Random World, 2005). Half
is what was measured nearest to four in five on generated households; the whole held in nearly nine of ten.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate
from math import ceil, isqrt
from statistics import median_low
from typing import Final
from uuid import UUID

from domain.errors import InvalidInput
from domain.money import Money
from domain.periods import Month
from ledger.insights.history import Charge, History
from ledger.insights.patterns import due

LEAST_DAYS: Final = 60
"""With fewer days of records there is no telling what everyday spending comes to."""
YEAR_DAYS: Final = 365
AHEAD_MONTHS: Final = 12
_OUTSIDE: Final = Fraction(1, 10)
"""The share of outcomes below the range, and above it."""


@dataclass(frozen=True, slots=True)
class Range:
    """What is expected, and between which amounts it will be four times in five."""

    expected: Money
    low: Money
    high: Money


@dataclass(frozen=True, slots=True)
class Bill:
    """A recurring charge that is still due: a fixed amount, or a range when it varies."""

    merchant: str
    category_id: UUID | None
    category: str
    day: date
    amount: Range
    varies: bool


@dataclass(frozen=True, slots=True)
class CategoryForecast:
    """One category at the month's end: `total` is `spent` + `bills` (expected) + `everyday` (expected), exactly."""

    category_id: UUID | None
    category: str
    spent: Money
    bills: Money
    everyday: Money
    total: Range


@dataclass(frozen=True, slots=True)
class Point:
    """What will have been spent in the month by the end of `day`."""

    day: date
    total: Range


@dataclass(frozen=True, slots=True)
class Forecast:
    """A month at its end. `lines` add up to `total` exactly in what is expected (not in the ranges: not everything
    goes badly at once). `path` is every coming day; `seen_days` is how much history it rests on, `days_left` how many
    days are forecast (today counts as over)."""

    month: Month
    today: date
    days_left: int
    seen_days: int
    spent: Money
    lines: tuple[CategoryForecast, ...]
    bills: tuple[Bill, ...]
    total: Range
    path: tuple[Point, ...]


class TooLittleHistory(InvalidInput):
    """There are too few days of records to forecast from."""

    code = "too_little_history"


def forecast(history: History, month: Month) -> Forecast:
    """The month that `history.today` is in, or one of the twelve after it.

    Raises InvalidInput for a month that is over or too far off, TooLittleHistory with under 60 days of records.
    """
    today = history.today
    now = Month.of(today)
    if month < now:
        raise InvalidInput(f"{month} is over; get_spending says what was spent.")
    if month > now.plus(AHEAD_MONTHS):
        raise InvalidInput(f"{month} is too far off; a forecast reaches {AHEAD_MONTHS} months ahead.")
    seen = (today - history.first).days + 1 if history.first else 0
    if seen < LEAST_DAYS:
        raise TooLittleHistory(
            f"There are {seen} days of records; a forecast needs {LEAST_DAYS}, to know what everyday spending comes to."
        )
    start = max(today, month.first - timedelta(days=1))
    days_left = (month.last - start).days
    spent = _spent(history, month)
    bills = tuple(sorted(_bills(history, start, month.last), key=lambda bill: (bill.day, bill.merchant)))
    sums = _Sums(history)
    lines = []
    for key in sorted({*spent, *sums.categories, *(bill.category_id for bill in bills)}, key=str):
        own = [bill for bill in bills if bill.category_id == key]
        known = spent.get(key, 0) + sum(bill.amount.expected.minor for bill in own)
        spread = sums.range(key, days_left)
        total = _around(known + spread[0], [(spread[0] - spread[1], spread[2] - spread[0]), *map(_offsets, own)])
        name = history.names.get(key) or next((bill.category for bill in own), "")
        if spent.get(key, 0) or total[0] or total[2]:
            lines.append(
                CategoryForecast(
                    key,
                    name,
                    history.money(spent.get(key, 0)),
                    history.money(known - spent.get(key, 0)),
                    history.money(spread[0]),
                    _money(history, total),
                )
            )
    lines.sort(key=lambda line: (-line.total.expected.minor, line.category))
    already = sum(spent.values())
    expected = sum(line.everyday.minor for line in lines)
    path = []
    for ahead in range(1, days_left + 1):
        day = start + timedelta(days=ahead)
        come = [bill for bill in bills if bill.day <= day]
        everyday = sums.range(_ALL, ahead)
        # On the last day the lines' own sum, which differs a little from the same mean over all categories at once.
        middle = expected if day == month.last else everyday[0]
        known = already + sum(bill.amount.expected.minor for bill in come)
        offsets = [(max(0, middle - everyday[1]), max(0, everyday[2] - middle)), *map(_offsets, come)]
        path.append(Point(day, _money(history, _around(known + middle, offsets))))
    total_range = path[-1].total if path else _money(history, (already, already, already))
    return Forecast(
        month, today, days_left, seen, history.money(already), tuple(lines), bills, total_range, tuple(path)
    )


def _spent(history: History, month: Month) -> dict[UUID | None, int]:
    spent: defaultdict[UUID | None, int] = defaultdict(int)
    for entry in history.within(month.days):
        spent[entry.category_id] += entry.minor
    return dict(spent)


def _bills(history: History, after: date, until: date) -> list[Bill]:
    """The recurring charges expected after the day `after`, up to `until`."""
    bills = []
    for charge in history.charges:
        days = due(charge.pattern, history.today, until)
        for day in days:
            if day > after:
                amount = _expected(charge, day, history)
                bills.append(
                    Bill(charge.merchant, charge.category_id, charge.category, day, amount, charge.pattern.varies)
                )
    return bills


def _expected(charge: Charge, day: date, history: History) -> Range:
    """What a charge will be: the present price, or for one that varies what it was a year before, else the usual of the
    last three, with the range of how far that rule was off in the past."""
    if not charge.pattern.varies:
        price = charge.pattern.last
        return Range(price, price, price)
    entries = charge.entries
    guess = _guess([(entry.day, entry.minor) for entry in entries], day)
    errors = sorted(
        entries[at].minor - _guess([(e.day, e.minor) for e in entries[:at]], entries[at].day)
        for at in range(3, len(entries))
    )
    low, high = _quantiles(errors, len(errors))
    return _money(history, (guess, max(0, guess + min(0, low)), guess + max(0, high)))


def _guess(past: Sequence[tuple[date, int]], day: date) -> int:
    year_before = [minor for on, minor in past if abs((day - on).days - YEAR_DAYS) <= 15]
    return year_before[-1] if year_before else median_low(minor for _, minor in past[-3:])


class _All:
    """Every category together."""


_ALL: Final = _All()


class _Sums:
    """Everyday spending of the past year by category and day, as running sums: any stretch is one subtraction."""

    def __init__(self, history: History) -> None:
        first = history.first or history.today
        self._start = max(first, history.today - timedelta(days=YEAR_DAYS - 1))
        self._days = (history.today - self._start).days + 1
        daily: defaultdict[UUID | _All | None, list[int]] = defaultdict(lambda: [0] * self._days)
        for entry in history.everyday:
            if entry.day >= self._start:
                at = (entry.day - self._start).days
                daily[entry.category_id][at] += entry.minor
                daily[_ALL][at] += entry.minor
        self._running = {key: [0, *accumulate(own)] for key, own in daily.items()}
        self.categories = tuple(key for key in daily if not isinstance(key, _All))

    def range(self, key: UUID | _All | None, length: int) -> tuple[int, int, int]:
        """(expected, low, high) of a stretch of so many days; rough when that is more than half of the history."""
        running = self._running.get(key)
        if running is None or length == 0:
            return 0, 0, 0
        span = min(length, self._days)
        stretches = sorted(running[at + span] - running[at] for at in range(self._days - span + 1))
        low, high = _quantiles(stretches, max(1, self._days // span))
        mean = _trimmed_mean(stretches)
        return mean, min(low, mean), max(high, mean)


def _quantiles(ordered: Sequence[int], independent: int) -> tuple[int, int]:
    """The outer tenths of `ordered`, moved outward as far as `independent` values leave them uncertain."""
    if not ordered:
        return 0, 0
    upper = min(Fraction(1), (1 - _OUTSIDE) * (1 + Fraction(1, 2 * independent)))
    at = max(0, ceil(upper * len(ordered)) - 1)
    return ordered[len(ordered) - 1 - at], ordered[at]


def _trimmed_mean(ordered: Sequence[int]) -> int:
    """The mean with the outer tenths pulled in to the tenth (winsorized): one dentist's bill is no monthly habit."""
    low, high = ordered[len(ordered) // 10], ordered[len(ordered) - 1 - len(ordered) // 10]
    return int((Decimal(sum(min(max(value, low), high) for value in ordered)) / len(ordered)).to_integral_value())


def _offsets(bill: Bill) -> tuple[int, int]:
    amount = bill.amount
    return amount.expected.minor - amount.low.minor, amount.high.minor - amount.expected.minor


def _around(middle: int, offsets: Sequence[tuple[int, int]]) -> tuple[int, int, int]:
    """(expected, low, high) of a sum whose parts vary by themselves: their deviations add up as squares."""
    down, up = (isqrt(sum(pair[side] ** 2 for pair in offsets)) for side in (0, 1))
    return middle, middle - down, middle + up


def _money(history: History, values: tuple[int, int, int]) -> Range:
    return Range(*(history.money(value) for value in values))
