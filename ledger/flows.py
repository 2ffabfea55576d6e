"""Where sums come from: whole months from the rollup, the days at the edges of a period from the transactions."""

from __future__ import annotations

from typing import Final

from domain.periods import DateRange, Month
from ledger.filters import TxnFilter

COLUMNS: Final = "month, account_id, category_id, currency, out_minor, in_minor, n_out, n_in, n"
"""Of the rollup and of `flows`: money that left (`out_minor`, never positive) and that came, how many transactions did
which, and how many there are, those of amount 0 too."""

SUMS: Final = """
    SELECT date_trunc('month', t.day::timestamp)::date AS month, t.account_id, t.category_id, t.currency,
           sum(least(t.amount_minor, 0))::bigint AS out_minor, sum(greatest(t.amount_minor, 0))::bigint AS in_minor,
           count(*) FILTER (WHERE t.amount_minor < 0) AS n_out, count(*) FILTER (WHERE t.amount_minor > 0) AS n_in,
           count(*) AS n
      FROM txn t WHERE {condition} GROUP BY 1, 2, 3, 4
"""


def flows(wanted: TxnFilter, params: list[object]) -> str:
    """A query of `COLUMNS` for the transactions that `wanted` selects, which must not be `narrow`. Values are appended
    to `params` (the user's id stands there first); only placeholders are spliced."""

    def arg(value: object) -> str:
        params.append(value)
        return f"${len(params)}"

    scope = ["{0}.user_id = $1"]
    if wanted.category:
        scope.append(f"{{0}}.category_id = {arg(wanted.category)}")
    if wanted.uncategorized:
        scope.append("{0}.category_id IS NULL")
    if wanted.account:
        scope.append(f"{{0}}.account_id = {arg(wanted.account)}")
    matching = " AND ".join(scope)

    def rollup(more: str = "") -> str:
        return f"SELECT {COLUMNS} FROM month_rollup r WHERE {matching.format('r')}{more}"  # noqa: S608

    def postings(first: str, last: str) -> str:
        condition = f"{matching.format('t')} AND t.day BETWEEN {first} AND {last}"
        return f"({SUMS.format(condition=condition)})"

    if wanted.days is None:
        return rollup()
    whole = whole_months(wanted.days)
    if whole is None:
        return postings(arg(wanted.days.start), arg(wanted.days.end))
    parts = [rollup(f" AND r.month BETWEEN {arg(whole.start)} AND {arg(whole.end)}")]
    if wanted.days.start < whole.start:
        parts.append(postings(arg(wanted.days.start), f"{arg(whole.start)}::date - 1"))
    if wanted.days.end > whole.end:
        parts.append(postings(f"{arg(whole.end)}::date + 1", arg(wanted.days.end)))
    return " UNION ALL ".join(parts)


def whole_months(days: DateRange) -> DateRange | None:
    """The days of the period's whole calendar months, or None when it has none."""
    first = Month.of(days.start) if days.start.day == 1 else Month.of(days.start).plus(1)
    last = Month.of(days.end)
    last = last if days.end == last.last else last.plus(-1)
    return DateRange(first.first, last.last) if first <= last else None
