"""get_budget_status: how a month stands against its budgets."""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field

from domain.money import Money
from domain.periods import Month
from ledger import budgets, envelopes
from ledger.budgets import BudgetLine, BudgetStatus
from ledger.envelopes import Unassigned
from tools.names import either
from tools.reads import scope
from tools.result import Chart, Fact, Series, ToolResult
from tools.tool import Args, Phrase, Tool, ToolContext
from tools.wording import asked, cell, counted, describe, one_month, percent, table

MOST_LINES = 12


class BudgetStatusArgs(Args):
    month: Phrase | None = Field(None, description="a month in the user's words or YYYY-MM; default: this month")
    category: Phrase | None = Field(None, description="one category; default: all of them")


async def run(ctx: ToolContext, args: BudgetStatusArgs) -> ToolResult:
    month = scope.month(ctx, args.month)
    async with ctx.db.read(ctx.user) as tx:
        about = await scope.chosen(tx, args.category)
        status = await budgets.status(tx, month, ctx.preferences.currency)
        if about is None:
            since = ctx.preferences.envelopes_since
            return _all(ctx, status, await envelopes.unassigned(tx, status, since), adds_up=since is not None)
    line = next((line for line in status.lines if line.category_id == about.id), None)
    if line is None:
        if about.kind != "spending":
            return ToolResult(f"{cell(about.name)} has no budget: it is not a spending category.")
        return ToolResult(f"Nothing was spent without a category in {one_month(month, ctx.preferences.locale)}.")
    return _one(ctx, month, line)


def _one(ctx: ToolContext, month: Month, line: BudgetLine) -> ToolResult:
    when = describe(month.days, ctx.today, ctx.preferences.locale)
    name = cell(line.category)
    facts = (*_facts(line, when), *_time_facts(ctx, month))
    if line.budget is None or line.left is None:
        spent = f"You spent {ctx.show(line.spent)} on {name} in {when}"
        return ToolResult(f"{spent}; there is no budget for it.{_elsewhere(ctx, [line])}", facts)
    if month.first > ctx.today and not line.spent.minor:
        return ToolResult(
            f"Your {name} budget for {when} is {ctx.show(line.budget)}; nothing is spent of it yet.", facts
        )
    if line.budget.minor < 0:
        moved = f"{ctx.show(-line.budget)} of what it carried in was moved away"
        return ToolResult(
            f"You spent {ctx.show(line.spent)} on {name} in {when}, and {moved}.{_with_carried(ctx, line)}"
            f"{_elsewhere(ctx, [line])}{_time(ctx, month)}",
            facts,
        )
    share = f" ({percent(line.spent.minor, line.budget.minor)}%)" if line.budget.minor else ""
    spent = f"You spent {ctx.show(line.spent)} of your {ctx.show(line.budget)} {name} budget{share} in {when}"
    return ToolResult(
        f"{spent}: {_left(ctx, line.left)}.{_with_carried(ctx, line)}{_elsewhere(ctx, [line])}{_time(ctx, month)}",
        facts,
    )


def _all(ctx: ToolContext, status: BudgetStatus, free: Unassigned, *, adds_up: bool) -> ToolResult:
    when = describe(status.month.days, ctx.today, ctx.preferences.locale)
    budgeted = [line for line in status.lines if line.budget is not None]
    if not budgeted:
        unbudgeted = ctx.show(status.totals[0].unbudgeted)
        fact = Fact(f"spent without a budget in {when}", status.totals[0].unbudgeted)
        return ToolResult(
            f"You have no budgets for {when}. You spent {unbudgeted}.{_elsewhere(ctx, status.lines)}", (fact,)
        )
    sentences, facts = [], list(_time_facts(ctx, status.month))
    for total in status.totals:
        if total.budget.minor and not total.spent.minor and status.month.first > ctx.today:
            sentences.append(f"Your budgets for {when} come to {ctx.show(total.budget)}; nothing is spent yet.")
            facts.append(Fact(f"all budgets in {when}", total.budget))
        elif total.budget.minor:
            share = percent(total.spent.minor, total.budget.minor)
            sentences.append(
                f"In {when} you spent {ctx.show(total.spent)} of the {ctx.show(total.budget)} you budgeted ({share}%): "
                f"{_left(ctx, total.left)}.{_time(ctx, status.month)}"
            )
            facts += [
                Fact(f"spent of all budgets in {when}", total.spent),
                Fact(f"all budgets in {when}", total.budget),
                Fact(f"left of all budgets in {when}", total.left),
                Fact(f"used of all budgets in {when}", share, "percent"),
            ]
        if total.unbudgeted.minor:
            sentences.append(f"Another {ctx.show(total.unbudgeted)} was spent where there is no budget for it.")
            facts.append(Fact(f"spent without a budget in {when}", total.unbudgeted))
    budgeted.sort(key=_used, reverse=True)
    over = [line for line in budgeted if line.available is not None and line.available.minor < 0]
    if status.month.first <= ctx.today or over:
        sentences.append(_who_is_over(ctx, over))
    facts.append(Fact(f"categories over budget in {when}", Decimal(len(over)), "count"))
    sentences.append(_carried(ctx, budgeted))
    if free.income.minor or free.brought.minor or free.held.minor:
        sentences.append(_unassigned(ctx, free, adds_up))
    facts += _unassigned_facts(free, when)
    facts += [fact for line in budgeted for fact in _facts(line, when)]
    rows = tuple(_row(line) for line in status.lines if line.budget is not None or line.spent.minor or line.elsewhere)
    text = f"{' '.join(filter(None, sentences))}\n\n{_table(ctx, budgeted)}"
    return ToolResult(text, tuple(facts), _chart(ctx, when, budgeted), rows)


def _with_carried(ctx: ToolContext, line: BudgetLine) -> str:
    """ " With the $20.00 carried in, $60.00 is available."."""
    if line.carried is None or line.available is None or not line.carried.minor:
        return ""
    return f" With {ctx.show(line.carried)} carried in, {ctx.show(line.available)} is available."


def _carried(ctx: ToolContext, lines: list[BudgetLine]) -> str:
    """What envelopes brought along from earlier months and now hold."""
    told = [
        f"{cell(line.category)} carried {ctx.show(line.carried)} in and has {ctx.show(line.available)} available"
        for line in lines
        if line.carried is not None and line.available is not None and line.carried.minor
    ]
    return f"{'; '.join(told)}." if told else ""


def _unassigned(ctx: ToolContext, free: Unassigned, adds_up: bool) -> str:
    """Where each month stands for itself, what is lacking is only this month's income."""
    held = f", with {ctx.show(free.held)} held for the next month" if free.held.minor else ""
    if free.amount.minor < 0 and not adds_up:
        return f"Budgets and spending without one come to {ctx.show(-free.amount)} more than this month brought{held}."
    if free.amount.minor < 0:
        return f"You have given out {ctx.show(-free.amount)} more than there is{held}."
    return f"{ctx.show(free.amount)} is not assigned to any budget yet{held}."


def _unassigned_facts(free: Unassigned, when: str) -> tuple[Fact, ...]:
    return (
        Fact(f"income in {when}", free.income),
        Fact(f"not assigned to any budget in {when}", free.amount),
        Fact(f"held for the month after {when}", free.held),
        Fact(f"brought from before {when}, in no envelope", free.brought),
    )


def _left(ctx: ToolContext, left: Money) -> str:
    if left.minor < 0:
        return f"{ctx.show(-left)} over"
    return f"{ctx.show(left)} left" if left.minor else "nothing left"


def _who_is_over(ctx: ToolContext, over: list[BudgetLine]) -> str:
    names = [f"{cell(line.category)} by {ctx.show(-line.available)}" for line in over if line.available is not None]
    return f"Over budget: {either(names).replace(' or ', ' and ')}." if names else "No category is over its budget."


def _used(line: BudgetLine) -> Decimal:
    """The share of the budget that is spent; anything spent of a budget of nothing counts most."""
    if line.budget is None or line.budget.minor <= 0:
        return Decimal(10**9) if line.spent.minor > 0 else Decimal(0)
    return Decimal(line.spent.minor) / line.budget.minor


def _time(ctx: ToolContext, month: Month) -> str:
    """How far the month is, when it is the present one."""
    if ctx.today in month.days and ctx.today != month.last:
        return f" It is day {ctx.today.day} of {month.last.day}."
    return ""


def _time_facts(ctx: ToolContext, month: Month) -> tuple[Fact, ...]:
    if ctx.today not in month.days:
        return ()
    return (
        Fact("day of the month", Decimal(ctx.today.day), "days"),
        Fact("days of the month", Decimal(month.last.day), "days"),
        Fact("days of the month to come", Decimal(month.last.day - ctx.today.day), "days"),
    )


def _facts(line: BudgetLine, when: str) -> tuple[Fact, ...]:
    name = cell(line.category)
    facts = [Fact(f"spent on {name} in {when}", line.spent)]
    if line.budget is not None and line.left is not None:
        facts += [
            Fact(f"{name} budget in {when}", line.budget),
            Fact(f"left of the {name} budget in {when}", line.left),
        ]
        if line.budget.minor > 0:
            used = percent(line.spent.minor, line.budget.minor)
            facts.append(Fact(f"used of the {name} budget in {when}", used, "percent"))
        if line.carried is not None and line.available is not None and line.rollover != "none":
            facts.append(Fact(f"carried into {name} in {when}", line.carried))
            facts.append(Fact(f"available for {name} in {when}", line.available))
        if line.available is not None and line.available.minor < 0:
            facts.append(Fact(f"over the {name} budget in {when}", -line.available))
    return (*facts, *(Fact(f"spent on {name} in {when}, in {money.currency}", money) for money in line.elsewhere))


def _elsewhere(ctx: ToolContext, lines: tuple[BudgetLine, ...] | list[BudgetLine]) -> str:
    """What was spent in other currencies, beside the sum and never in it."""
    parts = [f"{ctx.show(money)} on {cell(line.category)}" for line in lines for money in line.elsewhere]
    return f" Not counted, in another currency: {', '.join(parts)}." if parts else ""


def _table(ctx: ToolContext, lines: list[BudgetLine]) -> str:
    carried = any(line.carried is not None and line.carried.minor for line in lines)
    head = ("Category", "Spent", "Budget", *(("Carried in", "Available") if carried else ("Left",)))
    rows = []
    for line in lines[:MOST_LINES]:
        if line.budget is None or line.left is None:
            continue
        brought = line.carried or Money(0, line.budget.currency)
        rest = (brought, line.left + brought) if carried else (line.left,)
        rows.append([cell(line.category), *(ctx.show(money) for money in (line.spent, line.budget, *rest))])
    more = len(lines) - MOST_LINES
    more_of_them = f"\n\nThe {MOST_LINES} most used of {counted(len(lines), 'budget')}." if more > 0 else ""
    return table(head, rows) + more_of_them


def _chart(ctx: ToolContext, when: str, lines: list[BudgetLine]) -> Chart:
    own = [line for line in lines if line.budget is not None and line.budget.currency == ctx.preferences.currency]
    spent = tuple((line.category, line.spent.amount) for line in own)
    budget = tuple((line.category, line.budget.amount) for line in own if line.budget is not None)
    series = (Series("Spent", spent), Series("Budget", budget))
    return Chart("bar", f"Budgets in {when}", ctx.preferences.currency, series)


def _row(line: BudgetLine) -> dict[str, object]:
    return {
        "category": line.category,
        "spent": str(line.spent.amount),
        "budget": str(line.budget.amount) if line.budget is not None else None,
        "left": str(line.left.amount) if line.left is not None else None,
        "carried": str(line.carried.amount) if line.carried is not None else None,
        "available": str(line.available.amount) if line.available is not None else None,
        "currency": line.spent.currency,
    } | ({"other_currencies": [m.json() for m in line.elsewhere]} if line.elsewhere else {})


def label(args: BudgetStatusArgs) -> str:
    return f"Looking at {asked(f'the {args.category} budget' if args.category else 'your budgets', args.month)}"


GET_BUDGET_STATUS = Tool(
    name="get_budget_status",
    description=(
        "How a month stands against its budgets: spent, budget, left, who is over, whether on track. "
        "For one category or all."
    ),
    args=BudgetStatusArgs,
    run=run,
    label=label,
)
