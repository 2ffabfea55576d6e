"""get_spending: what was spent (or earned) in a period, by category, merchant, month, weekday or account."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from pydantic import Field

from db.engine import Transaction
from domain.money import Money
from domain.periods import DateRange, Month
from ledger import budgets, reports
from ledger.reports import Flow, Line, Report
from tools import dates
from tools.reads import scope, trends
from tools.reads.scope import Scope
from tools.result import Chart, ChartKind, Fact, Series, ToolResult
from tools.tool import Args, Phrase, Tool, ToolContext
from tools.wording import asked, cell, counted, describe, during, one_month, percent, table

MOST_LINES = 10
_DONUT_SLICES = 8
_PLURAL = {
    "category": "categories",
    "merchant": "merchants",
    "month": "months",
    "weekday": "weekdays",
    "account": "accounts",
}


class SpendingArgs(Args):
    by: Literal["category", "merchant", "month", "weekday", "account"] = Field(description="what to add up by")
    period: Phrase | None = Field(None, description="in the user's words or ISO; default: this month so far")
    category: Phrase | None = Field(None, description="only this category")


async def run(ctx: ToolContext, args: SpendingArgs) -> ToolResult:
    days = scope.period(ctx, args.period)
    base = ctx.preferences.currency
    async with ctx.db.read(ctx.user) as tx:
        about = await scope.scope(tx, category=args.category)
        if about.category and about.category.kind == "transfer":
            return ToolResult(
                f"{cell(about.category.name)} are moves between your own accounts, not spending.", ok=False
            )
        flow: Flow = "income" if about.category and about.category.kind == "income" else "spending"
        recorded, first = await scope.known(tx, ctx, days)
        report = await reports.spending(tx, recorded, args.by, base, about.wanted, flow)
        budget = await _budget(tx, days, about, base)
        earlier = None
        if args.by == "merchant" and first is None and flow == "spending" and days.start > dates.BEGINNING:
            seen = recorded.until(ctx.today)
            earlier = await reports.spending(tx, _before(seen), args.by, base, about.wanted, flow)
    when = during(days, ctx.today, ctx.preferences.locale)
    named = _named(ctx, report)
    begins, since = scope.begins(ctx, days, first)
    facts = _facts(ctx, days, report, about, flow, budget, named) + since
    if not report.count:
        return ToolResult(
            f"You {_verb(flow)} nothing{_words(about, flow)} {when}.{_remark(ctx, report, budget)}{begins}", facts
        )
    head = (
        f"You {_verb(flow)} {ctx.show(report.total)}{_words(about, flow)} {when} "
        f"({counted(report.count, 'transaction')}){_against(ctx, days, report.total, budget)}."
    )
    text = head + _elsewhere(ctx, report) + begins
    if len(named) > 1 or args.by != "category" or about.category is None:
        trend, more = _trend(ctx, report, earlier, flow)
        facts += more
        text += f"{_most(ctx, args.by, flow, named, report)}{trend}\n\n{_table(ctx, args.by, named, report)}"
    title = f"{'Spent' if flow == 'spending' else 'Received'}{_words(about, flow)} {when}"
    rows = tuple(
        {"label": name, "amount": str(line.amount.amount), "currency": line.amount.currency, "transactions": line.count}
        for name, line in named[:50]
    )
    return ToolResult(text, facts, _chart(ctx, args.by, named, title), rows)


def _trend(ctx: ToolContext, report: Report, earlier: Report | None, flow: Flow) -> tuple[str, tuple[Fact, ...]]:
    """What the breakdown shows beyond its sums; nothing is known of a merchant's past without records of it."""
    if flow != "spending":
        return "", ()
    if report.by == "month":
        return trends.months(ctx, report)
    if report.by == "weekday":
        return trends.weekdays(ctx, report)
    if report.by == "merchant":
        return trends.merchants(ctx, report, earlier if earlier and earlier.count else None)
    return "", ()


def _before(days: DateRange) -> DateRange:
    """The same days of the month before for a month (so far), else as many days before."""
    month = Month.of(days.start)
    if days.start != month.first or Month.of(days.end) != month:
        return days.before()
    earlier = month.plus(-1)
    return earlier.days if days == month.days else earlier.days.until(earlier.first + (days.end - days.start))


def _verb(flow: Flow) -> str:
    return "spent" if flow == "spending" else "received"


def _words(about: Scope, flow: Flow) -> str:
    return about.words if flow == "spending" else about.words.replace(" on ", " as ", 1)


def _named(ctx: ToolContext, report: Report) -> list[tuple[str, Line]]:
    """The lines with their labels for people: months in words, merchants' names as harmless text."""
    if report.by == "month":
        locale = ctx.preferences.locale
        months = [(Month.parse(line.label), line) for line in report.lines]
        begun = [(month, line) for month, line in months if month.first <= ctx.today or line.count]
        return [(one_month(month, locale), line) for month, line in begun]
    return [(cell(line.label) or "no merchant", line) for line in report.lines]


async def _budget(tx: Transaction, days: DateRange, about: Scope, base: str) -> Money | None:
    """The budget for just this category and calendar month, if that is what was asked about."""
    month = Month.of(days.start)
    if about.category is None or about.category.id is None or days != month.days:
        return None
    found = (await budgets.effective(tx, month)).get(about.category.id)
    return found.amount if found and found.amount.currency == base else None


def _against(ctx: ToolContext, days: DateRange, spent: Money, budget: Money | None) -> str:
    if budget is None:
        return ""
    left = budget - spent
    if left.minor < 0:
        return f", {ctx.show(-left)} over your {ctx.show(budget)} budget"
    if ctx.today < days.end:
        return f", which leaves {ctx.show(left)} of your {ctx.show(budget)} budget"
    return f", {ctx.show(left)} under your {ctx.show(budget)} budget"


def _remark(ctx: ToolContext, report: Report, budget: Money | None) -> str:
    return (f" Your budget for it is {ctx.show(budget)}." if budget is not None else "") + _elsewhere(ctx, report)


def _elsewhere(ctx: ToolContext, report: Report) -> str:
    others = [ctx.show(total) for total in report.totals[1:]]
    return f" Not counted in that, in other currencies: {' and '.join(others)}." if others else ""


def _own(ctx: ToolContext, named: list[tuple[str, Line]]) -> list[tuple[str, Line]]:
    return [(name, line) for name, line in named if line.amount.currency == ctx.preferences.currency]


def _most(ctx: ToolContext, by: str, flow: Flow, named: list[tuple[str, Line]], report: Report) -> str:
    """Where most of it went, in one sentence."""
    own = _own(ctx, named)
    if len(own) < 2:
        return ""
    name, line = max(own, key=lambda pair: pair[1].amount.minor)
    if line.amount.minor <= 0 or report.total.minor <= 0:
        return ""
    share = percent(line.amount.minor, report.total.minor)
    where = {"category": "went to", "merchant": "went to", "account": "went from"}.get(
        by, "was on" if by == "weekday" else "was in"
    )
    if flow == "income":
        where = {"category": "was", "merchant": "came from", "account": "went to"}.get(by, where)
    text = f" The most, {ctx.show(line.amount)} ({share}%), {where} {name}."
    average = _average(ctx, report)
    return text + (f" A full month averages {ctx.show(average)}." if average else "")


def _average(ctx: ToolContext, report: Report) -> Money | None:
    """The mean of the calendar months that lie whole in the period and in the past; None with fewer than two."""
    if report.by != "month":
        return None
    whole = [
        line.amount
        for line in report.lines
        if line.amount.currency == ctx.preferences.currency
        and report.days.start <= Month.parse(line.label).first
        and Month.parse(line.label).last <= min(report.days.end, ctx.today)
    ]
    if len(whole) < 2:
        return None
    return sum(whole[1:], whole[0]).split(Decimal(1) / len(whole))


def _table(ctx: ToolContext, by: str, named: list[tuple[str, Line]], report: Report) -> str:
    """At most ten lines, of the user's currency if there are any: the newest months, else the largest, and what the
    rest adds up to."""
    if any(line.count for _, line in _own(ctx, named)):
        named = _own(ctx, named)
    shown = named[-MOST_LINES:] if by == "month" else named[:MOST_LINES]
    rows = []
    for name, line in shown:
        total = next(money for money in report.totals if money.currency == line.amount.currency)
        share = f"{percent(line.amount.minor, total.minor)}%" if total.minor > 0 and line.amount.minor >= 0 else ""
        rows.append([name, ctx.show(line.amount), share])
    text = table((by.capitalize(), "Amount", "Share"), rows)
    rest = named[:-MOST_LINES] if by == "month" else named[MOST_LINES:]
    if not rest:
        return text
    sums: dict[str, Money] = {}
    for _, line in rest:
        sums[line.amount.currency] = sums.get(line.amount.currency, Money(0, line.amount.currency)) + line.amount
    left_out = " and ".join(ctx.show(money) for money in sums.values())
    which = f"{len(rest)} earlier" if by == "month" else f"{len(rest)} other"
    many = by if len(rest) == 1 else _PLURAL[by]
    return f"{text}\n\nNot shown: {which} {many}, {left_out}."


def _facts(
    ctx: ToolContext,
    days: DateRange,
    report: Report,
    about: Scope,
    flow: Flow,
    budget: Money | None,
    named: list[tuple[str, Line]],
) -> tuple[Fact, ...]:
    when = describe(days, ctx.today, ctx.preferences.locale)
    what = f"{_verb(flow)}{_words(about, flow)}, {when}"
    facts = [Fact(what, report.total), Fact(f"transactions{about.words}, {when}", Decimal(report.count), "count")]
    facts += [Fact(f"{what}, in {total.currency}", total) for total in report.totals[1:]]
    own = _own(ctx, named)
    count = sum(line.count for _, line in own)
    if count:
        facts.append(Fact(f"average transaction{about.words}, {when}", report.total.split(Decimal(1) / count)))
    if average := _average(ctx, report):
        facts.append(Fact(f"average of a full month{about.words}, {when}", average))
    if budget is not None:
        left = budget - report.total
        facts += [Fact(f"budget{about.words}, {when}", budget), Fact(f"left of the budget{about.words}, {when}", left)]
        if left.minor < 0:
            facts.append(Fact(f"over the budget{about.words}, {when}", -left))
        if budget.minor:
            facts.append(
                Fact(f"used of the budget{about.words}, {when}", percent(report.total.minor, budget.minor), "percent")
            )
    for name, line in named[:20]:
        facts.append(Fact(f"{_verb(flow)}: {name}, {when}", line.amount))
        if line.amount.currency == report.total.currency and report.total.minor > 0 and line.amount.minor >= 0:
            facts.append(Fact(f"share of {name}, {when}", percent(line.amount.minor, report.total.minor), "percent"))
    return tuple(facts)


def _chart(ctx: ToolContext, by: str, named: list[tuple[str, Line]], title: str) -> Chart | None:
    own = _own(ctx, named)
    if len(own) < 2:
        return None
    points = tuple((name, line.amount.amount) for name, line in (own if by == "month" else own[:20]))
    slices = by == "category" and len(points) <= _DONUT_SLICES and all(value > 0 for _, value in points)
    kind: ChartKind = "line" if by == "month" else "donut" if slices else "bar"
    return Chart(kind, title, ctx.preferences.currency, (Series("Amount", points),))


def label(args: SpendingArgs) -> str:
    return f"Looking at {asked(args.category or f'spending by {args.by}', args.period)}"


GET_SPENDING = Tool(
    name="get_spending",
    description=(
        "What was spent in a period, in all and by category, merchant, month, weekday or account; "
        "for one category or all. For an income category: what came in."
    ),
    args=SpendingArgs,
    run=run,
    label=label,
)
