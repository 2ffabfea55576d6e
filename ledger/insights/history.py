"""What was spent, purchase by purchase, in the base currency: what every insight is computed from.

Computing over a long history takes a good part of a second, so it has no place on the event loop: whoever asks a
History for more than its fields does so in a thread (`asyncio.to_thread`).
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property
from operator import attrgetter
from typing import Final
from uuid import UUID

from asyncpg import Record

from db.engine import Transaction
from domain.money import Money
from domain.periods import DateRange, Month
from ledger.categories import UNCATEGORIZED
from ledger.insights.packed import int4s, int8s
from ledger.insights.patterns import Found, Pattern, separate

MONTHS: Final = 26


@dataclass(frozen=True, slots=True)
class Entry:
    """One purchase (`minor` positive) or refund (negative), in minor units; a category of None has the name
    "Uncategorized". `merchant` is text from outside. A part of a split is an entry of its own: `part_of` is then the
    number of the first part."""

    no: int
    day: date
    minor: int
    merchant: str
    category_id: UUID | None
    category: str
    pending: bool = False
    part_of: int | None = None

    @property
    def whole(self) -> int:
        """The number of the purchase: of a part of a split, the first part's."""
        return self.part_of or self.no


@dataclass(frozen=True, slots=True)
class Charge:
    """A recurring charge and its past purchases, oldest first."""

    merchant: str
    pattern: Pattern
    entries: tuple[Entry, ...]
    among: bool = False

    @property
    def category_id(self) -> UUID | None:
        return self.entries[-1].category_id

    @property
    def category(self) -> str:
        return self.entries[-1].category


@dataclass(frozen=True)
class History:
    """Everything spent in `currency` from `first` (where the records begin, or 26 months back) up to `today`, oldest
    first. `others` are the currencies that are left out. `first` is None without any record."""

    today: date
    currency: str
    first: date | None
    entries: tuple[Entry, ...]
    others: tuple[str, ...] = ()
    names: Mapping[UUID | None, str] = field(default_factory=dict)

    def within(self, days: DateRange) -> Sequence[Entry]:
        """The entries of these days."""
        day = attrgetter("day")
        first = bisect_left(self.entries, days.start, key=day)
        return self.entries[first : bisect_right(self.entries, days.end, lo=first, key=day)]

    @cached_property
    def purchases(self) -> tuple[Entry, ...]:
        """What was paid, oldest first: the parts of a split are one, of their sum, in the first part's category."""
        paid: dict[int, Entry] = {}
        for entry in self.entries:
            if entry.minor > 0:
                first = paid.get(entry.whole)
                one = replace(first, minor=first.minor + entry.minor) if first else entry
                paid[entry.whole] = one if one.no == entry.whole else replace(one, no=entry.whole, part_of=None)
        return tuple(paid.values())

    @cached_property
    def charges(self) -> tuple[Charge, ...]:
        """The recurring charges, ended ones too, dearest month first."""
        series: defaultdict[str, list[Entry]] = defaultdict(list)
        for entry in self.purchases:
            if entry.merchant:
                series[entry.merchant.lower()].append(entry)
        charges: list[Charge] = []
        for own in series.values():
            if len(own) < 2:
                continue
            amounts = [Money(entry.minor, self.currency) for entry in own]
            patterns = separate([entry.day for entry in own], amounts, self.today)
            charges.extend(_charge(own, found) for found in patterns)
        return tuple(sorted(charges, key=lambda c: (-c.pattern.per_month.minor, c.merchant.lower())))

    @cached_property
    def everyday(self) -> tuple[Entry, ...]:
        """What is no recurring charge."""
        recurring = {entry.no for charge in self.charges for entry in charge.entries}
        return tuple(entry for entry in self.entries if entry.whole not in recurring)

    def money(self, minor: int) -> Money:
        return Money(minor, self.currency)


def _charge(own: list[Entry], found: Found) -> Charge:
    return Charge(own[-1].merchant, found.pattern, tuple(own[at] for at in found.at), found.among)


async def load(tx: Transaction, today: date, currency: str) -> History:
    """The spending of 26 months up to `today`: what left in spending categories or without one, refunds as negatives,
    transfers and income left out. Two queries; the entries are made in a thread."""
    start = Month.of(today).plus(-MONTHS).first
    rows = await tx.pg.fetch(
        """
        SELECT s.*, m.name AS merchant, c.name
          FROM (SELECT t.merchant_key, t.category_id, t.currency, string_agg(int8send(t.no), ''::bytea) AS nos,
                       string_agg(int4send(t.day - $2::date), ''::bytea) AS days,
                       string_agg(int8send(-t.amount_minor), ''::bytea) AS minors,
                       array_agg(t.no) FILTER (WHERE t.pending) AS pending
                  FROM txn t
                 WHERE t.user_id = $1 AND t.day BETWEEN $2 AND $3 AND t.transfer_id IS NULL
                   AND (t.category_id = ANY (ARRAY(SELECT id FROM category WHERE user_id = $1 AND kind = 'spending'))
                        OR (t.category_id IS NULL AND t.amount_minor < 0))
                 GROUP BY t.merchant_key, t.category_id, t.currency) s
          LEFT JOIN merchant m ON m.user_id = $1 AND m.key = s.merchant_key
          LEFT JOIN category c ON c.user_id = $1 AND c.id = s.category_id
        """,
        tx.user,
        start,
        today,
    )
    wholes = await tx.pg.fetch(
        """
        SELECT p.no, w.no AS whole FROM txn p JOIN txn w ON w.user_id = $1 AND w.id = p.split_of
         WHERE p.user_id = $1 AND p.split_of IS NOT NULL
        """,
        tx.user,
    )
    return await asyncio.to_thread(_history, rows, dict(wholes), start, today, currency)


def _history(rows: Sequence[Record], wholes: Mapping[int, int], start: date, today: date, currency: str) -> History:
    """The rows' packed columns as entries."""
    on = [start + timedelta(days=ahead) for ahead in range((today - start).days + 1)]
    entries, names = [], {}
    for row in rows:
        category_id, name, merchant = row["category_id"], row["name"] or UNCATEGORIZED, row["merchant"] or ""
        names[category_id] = name
        if row["currency"] == currency:
            pending = frozenset(row["pending"] or ())
            for no, ahead, minor in zip(int8s(row["nos"]), int4s(row["days"]), int8s(row["minors"]), strict=True):
                entries.append(Entry(no, on[ahead], minor, merchant, category_id, name, no in pending, wholes.get(no)))
    entries.sort(key=attrgetter("day", "no"))
    others = sorted({row["currency"] for row in rows} - {currency})
    first = entries[0].day if entries else None
    return History(today, currency, first, tuple(entries), tuple(others), names)
