"""get_safe_to_spend: what may be spent a day until the next income or the month's end, with the sum behind it."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from decimal import Decimal

from pydantic import Field

from db.engine import Transaction
from domain.errors import InvalidInput
from domain.periods import Month
from ledger import accounts, budgets, recurring
from ledger.insights import history
from ledger.insights.history import History
from ledger.insights.safe import MOST_DAYS, Limit, Safe, next_income, safe_to_spend
from tools import dates
from tools.result import Fact, ToolResult
from tools.tool import Args, Phrase, Tool, ToolContext
from tools.wording import asked, cell, counted, one_month, short_day, table


class SafeArgs(Args):
    date: Phrase | None = Field(
        None, description="the day the money must last until; default: the next income or the month's end"
    )


async def run(ctx: ToolContext, args: SafeArgs) -> ToolResult:
    until = _until(ctx, args.date) if args.date else None
    async with ctx.db.read(ctx.user) as tx:
        known = await history.load(tx, ctx.today, ctx.preferences.currency)
        found = await compute(ctx, tx, known, until)
    return told(ctx, known, found)


async def compute(ctx: ToolContext, tx: Transaction, known: History, until: date | None = None) -> Safe:
    """What is safe to spend by the ledger as it is."""
    status = await budgets.status(tx, Month.of(ctx.today), ctx.preferences.currency)
    incomes = await recurring.find(tx, ctx.today, flow="income")
    own = await accounts.list_(tx)
    payday = next_income(incomes, ctx.today, known.currency)
    return await asyncio.to_thread(safe_to_spend, known, own, status, payday, until)


def _until(ctx: ToolContext, said: str) -> date:
    locale = ctx.preferences.locale
    day = dates.day(said, ctx.today, lean="future", locale=locale)
    if not ctx.today <= day <= ctx.today + timedelta(days=MOST_DAYS):
        last = short_day(ctx.today + timedelta(days=MOST_DAYS), locale)
        raise InvalidInput(f"{short_day(day, locale)} is not a day from today to {last}; say a coming day.")
    return day


def told(ctx: ToolContext, known: History, found: Safe) -> ToolResult:
    """The answer in words, with the sum as a table and every term a fact."""
    locale = ctx.preferences.locale
    today, in_all = found.today, found.in_all
    if today is None or in_all is None:
        return ToolResult(
            f"I cannot tell what is safe to spend: there is no budget in {known.currency} for this month, and no "
            "checking or cash account in it."
        )
    days = counted(len(found.days), "day")
    last = short_day(found.days.end, locale)
    why = ""
    if found.payday and found.days.end == found.payday.day - timedelta(days=1):
        why = f", the day before {cell(found.payday.source)} is expected"
    elif found.days.end == Month.of(found.days.end).last:
        why = ", the month's end"
    if today.minor:
        over = f"{ctx.show(in_all)} in all over the {days} until {last}{why}"
        text = f"You can safely spend {ctx.show(today)} today: {over}."
    else:
        text = f"Nothing is safe to spend today, until {last}{why}."
    rows: list[list[str]] = []
    facts = [
        Fact("safe to spend today", today),
        Fact(f"safe to spend until {last}", in_all),
        Fact("days it is spread over", Decimal(len(found.days)), "days"),
    ]
    if found.budgets:
        month = one_month(Month.of(ctx.today), locale)
        text += f" {_limit(ctx, 'Your budgets', found.budgets, found.by is found.budgets)}"
        carried = found.budgets.carried
        with_it = f", {ctx.show(carried)} of it carried in" if carried and carried.minor > 0 else ""
        with_it = f", {ctx.show(-carried)} overspent before" if carried and carried.minor < 0 else with_it
        rows += _rows(ctx, f"Left of your {month} budgets{with_it}", "", found.budgets)
        facts += _facts(f"of your {month} budgets", found.budgets)
        if carried and carried.minor:
            facts.append(Fact(f"carried into your {month} budgets from earlier months", carried))
    if found.money:
        text += f" {_limit(ctx, 'Your accounts', found.money, found.by is found.money)}"
        rows += _rows(ctx, "In checking and cash", "Owed on cards", found.money)
        facts += _facts("in checking and cash", found.money)
    if found.payday:
        facts += [Fact("next expected income", found.payday.day), Fact("next expected income", found.payday.amount)]
    bills = sorted({b for limit in (found.budgets, found.money) if limit for b in limit.bills}, key=lambda b: b.day)
    facts += [Fact(f"{cell(bill.merchant)}, expected {bill.day.isoformat()}", bill.amount) for bill in bills[:20]]
    if bills:
        named = [f"{cell(b.merchant)} {ctx.show(b.amount)} on {short_day(b.day, locale)}" for b in bills[:6]]
        text += f" Bills counted: {'; '.join(named)}{f'; and {len(bills) - 6} more' if len(bills) > 6 else ''}."
    text += " Savings are not counted."
    return ToolResult(f"{text}\n\n{table(('', 'Amount'), rows)}", tuple(facts))


def _limit(ctx: ToolContext, whose: str, limit: Limit, decides: bool) -> str:
    last = short_day(limit.days.end, ctx.preferences.locale)
    if limit.free.minor < 0:
        return f"{whose} are {ctx.show(-limit.free)} short until {last}, after the bills that are due."
    also = "" if decides else " too" if limit.free.minor == 0 else " more than that"
    if decides:
        return f"{whose} set the limit: {ctx.show(limit.free)} free until {last}, after the bills that are due."
    return f"{whose} would allow {ctx.show(limit.a_day)} a day{',' + also if also else ''}."


def _rows(ctx: ToolContext, have: str, owed: str, limit: Limit) -> list[list[str]]:
    rows = [[have, ctx.show(limit.have)]]
    if owed:
        rows.append([f"– {owed}", ctx.show(limit.owed)])
    rows.append([f"– Bills due until {short_day(limit.days.end, ctx.preferences.locale)}", ctx.show(limit.bills_total)])
    rows.append(["= Free", ctx.show(limit.free)])
    rows.append([f"÷ {counted(len(limit.days), 'day')} = a day", ctx.show(limit.a_day)])
    return rows


def _facts(what: str, limit: Limit) -> list[Fact]:
    facts = [
        Fact(f"{'left ' if what.startswith('of') else ''}{what}", limit.have),
        Fact(f"bills due {what}", limit.bills_total),
        Fact(f"free {what}, bills taken off", limit.free),
        Fact(f"a day {what}", limit.a_day),
        Fact(f"days that what is free {what} is spread over", Decimal(len(limit.days)), "days"),
    ]
    if limit.free.minor < 0:
        facts.append(Fact(f"short {what}", -limit.free))
    return [*facts, Fact("owed on cards", limit.owed)] if limit.owed.minor else facts


def label(args: SafeArgs) -> str:
    return asked("Working out what is safe to spend", f"until {args.date}" if args.date else None)


GET_SAFE_TO_SPEND = Tool(
    name="get_safe_to_spend",
    description=(
        "What can safely be spent today, and in all until the next income or the month's end, without breaking budgets "
        "or missing bills; shows the sum."
    ),
    args=SafeArgs,
    run=run,
    label=label,
)
