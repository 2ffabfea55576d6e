"""Charges that come back, found from dates and amounts alone, by rules one can explain.

A series is recurring when it comes weekly, every two weeks, twice a month, monthly, quarterly or yearly, with hardly an
exception, and either
- holds its amount, but for a few steps (a price rise), or
- is a monthly bill whose amount varies (electricity) but that comes once a month on about the same day.
Weekly shopping at one store is regular too; its changing amounts are what tells it from a subscription.
Among other purchases at a merchant, a subscription is what has one exact amount, in rhythm, without any exception.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from statistics import median_low
from typing import Final, Literal

from domain.money import Money
from domain.periods import Month

Cadence = Literal["weekly", "fortnightly", "semimonthly", "monthly", "quarterly", "yearly"]

_GAP: Final[dict[Cadence, tuple[int, int]]] = {
    "weekly": (6, 8),
    "fortnightly": (13, 15),
    "semimonthly": (11, 19),
    "monthly": (26, 35),
    "quarterly": (84, 98),
    "yearly": (355, 375),
}
_LEAST: Final[dict[Cadence, int]] = {
    "weekly": 5,
    "fortnightly": 4,
    "semimonthly": 6,
    "monthly": 3,
    "quarterly": 3,
    "yearly": 2,
}
_LEAST_AMONG: Final[dict[Cadence, int]] = {"weekly": 6, "fortnightly": 6, "monthly": 4, "quarterly": 4}
"""How often one exact amount must have come, to be a subscription among other purchases at its merchant."""
_GRACE: Final[dict[Cadence, int]] = {
    "weekly": 5,
    "fortnightly": 7,
    "semimonthly": 8,
    "monthly": 12,
    "quarterly": 20,
    "yearly": 30,
}
_A_YEAR: Final[dict[Cadence, int]] = {
    "weekly": 52,
    "fortnightly": 26,
    "semimonthly": 24,
    "monthly": 12,
    "quarterly": 4,
    "yearly": 1,
}
_MONTHS: Final[dict[Cadence, int]] = {"monthly": 1, "quarterly": 3, "yearly": 12}
_SAME: Final = Decimal("0.02")
"""Amounts that differ by no more than this share are one price (tax and exchange move a price a little)."""
_NEAR: Final = 3
"""Days that a charge may lie off its usual day of the month: weekends and bank holidays."""


@dataclass(frozen=True, slots=True)
class PriceChange:
    """The last step in a steady price: `day` is the first charge at the new one."""

    day: date
    before: Money
    after: Money


@dataclass(frozen=True, slots=True)
class Pattern:
    """What a series of charges shows. Amounts are positive. `typical` is the median of what was charged at the present
    price, or of all charges when it `varies`. `next` is None when the series seems to have ended (`lapsed`); `anchor`
    are the usual days of the month, none for rhythms that count in weeks."""

    cadence: Cadence
    varies: bool
    typical: Money
    last: Money
    first_day: date
    last_day: date
    count: int
    price_change: PriceChange | None
    next: date | None
    anchor: tuple[int, ...] = ()

    @property
    def lapsed(self) -> bool:
        """The next charge is overdue by more than the cadence's grace: possibly cancelled."""
        return self.next is None

    @property
    def per_month(self) -> Money:
        """What it costs in an average month, rounded to a minor unit."""
        return self.typical.split(Decimal(_A_YEAR[self.cadence]) / 12)

    @property
    def per_year(self) -> Money:
        """What it costs in a year at the present price, exact: 52, 26, 24, 12, 4 or 1 times."""
        return Money(self.typical.minor * _A_YEAR[self.cadence], self.typical.currency)


@dataclass(frozen=True, slots=True)
class Found:
    """A pattern and the indexes of the charges it was found in; `among` other purchases at the same merchant."""

    pattern: Pattern
    at: tuple[int, ...]
    among: bool = False


def detect(days: Sequence[date], charges: Sequence[Money], today: date, *, income: bool = False) -> Pattern | None:
    """The pattern in one merchant's charges (positive amounts of one currency, oldest first), or None.

    The same amount twice on one day counts once. With `income` amounts may vary in every rhythm, as wages do.
    """
    days, charges = _once(days, charges)
    cadence = _cadence(days)
    if cadence is None:
        return None
    prices = _prices(charges)
    steady = len(prices) <= 1 + len(charges) // 6
    if not steady and not (_is_wage(charges) if income else cadence == "monthly" and _is_bill(days, charges)):
        return None
    return _pattern(days, charges, today, cadence, prices if steady else None)


def separate(days: Sequence[date], charges: Sequence[Money], today: date, *, income: bool = False) -> tuple[Found, ...]:
    """The patterns in one merchant's charges: all of them as one series, else each exact amount in rhythm by itself."""
    whole = detect(days, charges, today, income=income)
    if whole:
        return (Found(whole, tuple(range(len(days)))),)
    found = []
    for cadence, at in _runs(days, charges):
        own, amounts = _once([days[i] for i in at], [charges[i] for i in at])
        if len(own) >= _LEAST_AMONG[cadence]:
            found.append(Found(_pattern(own, amounts, today, cadence, _prices(amounts)), tuple(at), among=True))
    return tuple(found)


def due(pattern: Pattern, after: date, until: date) -> tuple[date, ...]:
    """When charges are expected after the day `after` up to `until`; an overdue one is expected the day after it."""
    days: list[date] = []
    day = pattern.next
    while day is not None and day <= until:
        days.append(max(day, after + timedelta(days=1)))
        day = _following(day, pattern.cadence, pattern.anchor)
    return tuple(sorted({day for day in days if day <= until}))


def _pattern(
    days: Sequence[date], charges: Sequence[Money], today: date, cadence: Cadence, prices: list[int] | None
) -> Pattern:
    """The pattern of a series in rhythm; `prices` are where a new price starts, None for amounts that vary."""
    current = charges[prices[-1] :] if prices else charges
    step = None
    if prices and len(prices) > 1:
        at = prices[-1]
        step = PriceChange(days[at], charges[at - 1], charges[at])
    anchor = _anchor(days, cadence)
    following = _first_due(days[-1], cadence, anchor)
    return Pattern(
        cadence=cadence,
        varies=prices is None,
        typical=Money(median_low(charge.minor for charge in current), charges[0].currency),
        last=charges[-1],
        first_day=days[0],
        last_day=days[-1],
        count=len(days),
        price_change=step,
        next=following if following + timedelta(days=_GRACE[cadence]) >= today else None,
        anchor=anchor,
    )


def _once(days: Sequence[date], charges: Sequence[Money]) -> tuple[list[date], list[Money]]:
    """The charges without those that repeat an amount on its day (charged twice by mistake)."""
    kept = dict.fromkeys(zip(days, charges, strict=True))
    return [day for day, _ in kept], [charge for _, charge in kept]


def _cadence(days: Sequence[date]) -> Cadence | None:
    """The cadence that all gaps between charges keep but one in eight."""
    gaps = [(later - earlier).days for earlier, later in pairwise(days)]
    for cadence, (low, high) in _GAP.items():
        kept = sum(low <= gap <= high for gap in gaps)
        if len(days) >= _LEAST[cadence] and len(gaps) - kept <= len(gaps) // 8:
            if cadence == "semimonthly" and len(_anchor(days, cadence)) != 2:
                continue
            return cadence
    return None


def _runs(days: Sequence[date], charges: Sequence[Money]) -> list[tuple[Cadence, list[int]]]:
    """The indexes of charges of one exact amount in strict rhythm; a run that goes on at a new price is one."""
    same: defaultdict[int, list[int]] = defaultdict(list)
    for at, charge in enumerate(charges):
        same[charge.minor].append(at)
    runs = [(cadence, at) for at in same.values() if (cadence := _strict(days, at))]
    joined: list[tuple[Cadence, list[int]]] = []
    for cadence, own in sorted(runs, key=lambda run: days[run[1][0]]):
        before = next(
            (at for other, at in joined if other == cadence and _continues(days, charges, at, own, cadence)), None
        )
        if before:
            before.extend(own)
        else:
            joined.append((cadence, own))
    return joined


def _strict(days: Sequence[date], at: list[int]) -> Cadence | None:
    """The cadence that every gap between these charges keeps; by months also the usual day of the month."""
    own = list(dict.fromkeys(days[i] for i in at))
    gaps = [(later - earlier).days for earlier, later in pairwise(own)]
    for cadence in _LEAST_AMONG:
        low, high = _GAP[cadence]
        if len(own) >= 3 and all(low <= gap <= high for gap in gaps):
            if cadence in _MONTHS and _off(own, median_low(day.day for day in own)) > _NEAR:
                continue
            return cadence
    return None


def _continues(days: Sequence[date], charges: Sequence[Money], a: list[int], b: list[int], cadence: Cadence) -> bool:
    """Whether series `b` is `a` at a new price: it starts a period after a's end, at most half dearer or cheaper."""
    low, high = _GAP[cadence]
    old, new = charges[a[-1]].minor, charges[b[0]].minor
    return low <= (days[b[0]] - days[a[-1]]).days <= high and 2 * abs(new - old) <= max(old, new)


def _prices(charges: Sequence[Money]) -> list[int]:
    """The indexes at which a new price starts, the first one (0) included."""
    starts = [0]
    for at, charge in enumerate(charges):
        price = charges[starts[-1]].minor
        if abs(charge.minor - price) > price * _SAME:
            starts.append(at)
    return starts


def _is_bill(days: Sequence[date], charges: Sequence[Money]) -> bool:
    """Half a year of charges, each within three days of the usual day of the month, none five times another."""
    if len(days) < 6:
        return False
    sizes = sorted(charge.minor for charge in charges)
    return _off(days, median_low(day.day for day in days)) <= _NEAR and sizes[-1] < 5 * sizes[0]


def _is_wage(charges: Sequence[Money]) -> bool:
    sizes = sorted(charge.minor for charge in charges)
    return sizes[-1] < 3 * sizes[0]


def _off(days: Sequence[date], usual: int) -> int:
    """How many days the furthest of them lies off that day of the month."""
    return max(min((day.day - usual) % 30, (usual - day.day) % 30) for day in days)


def _anchor(days: Sequence[date], cadence: Cadence) -> tuple[int, ...]:
    """The usual days of the month; for two a month the latest of each half, or none when they wander."""
    if cadence in ("monthly", "quarterly"):
        return (max(day.day for day in days[-3:]),)
    if cadence == "yearly":
        return (days[-1].day,)
    if cadence != "semimonthly":
        return ()
    a, b = (sorted(day.day for day in own) for own in (days[::2], days[1::2]))
    if not (_cluster(days[::2]) and _cluster(days[1::2])):
        return ()
    return tuple(sorted({a[-1], b[-1]}))


def _cluster(days: Sequence[date]) -> bool:
    return _off(days, median_low(day.day for day in days)) <= _NEAR


def _first_due(last: date, cadence: Cadence, anchor: tuple[int, ...]) -> date:
    """When the charge after the last one is due: a week or two on, or on the usual day of a coming month."""
    if cadence in _MONTHS and cadence != "yearly" and anchor[0] - last.day > 15:
        # charged early in the month after the one it belongs to
        return _on(Month.of(last).plus(_MONTHS[cadence] - 1), anchor[0])
    return _following(last, cadence, anchor)


def _following(day: date, cadence: Cadence, anchor: tuple[int, ...]) -> date:
    if cadence == "weekly":
        return day + timedelta(days=7)
    if cadence == "fortnightly":
        return day + timedelta(days=14)
    if cadence == "semimonthly":
        here = Month.of(day)
        coming = [_on(month, usual) for month in (here, here.plus(1)) for usual in anchor]
        return min(on for on in coming if on > day + timedelta(days=_GAP[cadence][0] - 4))
    return _on(Month.of(day).plus(_MONTHS[cadence]), anchor[0])


def _on(month: Month, day: int) -> date:
    return min(month.first + timedelta(days=day - 1), month.last)
