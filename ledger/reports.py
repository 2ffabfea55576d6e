"""What transactions add up to: spending and income by category, merchant, month, weekday or account, and two periods
side by side.

Spending is what left in spending categories, and what left without a category. A refund, money that came back in a
spending category, takes away from it. Income is what came in income categories, or without a category. Transfers
between own accounts are neither. Amounts of unlike currencies are never added: each has its own lines and totals.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final, Literal

from db.engine import Transaction
from domain.money import Money
from domain.periods import DateRange, Month
from ledger.categories import UNCATEGORIZED
from ledger.filters import TxnFilter, condition
from ledger.flows import flows

By = Literal["category", "merchant", "month", "weekday", "account"]
Flow = Literal["spending", "income"]

WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True)
class Line:
    """What one category, merchant, month ("2026-10"), weekday ("Monday") or account adds up to, in one currency.

    Spending and income are positive; a category whose refunds exceed its purchases is negative. `count`: transactions.
    """

    label: str
    amount: Money
    count: int


@dataclass(frozen=True, slots=True)
class Report:
    """The lines of a period and one total per currency, the base currency first and always there."""

    days: DateRange
    by: By
    lines: tuple[Line, ...]
    totals: tuple[Money, ...]
    count: int

    @property
    def total(self) -> Money:
        """The total in the base currency; other currencies are in `totals` beside it."""
        return self.totals[0]


@dataclass(frozen=True, slots=True)
class Compared:
    """One label in two periods; `change` is b - a, `percent` is change of a to a tenth, None when a is not positive."""

    label: str
    a: Money
    b: Money

    @property
    def change(self) -> Money:
        return self.b - self.a

    @property
    def percent(self) -> Decimal | None:
        if self.a.minor <= 0:
            return None
        change = Decimal(self.change.minor * 100) / Decimal(self.a.minor)
        return change.quantize(Decimal("0.1"), ROUND_HALF_EVEN)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Spending in two periods: lines by the size of the change, and one total per currency, the base currency first."""

    a: DateRange
    b: DateRange
    lines: tuple[Compared, ...]
    totals: tuple[Compared, ...]


_LABEL: Final[dict[By, tuple[str, str, str]]] = {
    # what is grouped by, what the group is called, and the group in sums
    "category": ("t.category_id", "min(c.name)", "category_id"),
    "merchant": ("t.merchant_key", "min(t.merchant)", ""),
    "month": ("date_trunc('month', t.day::timestamp)", "to_char(min(t.day), 'YYYY-MM')", "month"),
    "weekday": ("extract(isodow FROM t.day)", "min(extract(isodow FROM t.day))::int::text", ""),
    "account": ("t.account_id", "min(a.name)", "account_id"),
}
_SUM_LABEL: Final[dict[By, str]] = {"category": "c.name", "month": "to_char(t.month, 'YYYY-MM')", "account": "a.name"}

_POSTINGS: Final[dict[Flow, tuple[str, str]]] = {
    # which transactions belong to it, and what they count for
    "spending": ("(c.kind = 'spending' OR (t.category_id IS NULL AND t.amount_minor < 0))", "-t.amount_minor"),
    "income": ("(c.kind = 'income' OR (t.category_id IS NULL AND t.amount_minor > 0))", "t.amount_minor"),
}

_FLOWS: Final[dict[Flow, tuple[str, str, str]]] = {
    # the same for sums: which, what they count for, and of how many transactions
    "spending": (
        "(c.kind = 'spending' OR (t.category_id IS NULL AND t.n_out > 0))",
        "-CASE WHEN t.category_id IS NULL THEN t.out_minor ELSE t.out_minor + t.in_minor END",
        "CASE WHEN t.category_id IS NULL THEN t.n_out ELSE t.n END",
    ),
    "income": (
        "(c.kind = 'income' OR (t.category_id IS NULL AND t.n_in > 0))",
        "CASE WHEN t.category_id IS NULL THEN t.in_minor ELSE t.out_minor + t.in_minor END",
        "CASE WHEN t.category_id IS NULL THEN t.n_in ELSE t.n END",
    ),
}

_CATEGORY: Final = "LEFT JOIN category c ON c.user_id = $1 AND c.id = t.category_id"
_ACCOUNT: Final = "JOIN account a ON a.user_id = $1 AND a.id = t.account_id"


async def spending(
    tx: Transaction, days: DateRange, by: By, base: str, wanted: TxnFilter | None = None, flow: Flow = "spending"
) -> Report:
    """Spending (or income) in the period, one line per `by` and currency, of the transactions that `wanted` selects,
    whose own `days` are not used. One query.

    Months and weekdays come in their order, with zero lines in the base currency where nothing was spent; everything
    else largest first, the base currency before others.
    """
    params: list[object] = [tx.user]
    source = _source(by, _within(wanted, days), flow, params)
    rows = await tx.pg.fetch(
        f"""
        SELECT min(label) AS label, currency, sum(minor)::bigint AS minor, sum(n)::bigint AS n
          FROM ({source}) s GROUP BY grouped, currency
        """,  # noqa: S608 -- built from the fixed parts above
        *params,
    )
    lines = [Line(row["label"] or UNCATEGORIZED, Money(row["minor"], row["currency"]), row["n"]) for row in rows]
    return Report(
        days=days,
        by=by,
        lines=_ordered(lines, by, days, base),
        totals=_totals((line.amount for line in lines), base),
        count=sum(line.count for line in lines),
    )


async def compare(
    tx: Transaction,
    a: DateRange,
    b: DateRange,
    base: str,
    by: By = "category",
    wanted: TxnFilter | None = None,
) -> Comparison:
    """Spending in two periods, which may overlap, side by side. One query over the transactions of both."""
    params: list[object] = [tx.user]
    in_a, in_b = (_source(by, _within(wanted, days), "spending", params) for days in (a, b))
    rows = await tx.pg.fetch(
        f"""
        SELECT min(label) AS label, currency, sum(a)::bigint AS a, sum(b)::bigint AS b
          FROM (SELECT label, grouped, currency, minor AS a, 0 AS b FROM ({in_a}) a
                UNION ALL SELECT label, grouped, currency, 0, minor FROM ({in_b}) b) s
         GROUP BY grouped, currency
        """,  # noqa: S608 -- built from the fixed parts above
        *params,
    )
    lines = [
        Compared(_named(row["label"], by), Money(row["a"], row["currency"]), Money(row["b"], row["currency"]))
        for row in rows
    ]
    lines.sort(key=lambda line: (*_base_first(line.a, base), -abs(line.change.minor), line.label))
    totals_a = {money.currency: money for money in _totals((line.a for line in lines), base)}
    totals_b = {money.currency: money for money in _totals((line.b for line in lines), base)}
    return Comparison(a, b, tuple(lines), tuple(Compared("Total", totals_a[c], totals_b[c]) for c in totals_a))


def _source(by: By, wanted: TxnFilter, flow: Flow, params: list[object]) -> str:
    """A query of `label, grouped, currency, minor, n`: from the sums of `ledger.flows` where they tell enough, else
    from single transactions."""
    group, label, column = _LABEL[by]
    account = _ACCOUNT if by == "account" else ""
    if not column or wanted.narrow:
        kind, minor = _POSTINGS[flow]
        return f"""
            SELECT {label} AS label, {group} AS grouped, t.currency, sum({minor})::bigint AS minor, count(*) AS n
              FROM txn t {_CATEGORY} {account} WHERE {condition(wanted, params)} AND {kind} GROUP BY {group}, t.currency
        """  # noqa: S608 -- fixed parts and placeholders
    kind, minor, n = _FLOWS[flow]
    columns = ", ".join(sorted({column, "category_id", "currency"}))
    return f"""
        SELECT {_SUM_LABEL[by]} AS label, t.{column} AS grouped, t.currency, {minor} AS minor, {n} AS n
          FROM (SELECT {columns}, sum(out_minor) AS out_minor, sum(in_minor) AS in_minor,
                       sum(n_out) AS n_out, sum(n_in) AS n_in, sum(n) AS n
                  FROM ({flows(wanted, params)}) f GROUP BY {columns}) t {_CATEGORY} {account}
         WHERE {kind}
    """  # noqa: S608 -- fixed parts and placeholders


def _within(wanted: TxnFilter | None, days: DateRange) -> TxnFilter:
    return replace(wanted or TxnFilter(), days=days)


def _named(label: str | None, by: By) -> str:
    if label is None:
        return UNCATEGORIZED
    return WEEKDAYS[int(label) - 1] if by == "weekday" else label


def _base_first(amount: Money, base: str) -> tuple[bool, str]:
    return amount.currency != base, amount.currency


def _ordered(lines: Sequence[Line], by: By, days: DateRange, base: str) -> tuple[Line, ...]:
    if by not in ("month", "weekday"):
        return tuple(sorted(lines, key=lambda line: (*_base_first(line.amount, base), -line.amount.minor, line.label)))
    if by == "month":
        labels, month = [], Month.of(days.start)
        while month.first <= days.end:
            labels.append(str(month))
            month = month.plus(1)
        at = {label: [line for line in lines if line.label == label] for label in labels}
    else:
        at = {
            name: [Line(name, line.amount, line.count) for line in lines if line.label == str(number)]
            for number, name in enumerate(WEEKDAYS, start=1)
        }
    ordered: list[Line] = []
    for label, own in at.items():
        if not any(line.amount.currency == base for line in own):
            own.append(Line(label, Money(0, base), 0))
        ordered += sorted(own, key=lambda line: _base_first(line.amount, base))
    return tuple(ordered)


def _totals(amounts: Iterable[Money], base: str) -> tuple[Money, ...]:
    sums = {base: Money(0, base)}
    for amount in amounts:
        sums[amount.currency] = sums.get(amount.currency, Money(0, amount.currency)) + amount
    return tuple(sorted(sums.values(), key=lambda money: _base_first(money, base)))
