"""Charges that come back (subscriptions, rent, bills), found from dates and amounts alone, by rules one can explain.

A merchant's charges are recurring when they come weekly, monthly or yearly, with hardly an exception, and either
- hold their amount, but for a few steps (a price rise), or
- are monthly bills whose amount varies (electricity) but that come once a month on about the same day.
Weekly shopping at one store is regular too; its changing amounts are what tells it from a subscription.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from statistics import median_low
from typing import Final, Literal
from uuid import UUID

from db.engine import Transaction
from domain.money import Money
from domain.periods import Month
from ledger.categories import UNCATEGORIZED

Cadence = Literal["weekly", "monthly", "yearly"]

HISTORY_MONTHS: Final = 18
"""How far back charges are looked at: a yearly one shows twice in it."""

_GAP: Final[dict[Cadence, tuple[int, int]]] = {"weekly": (6, 8), "monthly": (26, 35), "yearly": (355, 375)}
_LEAST: Final[dict[Cadence, int]] = {"weekly": 5, "monthly": 3, "yearly": 2}
_GRACE: Final[dict[Cadence, int]] = {"weekly": 5, "monthly": 12, "yearly": 30}
_PER_MONTH: Final[dict[Cadence, Decimal]] = {
    "weekly": Decimal(52) / 12,
    "monthly": Decimal(1),
    "yearly": Decimal(1) / 12,
}
_MOST: Final = 111
"""More charges than that in 18 months are not weekly: seven of eight gaps would be six days or more."""
_SAME: Final = Decimal("0.02")
"""Amounts that differ by no more than this share are one price (tax and exchange move a price a little)."""


@dataclass(frozen=True, slots=True)
class PriceChange:
    """The last step in a steady price: `day` is the first charge at the new one."""

    day: date
    before: Money
    after: Money


@dataclass(frozen=True, slots=True)
class Pattern:
    """What a series of charges shows. Amounts are positive. `typical` is the median of what was charged at the present
    price, or of all charges when it `varies`. `next` is None when the series seems to have ended (`lapsed`)."""

    cadence: Cadence
    varies: bool
    typical: Money
    last: Money
    first_day: date
    last_day: date
    count: int
    price_change: PriceChange | None
    next: date | None

    @property
    def lapsed(self) -> bool:
        """The next charge is overdue by more than the cadence's grace: possibly cancelled."""
        return self.next is None

    @property
    def per_month(self) -> Money:
        """What it costs in an average month, rounded to a minor unit."""
        return self.typical.split(_PER_MONTH[self.cadence])


@dataclass(frozen=True, slots=True)
class Recurring:
    """A merchant's recurring charge and the category of its latest transaction."""

    merchant: str
    category_id: UUID | None
    category: str
    pattern: Pattern


async def find(tx: Transaction, today: date, category: UUID | None = None) -> tuple[Recurring, ...]:
    """The recurring charges of the last 18 months up to `today`, running ones before lapsed ones, dearest month first
    within a currency. Two queries; a merchant that charges in two currencies counts as two."""
    first = Month.of(today).plus(-HISTORY_MONTHS).first
    series = await tx.pg.fetch(
        """
        SELECT t.merchant_key, t.currency, array_agg(t.day) AS days, array_agg(t.no) AS numbers,
               array_agg(-t.amount_minor) AS minors
          FROM txn t LEFT JOIN category k ON k.user_id = $1 AND k.id = t.category_id
         WHERE t.user_id = $1 AND t.day BETWEEN $2 AND $3 AND t.amount_minor < 0 AND t.merchant_key <> ''
           AND coalesce(k.kind, 'spending') = 'spending'
         GROUP BY t.merchant_key, t.currency
        HAVING count(*) BETWEEN 2 AND $4
        """,
        tx.user,
        first,
        today,
        _MOST,
    )
    patterns: dict[tuple[str, str], tuple[Pattern, int]] = {}
    for row in series:
        charges = sorted(zip(row["days"], row["numbers"], row["minors"], strict=True))
        pattern = detect([day for day, _, _ in charges], [Money(m, row["currency"]) for _, _, m in charges], today)
        if pattern:
            patterns[row["merchant_key"], row["currency"]] = pattern, charges[-1][1]
    latest = await tx.pg.fetch(
        """
        SELECT t.merchant_key, t.currency, t.merchant, t.category_id, c.name AS category
          FROM txn t LEFT JOIN category c ON c.user_id = $1 AND c.id = t.category_id
         WHERE t.user_id = $1 AND t.no = ANY ($2::bigint[]) AND ($3::uuid IS NULL OR t.category_id = $3)
        """,
        tx.user,
        [number for _, number in patterns.values()],
        category,
    )
    found = [
        Recurring(
            row["merchant"],
            row["category_id"],
            row["category"] or UNCATEGORIZED,
            patterns[row["merchant_key"], row["currency"]][0],
        )
        for row in latest
    ]
    found.sort(
        key=lambda r: (r.pattern.lapsed, r.pattern.last.currency, -r.pattern.per_month.minor, r.merchant.lower())
    )
    return tuple(found)


def detect(days: Sequence[date], charges: Sequence[Money], today: date) -> Pattern | None:
    """The pattern in one merchant's charges (positive amounts of one currency, oldest first), or None."""
    cadence = _cadence(days)
    if cadence is None:
        return None
    prices = _prices(charges)
    steady = len(prices) <= 1 + len(charges) // 6
    if not steady and not (cadence == "monthly" and _is_bill(days, charges)):
        return None
    current = charges[prices[-1] :] if steady else charges
    step = None
    if steady and len(prices) > 1:
        at = prices[-1]
        step = PriceChange(days[at], charges[at - 1], charges[at])
    due = _after(days, cadence)
    return Pattern(
        cadence=cadence,
        varies=not steady,
        typical=Money(median_low(charge.minor for charge in current), charges[0].currency),
        last=charges[-1],
        first_day=days[0],
        last_day=days[-1],
        count=len(days),
        price_change=step,
        next=due if due + timedelta(days=_GRACE[cadence]) >= today else None,
    )


def _cadence(days: Sequence[date]) -> Cadence | None:
    """The cadence that all gaps between charges keep but one in eight."""
    gaps = [(later - earlier).days for earlier, later in pairwise(days)]
    for cadence, (low, high) in _GAP.items():
        kept = sum(low <= gap <= high for gap in gaps)
        if len(days) >= _LEAST[cadence] and len(gaps) - kept <= len(gaps) // 8:
            return cadence
    return None


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
    usual = median_low(day.day for day in days)
    off = [min((day.day - usual) % 30, (usual - day.day) % 30) for day in days]
    sizes = sorted(charge.minor for charge in charges)
    return max(off) <= 3 and sizes[-1] < 5 * sizes[0]


def _after(days: Sequence[date], cadence: Cadence) -> date:
    """When the charge after the last one is due: a week on, or on the usual day of the month, a month or a year on."""
    last = days[-1]
    if cadence == "weekly":
        return last + timedelta(days=7)
    month = Month.of(last).plus(12 if cadence == "yearly" else 1)
    usual = max(day.day for day in days[-3:]) if cadence == "monthly" else last.day
    if usual - last.day > 15:  # charged early in the month after the one it belongs to
        month = month.plus(-1)
    return min(month.first + timedelta(days=usual - 1), month.last)
