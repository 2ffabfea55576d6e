"""What is unusual: purchases far above what is usual at the merchant or in the category, categories far above their own
past, and charges that may have been made twice.

Usual is the median; how far amounts spread is the median absolute deviation of their logarithms (spending is skewed,
and neither is moved by the outliers looked for): the modified score of Iglewicz and Hoaglin (How to Detect and Handle
Outliers, 1993). They advise 3.5; with a year of purchases at dozens of merchants that flags too much, so it is 4 here,
and the amount must stand clear of the largest that are usual. Floats here are scores, never money.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from math import log
from statistics import median, median_low
from typing import Final, Literal
from uuid import UUID

from domain.money import Money
from domain.periods import DateRange, Month
from ledger.insights.history import Entry, History

LIMIT: Final = 4
"""Robust standard deviations from usual, above which an amount is unusual."""
LEAST_TIMES: Final = Decimal(2)
"""And it must be at least so many times the usual amount."""
LEAST_AT_MERCHANT: Final = 5
LEAST_IN_CATEGORY: Final = 12
LEAST_PERIODS: Final = 6
_MOST_PERIODS: Final = 12
_YEAR: Final = timedelta(days=365)
CLEAR: Final = Decimal("1.5")
"""And clear of what all but one in twenty stayed under, by this factor."""
_LEAST_SPREAD: Final = 0.15
"""A spread (of logarithms) below this is taken for this: one who always pays the same may pay a sixth more."""
_TO_SIGMA: Final = 1.4826
_HABITUAL_TWINS: Final = 2, 20
"""Where equal purchases on one day have come more often than twice, and on more than one day in twenty (tickets,
vending), they are no suspects."""


@dataclass(frozen=True, slots=True)
class Unusual:
    """A purchase far above what is usual `at` its merchant or in its category: the median of `count` earlier ones."""

    entry: Entry
    amount: Money
    usual: Money
    times: Decimal
    count: int
    at: Literal["merchant", "category"]


@dataclass(frozen=True, slots=True)
class Heavy:
    """A category far above its own past: `usual` is the median of `count` earlier periods, refunds taken off."""

    category_id: UUID | None
    category: str
    days: DateRange
    amount: Money
    usual: Money
    times: Decimal
    count: int


@dataclass(frozen=True, slots=True)
class Twice:
    """Purchases at one merchant of one amount on one day: possibly charged twice. `extra` is all of them but one."""

    entries: tuple[Entry, ...]
    amount: Money
    extra: Money


@dataclass(frozen=True, slots=True)
class Anomalies:
    """What is unusual in a period, each kind with the largest excess first."""

    days: DateRange
    looked_at: int
    purchases: tuple[Unusual, ...]
    categories: tuple[Heavy, ...]
    twice: tuple[Twice, ...]


def anomalies(history: History, days: DateRange) -> Anomalies:
    """What is unusual in these days, against the year before each purchase and the periods before these days."""
    inside = [entry for entry in history.within(days) if entry.minor > 0]
    steady = {e.no for charge in history.charges if not charge.pattern.varies for e in charge.entries}
    merchants = _Past(history.entries, lambda entry: entry.merchant.lower())
    categories = _Past([e for e in history.entries if e.whole not in steady], lambda entry: entry.category_id)
    unusual = []
    for entry in inside:
        if entry.whole not in steady:
            found = _unusual(history, entry, merchants, categories)
            if found:
                unusual.append(found)
    unusual.sort(key=lambda u: (u.usual.minor - u.amount.minor, u.entry.no))
    return Anomalies(days, len(inside), tuple(unusual), _heavy(history, days), _twice(history, days))


class _Past:
    """Purchases by key, to be asked for those in the year before a day."""

    def __init__(self, entries: Sequence[Entry], key: Callable[[Entry], str | UUID | None]) -> None:
        self._key = key
        self._own: defaultdict[str | UUID | None, list[Entry]] = defaultdict(list)
        for entry in entries:
            if entry.minor > 0:
                self._own[key(entry)].append(entry)

    def before(self, entry: Entry) -> list[int]:
        own = self._own[self._key(entry)]
        start = bisect_left(own, entry.day - _YEAR, key=lambda e: e.day)
        end = bisect_left(own, entry.day, key=lambda e: e.day)
        return [e.minor for e in own[start:end]]


def _unusual(history: History, entry: Entry, merchants: _Past, categories: _Past) -> Unusual | None:
    """Against the merchant when it is known well enough, else against the category."""
    at: Literal["merchant", "category"] = "merchant"
    past = merchants.before(entry) if entry.merchant else []
    if len(past) < LEAST_AT_MERCHANT:
        at, past = "category", categories.before(entry)
        if len(past) < LEAST_IN_CATEGORY:
            return None
    usual = median_low(past)
    ceiling = sorted(past)[-1 - len(past) // 20]
    if entry.minor < LEAST_TIMES * usual or entry.minor < CLEAR * ceiling or _score(entry.minor, past) <= LIMIT:
        return None
    return Unusual(entry, history.money(entry.minor), history.money(usual), _times(entry.minor, usual), len(past), at)


def _score(amount: int, past: Sequence[int]) -> float:
    """How many robust standard deviations the logarithm of the amount lies above the median; amounts are positive."""
    logs = [log(value) for value in past]
    middle = median(logs)
    spread = max(_LEAST_SPREAD, _TO_SIGMA * median(abs(value - middle) for value in logs))
    return (log(amount) - middle) / spread


def _times(amount: int, usual: int) -> Decimal:
    return (Decimal(amount) / usual).quantize(Decimal("0.1"), ROUND_HALF_EVEN)


def _heavy(history: History, days: DateRange) -> tuple[Heavy, ...]:
    """Categories whose sum is far above that of the periods before: for (a part of) a calendar month the same days of
    the months before, else as many days before. At least six periods, and
    two purchases, so that a single one is not told twice."""
    periods = [period for period in _before(days) if history.first and period.start >= history.first]
    if len(periods) < LEAST_PERIODS:
        return ()
    bought = Counter(entry.category_id for entry in history.within(days) if entry.minor > 0)
    found = []
    for category_id, own in _sums(history, [days, *periods]).items():
        amount, past = own[0], own[1:]
        usual = median_low(past)
        if usual <= 0 or bought[category_id] < 2 or amount < LEAST_TIMES * usual:
            continue
        if _score(amount, [max(1, value) for value in past]) > LIMIT:
            name = history.names.get(category_id, "")
            figures = history.money(amount), history.money(usual), _times(amount, usual)
            found.append(Heavy(category_id, name, days, *figures, len(past)))
    return tuple(sorted(found, key=lambda heavy: heavy.usual.minor - heavy.amount.minor))


def _before(days: DateRange) -> list[DateRange]:
    month = Month.of(days.start)
    if Month.of(days.end) == month and days.start == month.first:
        earlier = [month.plus(-n) for n in range(1, _MOST_PERIODS + 1)]
        whole = days == month.days
        return [m.days if whole else m.days.until(m.first + (days.end - days.start)) for m in earlier]
    periods = [days.before()]
    while len(periods) < _MOST_PERIODS and periods[-1].start.year > 1900 and len(days) <= 366:
        periods.append(periods[-1].before())
    return periods


def _sums(history: History, periods: Sequence[DateRange]) -> dict[UUID | None, list[int]]:
    sums: defaultdict[UUID | None, list[int]] = defaultdict(lambda: [0] * len(periods))
    for at, period in enumerate(periods):
        for entry in history.within(period):
            sums[entry.category_id][at] += entry.minor
    return dict(sums)


def _twice(history: History, days: DateRange) -> tuple[Twice, ...]:
    """Equal purchases on one day, where that has hardly happened before, less those that came back as a refund. The
    parts of a split are one purchase."""
    bought = Counter(_same(entry) for entry in history.purchases if entry.day in days and entry.merchant)
    suspects: dict[tuple[str, date, int], list[Entry]] = {key: [] for key, times in bought.items() if times > 1}
    merchants = {merchant for merchant, _, _ in suspects}
    groups: Counter[tuple[str, date, int]] = Counter()
    for entry in history.purchases:
        if entry.merchant.lower() in merchants:
            key = _same(entry)
            groups[key] += 1
            if key in suspects:
                suspects[key].append(entry)
    twins: Counter[str] = Counter()
    visits: defaultdict[str, set[date]] = defaultdict(set)
    for (merchant, day, _), times in groups.items():
        twins[merchant] += times > 1
        visits[merchant].add(day)
    least, one_in = _HABITUAL_TWINS
    refunds = [entry for entry in history.entries if entry.minor < 0 and entry.merchant.lower() in merchants]
    found = []
    for (merchant, day, minor), own in suspects.items():
        if twins[merchant] > least and twins[merchant] * one_in > len(visits[merchant]):
            continue
        if any(e.minor == -minor and e.merchant.lower() == merchant and e.day >= day for e in refunds):
            continue
        found.append(Twice(tuple(own), history.money(minor), history.money(minor * (len(own) - 1))))
    return tuple(sorted(found, key=lambda twice: (-twice.extra.minor, twice.entries[0].no)))


def _same(entry: Entry) -> tuple[str, date, int]:
    """What purchases that may be one have in common."""
    return entry.merchant.lower(), entry.day, entry.minor
