"""get_forecast: what a month will have cost at its end, with a range, against its budgets."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from pydantic import Field

from domain.money import Money
from ledger.insights import history
from ledger.insights.forecast import CategoryForecast, Forecast, forecast
from ledger.insights.history import History
from tools.reads import scope
from tools.reads.limits import Limit, limits
from tools.result import Chart, Fact, Series, ToolResult
from tools.tool import Args, Phrase, Tool, ToolContext
from tools.wording import asked, cell, counted, one_month, outside, short_day, table

MOST_LINES = 10
MOST_BILLS = 5


class ForecastArgs(Args):
    month: Phrase | None = Field(
        None, description="this month or a coming one, in the user's words; default: this month"
    )
    category: Phrase | None = Field(None, description="only this category")


async def run(ctx: ToolContext, args: ForecastArgs) -> ToolResult:
    month = scope.month(ctx, args.month)
    async with ctx.db.read(ctx.user) as tx:
        about = await scope.chosen(tx, args.category)
        if about and about.kind != "spending":
            return ToolResult(f"{cell(about.name)} is not spending; forecasts are of spending.", ok=False)
        known = await history.load(tx, ctx.today, ctx.preferences.currency)
        budgeted = await limits(tx, month, ctx.today, ctx.preferences.currency)
    found = await asyncio.to_thread(forecast, known, month)
    if about is None:
        return _all(ctx, known, found, budgeted)
    line = next((line for line in found.lines if line.category_id == about.id), None)
    when = one_month(month, ctx.preferences.locale)
    if line is None:
        return ToolResult(
            f"Nothing is expected on {cell(about.name)} in {when}: nothing was spent on it in the past year, and no "
            "bill of it is due.",
            (Fact(f"expected on {cell(about.name)} in {when}", Money(0, known.currency)),),
        )
    return _one(ctx, known, found, line, budgeted.get(about.id) if about.id else None)


def _one(ctx: ToolContext, known: History, found: Forecast, line: CategoryForecast, budget: Limit | None) -> ToolResult:
    when, name = one_month(found.month, ctx.preferences.locale), cell(line.category)
    parts = f"{_parts(ctx, line.spent, line.bills, line.everyday, found)}"
    text = f"By the end of {when} you will have spent about {ctx.show(line.total.expected)} on {name}"
    text += f"{_range(ctx, line)}: {parts}."
    facts = _line_facts(line, when)
    if budget is not None:
        text += f" {_against(ctx, line, budget)}"
        facts += _budget_facts(line, budget, when)
    text += _others(ctx, known)
    return ToolResult(text, (*facts, *_basis(found, when)), _bars(ctx, [line], {line.category_id: budget}, when))


def _all(ctx: ToolContext, known: History, found: Forecast, budgeted: Mapping[UUID | None, Limit]) -> ToolResult:
    when, total = one_month(found.month, ctx.preferences.locale), found.total
    bills = sum((line.bills for line in found.lines), known.money(0))
    everyday = sum((line.everyday for line in found.lines), known.money(0))
    text = f"By the end of {when} you will have spent about {ctx.show(total.expected)}"
    if total.low != total.high:
        text += f", likely between {ctx.show(total.low)} and {ctx.show(total.high)} (four times in five)"
    text += f": {_parts(ctx, found.spent, bills, everyday, found)}."
    facts = [
        Fact(f"expected spending in {when}", total.expected),
        Fact(f"low end of the forecast for {when}", total.low),
        Fact(f"high end of the forecast for {when}", total.high),
        Fact(f"spent so far in {when}", found.spent),
        Fact(f"bills still due in {when}", bills),
        Fact(f"everyday spending expected in the days to come in {when}", everyday),
    ]
    if budgeted:
        together = sum((limit.all for limit in budgeted.values()), known.money(0))
        yours = "your budgets with what they carried in" if any(b.carried.minor for b in budgeted.values()) else ""
        yours = yours or "your budgets"
        inside = sum((li.total.expected for li in found.lines if li.category_id in budgeted), known.money(0))
        facts += [Fact(f"all budgets in {when}", together), Fact(f"expected on what is budgeted in {when}", inside)]
        left = together - inside
        less = f"{ctx.show(abs(left))} {'less' if left.minor >= 0 else 'more'}"
        if inside == total.expected:
            text += f" That is {less} than {yours}, which come to {ctx.show(together)}."
        else:
            text += f" Of that, {ctx.show(inside)} has a budget, {less} than the {ctx.show(together)} of {yours}."
        facts.append(Fact(f"{'left of' if left.minor >= 0 else 'over'} all budgets at the end of {when}", abs(left)))
        excess = [
            (li, li.total.expected - budgeted[li.category_id].all) for li in found.lines if li.category_id in budgeted
        ]
        over = [(cell(li.category), more) for li, more in excess if more.minor > 0]
        if over:
            names = ", ".join(f"{name} by {ctx.show(more)}" for name, more in over[:5])
            text += f" Expected over budget: {names}{f' and {len(over) - 5} more' if len(over) > 5 else ''}."
        else:
            text += " No category is expected to go over its budget."
        facts.append(Fact(f"categories expected over budget in {when}", Decimal(len(over)), "count"))
    text += _bill_words(ctx, found) + _others(ctx, known)
    for line in found.lines:
        facts += _line_facts(line, when)
        if line.category_id in budgeted:
            facts += _budget_facts(line, budgeted[line.category_id], when)
    for bill in found.bills[:20]:
        facts.append(Fact(f"{cell(bill.merchant)}, expected {bill.day.isoformat()}", bill.amount.expected))
    rows = [
        [
            cell(line.category),
            ctx.show(line.spent),
            ctx.show(line.total.expected),
            f"{ctx.show(line.total.low)} – {ctx.show(line.total.high)}",
            ctx.show(budgeted[line.category_id].all) if line.category_id in budgeted else "",
        ]
        for line in found.lines[:MOST_LINES]
    ]
    text += "\n\n" + table(("Category", "Spent", "At month's end", "Likely range", "Budget"), rows)
    rest = found.lines[MOST_LINES:]
    if rest:
        left_out = sum((line.total.expected for line in rest), known.money(0))
        text += f"\n\nNot shown: {counted(len(rest), 'other category', 'other categories')}, {ctx.show(left_out)}."
    return ToolResult(
        text, (*facts, *_basis(found, when)), _path(known, found, when), tuple(_row(line) for line in found.lines[:50])
    )


def _parts(ctx: ToolContext, spent: Money, bills: Money, everyday: Money, found: Forecast) -> str:
    """What the forecast is made of; terms of nothing are left out."""
    begun = ctx.today >= found.month.first
    days = f"{'the ' if begun else ''}{counted(found.days_left, 'day')}{' left' if begun else ''}"
    parts = [
        f"{ctx.show(spent)} spent so far" if begun else "",
        f"{ctx.show(bills)} of bills {'still ' if begun else ''}due" if bills.minor else "",
        f"{ctx.show(everyday)} of everyday spending in {days}" if everyday.minor else "",
    ]
    said = [part for part in parts if part] or ["nothing more is expected"]
    return " and ".join([*([", ".join(said[:-1])] if said[1:] else []), said[-1]])


def _range(ctx: ToolContext, line: CategoryForecast) -> str:
    if line.total.low == line.total.high:
        return ""
    return f", likely between {ctx.show(line.total.low)} and {ctx.show(line.total.high)} (four times in five)"


def _against(ctx: ToolContext, line: CategoryForecast, limit: Limit) -> str:
    budget = limit.all
    difference = ctx.show(abs(budget - line.total.expected))
    if budget < line.total.low:
        return f"That is {difference} over your {limit.told(ctx)}, and it will hardly stay under it."
    if budget < line.total.expected:
        return f"That is {difference} over your {limit.told(ctx)}, though it may still stay under it."
    if budget < line.total.high:
        return f"That leaves {difference} of your {limit.told(ctx)}, but it may go over."
    return f"That leaves {difference} of your {limit.told(ctx)}."


def _bill_words(ctx: ToolContext, found: Forecast) -> str:
    if not found.bills:
        return ""
    named = [
        f"{cell(bill.merchant)} {'about ' if bill.varies else ''}{ctx.show(bill.amount.expected)} "
        f"on {short_day(bill.day, ctx.preferences.locale)}"
        for bill in found.bills[:MOST_BILLS]
    ]
    more = len(found.bills) - MOST_BILLS
    return f" Bills due: {'; '.join(named)}{f'; and {more} more' if more > 0 else ''}."


def _others(ctx: ToolContext, known: History) -> str:
    """What is left out, and how old the records are when they are not fresh."""
    text = f" Not counted: spending in {' and '.join(known.others)}." if known.others else ""
    if known.entries and (ctx.today - known.entries[-1].day).days > 14:
        text += f" Your latest purchase on record is of {short_day(known.entries[-1].day, ctx.preferences.locale)}."
    return text


def _line_facts(line: CategoryForecast, when: str) -> list[Fact]:
    name = cell(line.category)
    return [
        Fact(f"expected on {name} in {when}", line.total.expected),
        Fact(f"low end of the forecast for {name} in {when}", line.total.low),
        Fact(f"high end of the forecast for {name} in {when}", line.total.high),
        Fact(f"spent so far on {name} in {when}", line.spent),
        Fact(f"bills still due on {name} in {when}", line.bills),
        Fact(f"everyday spending expected on {name} in the days to come in {when}", line.everyday),
    ]


def _budget_facts(line: CategoryForecast, budget: Limit, when: str) -> list[Fact]:
    name, left = cell(line.category), budget.all - line.total.expected
    what = (
        f"left of the {name} budget at the end of {when}" if left.minor >= 0 else f"over the {name} budget at the end"
    )
    return [*budget.facts(name, when), Fact(f"expected {what}", abs(left))]


def _basis(found: Forecast, when: str) -> tuple[Fact, ...]:
    return (
        Fact(f"days to come in {when}", Decimal(found.days_left), "days"),
        Fact("days of records the forecast rests on", Decimal(min(found.seen_days, 365)), "days"),
        Fact("how often the range is meant to hold", Decimal(80), "percent"),
    )


def _path(known: History, found: Forecast, when: str) -> Chart:
    """The month's running total: as it was, and as it is expected with its range."""
    spent, total = [], 0
    for day in _days(found):
        total += sum(e.minor for e in known.entries if e.day == day)
        spent.append((day.isoformat(), known.money(total).amount))
    start = spent[-1:]
    series = [Series("Spent", tuple(spent))] if spent else []
    for name in ("expected", "low", "high"):
        points = [(point.day.isoformat(), getattr(point.total, name).amount) for point in found.path]
        series.append(Series(name.capitalize(), (*start, *points)))
    return Chart("line", f"Spending by the end of {when}", known.currency, tuple(series))


def _days(found: Forecast) -> list[date]:
    """The days of the month that are over, today included."""
    if found.today < found.month.first:
        return []
    return [found.month.first + timedelta(days=n) for n in range((found.today - found.month.first).days + 1)]


def _bars(
    ctx: ToolContext, lines: list[CategoryForecast], budgeted: Mapping[UUID | None, Limit | None], when: str
) -> Chart:
    parts = [
        Series("Spent", tuple((line.category, line.spent.amount) for line in lines)),
        Series("At month's end", tuple((line.category, line.total.expected.amount) for line in lines)),
    ]
    limits = tuple((line.category, b.all.amount) for line in lines if (b := budgeted.get(line.category_id)) is not None)
    if limits:
        parts.append(Series("Budget", limits))
    return Chart("bar", f"Forecast for {when}", ctx.preferences.currency, tuple(parts))


def _row(line: CategoryForecast) -> dict[str, object]:
    return {
        "category": outside(line.category),
        "spent": str(line.spent.amount),
        "expected": str(line.total.expected.amount),
        "low": str(line.total.low.amount),
        "high": str(line.total.high.amount),
        "currency": line.spent.currency,
    }


def label(args: ForecastArgs) -> str:
    about = f"the {cell(args.category)} forecast" if args.category else "the forecast"
    return f"Working out {asked(about, args.month or 'this month')}"


GET_FORECAST = Tool(
    name="get_forecast",
    description=(
        "What this month (or a coming one) will have cost at its end, in all and per category, with a range, the bills "
        "still due, and whether budgets will hold."
    ),
    args=ForecastArgs,
    run=run,
    label=label,
)
