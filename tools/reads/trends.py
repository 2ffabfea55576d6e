"""What a breakdown of spending shows beyond its sums: how months go, which weekdays are dear, how merchants changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

from domain.money import Money
from domain.periods import DateRange, Month
from ledger.reports import WEEKDAYS, Line, Report
from tools.result import Fact
from tools.tool import ToolContext
from tools.wording import cell, describe, percent

MOST = 8
HALF = 3
"""Months on each side of a trend: three whole ones against the three before."""


def months(ctx: ToolContext, report: Report) -> tuple[str, tuple[Fact, ...]]:
    """The last three whole months against the three before, in a sentence with its facts; nothing with under six."""
    base = ctx.preferences.currency
    whole = [
        line.amount
        for line in report.lines
        if line.amount.currency == base
        and report.days.start <= Month.parse(line.label).first
        and Month.parse(line.label).last <= min(report.days.end, ctx.today)
    ]
    if len(whole) < 2 * HALF:
        return "", ()
    late, early = _mean(whole[-HALF:]), _mean(whole[-2 * HALF : -HALF])
    change = late - early
    facts = [
        Fact("average of the last three whole months", late),
        Fact("average of the three whole months before", early),
        Fact(f"{'more' if change.minor >= 0 else 'less'} a month than before", abs(change)),
    ]
    share = percent(abs(change).minor, early.minor) if early.minor > 0 else None
    if share is not None:
        facts.append(Fact(f"{'more' if change.minor >= 0 else 'less'} a month than before", share, "percent"))
    if not change.minor:
        return " The last three whole months average the same as the three before.", tuple(facts)
    direction = "up" if change.minor > 0 else "down"
    by = f" ({share}%)" if share is not None else ""
    text = (
        f" The last three whole months average {ctx.show(late)}, {direction} {ctx.show(abs(change))}{by} from the three"
    )
    text += " before."
    return text, tuple(facts)


def weekdays(ctx: ToolContext, report: Report) -> tuple[str, tuple[Fact, ...]]:
    """What an average Monday, Tuesday... of the period costs: sums alone mislead when there are five of one day."""
    days = report.days.until(ctx.today)
    own = {line.label: line.amount for line in report.lines if line.amount.currency == ctx.preferences.currency}
    each: list[tuple[str, Money]] = []
    for number, label in enumerate(WEEKDAYS):
        count = len(days) // 7 + _one_more(days, number)
        if count and label in own:
            each.append((label, own[label].split(Decimal(1) / count)))
    if len(each) < 7:
        return "", ()
    most = max(each, key=lambda pair: pair[1].minor)
    least = min(each, key=lambda pair: pair[1].minor)
    facts = tuple(Fact(f"average {label}", amount) for label, amount in each)
    if most[1] == least[1]:
        return "", facts
    text = f" An average {most[0]} comes to {ctx.show(most[1])}, an average {least[0]} to {ctx.show(least[1])}."
    return text, facts


def merchants(ctx: ToolContext, report: Report, before: Report | None) -> tuple[str, tuple[Fact, ...]]:
    """What an average visit costs, and how the merchants changed against the period before of equal length."""
    base = ctx.preferences.currency
    own = [line for line in report.lines if line.amount.currency == base and line.amount.minor > 0][:MOST]
    facts = []
    for line in own:
        facts.append(Fact(f"transactions at {_name(line)}", Decimal(line.count), "count"))
        facts.append(Fact(f"average transaction at {_name(line)}", line.amount.split(Decimal(1) / line.count)))
    if before is None:
        return "", tuple(facts)
    past = {line.label.lower(): line.amount for line in before.lines if line.amount.currency == base}
    changes = [(line, line.amount - past.get(line.label.lower(), Money(0, base))) for line in own]
    then = describe(before.days, ctx.today, ctx.preferences.locale)
    facts += [Fact(f"change at {_name(line)} from {then}", change) for line, change in changes]
    if not any(change.minor for _, change in changes):
        return "", tuple(facts)
    line, change = max(changes, key=lambda pair: abs(pair[1].minor))
    direction = "up" if change.minor > 0 else "down"
    return f" Against {then}, {_name(line)} is {direction} {ctx.show(abs(change))}, the largest change.", tuple(facts)


def _one_more(days: DateRange, weekday: int) -> int:
    """Whether the days left over after whole weeks hold this weekday."""
    rest = len(days) % 7
    return int(any((days.start + timedelta(days=n)).weekday() == weekday for n in range(rest)))


def _mean(amounts: Sequence[Money]) -> Money:
    return sum(amounts[1:], amounts[0]).split(Decimal(1) / len(amounts))


def _name(line: Line) -> str:
    return cell(line.label) or "no merchant"
