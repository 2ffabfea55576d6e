"""simulate_what_if: what a purchase, a change of income or of charges, or a budget shift would do. Nothing changes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BeforeValidator, Field

from db.engine import Transaction
from domain.errors import InvalidInput
from domain.money import Money
from domain.periods import Month
from ledger import recurring
from ledger.insights import history
from ledger.insights.forecast import CategoryForecast, Forecast, forecast
from ledger.insights.history import History
from ledger.insights.patterns import due
from tools import dates
from tools.reads import scope
from tools.reads.limits import Limit, limits
from tools.reads.safe_to_spend import compute
from tools.reads.scope import Chosen
from tools.result import Chart, Fact, Series, ToolResult
from tools.tool import Args, Phrase, Tool, ToolContext, plain_number
from tools.wording import cell, one_month, short_day

UNCHANGED = "Nothing is changed."

SignedAmount = Annotated[Decimal, Field(gt=-(10**12), lt=10**12, allow_inf_nan=False), BeforeValidator(plain_number)]


class WhatIfArgs(Args):
    change: Literal["purchase", "income", "recurring", "budget_shift"] = Field(
        description="a purchase once; an income or a recurring charge, both monthly; or budget moved between categories"
    )
    amount: SignedAmount = Field(description="how much; for income and recurring negative when it falls or ends")
    category: Phrase | None = Field(None, description="of the purchase or charge; for budget_shift where it comes from")
    to_category: Phrase | None = Field(None, description="for budget_shift: where it goes")
    date: Phrase | None = Field(None, description="when, or from when on; default: today")


@dataclass(frozen=True, slots=True)
class Situation:
    """What holds without the change: the forecast of the month, its budgets, and the income still expected."""

    known: History
    found: Forecast
    budgets: Mapping[UUID | None, Limit]
    income: Money

    def line(self, about: Chosen | None) -> CategoryForecast | None:
        return next((li for li in self.found.lines if about and li.category_id == about.id), None)

    def expected(self, about: Chosen) -> Money:
        line = self.line(about)
        return line.total.expected if line else self.known.money(0)

    def budget(self, about: Chosen | None) -> Limit | None:
        return self.budgets.get(about.id) if about and about.id else None


async def run(ctx: ToolContext, args: WhatIfArgs) -> ToolResult:
    amount = ctx.amount(args.amount)
    _check(args, amount)
    day = _day(ctx, args.date)
    async with ctx.db.read(ctx.user) as tx:
        about = await scope.chosen(tx, args.category)
        to = await scope.chosen(tx, args.to_category)
        if args.change != "income":
            for one in (about, to):
                if one and one.kind != "spending":
                    raise InvalidInput(f"{cell(one.name)} is not a spending category.")
        now = await _situation(ctx, tx, Month.of(day))
        safe = await compute(ctx, tx, now.known) if args.change == "purchase" and day == ctx.today else None
    if args.change == "budget_shift":
        if about is None or to is None:
            raise InvalidInput("A budget shift needs category (where it comes from) and to_category (where it goes).")
        return _shift(ctx, now, amount, about, to)
    if args.change == "purchase":
        result = _purchase(ctx, now, amount, about, day)
        if safe and safe.in_all is not None:
            after = safe.in_all - amount
            until = short_day(safe.days.end, ctx.preferences.locale)
            words = f"{ctx.show(after)} would stay" if after.minor >= 0 else f"it is {ctx.show(-after)} more than that"
            text = f" {ctx.show(safe.in_all)} is safe to spend until {until}: {words}."
            facts = (
                Fact(f"safe to spend until {until}", safe.in_all),
                Fact(f"{'safe to spend after it' if after.minor >= 0 else 'more than is safe to spend'}", abs(after)),
            )
            result = ToolResult(result.summary + text, (*result.facts, *facts), result.chart)
        return replace(result, summary=f"{result.summary} {UNCHANGED}")
    return _monthly(ctx, now, args.change, amount, about, day)


def _check(args: WhatIfArgs, amount: Money) -> None:
    if amount.minor == 0:
        raise InvalidInput("The amount of the change must not be 0.")
    if amount.minor < 0 and args.change in ("purchase", "budget_shift"):
        raise InvalidInput("The amount of a purchase or a budget shift is more than 0.")


def _day(ctx: ToolContext, said: str | None) -> date:
    """The day the change begins; of a month its first, or today when it runs already."""
    if said is None:
        return ctx.today
    locale = ctx.preferences.locale
    try:
        day = dates.day(said, ctx.today, lean="future", locale=locale)
    except InvalidInput:
        day = max(ctx.today, dates.month(said, ctx.today, lean="future", locale=locale).first)
    if day < ctx.today:
        raise InvalidInput(f"{short_day(day, locale)} is over; say today or a coming day.")
    return day


async def _situation(ctx: ToolContext, tx: Transaction, month: Month) -> Situation:
    base = ctx.preferences.currency
    known = await history.load(tx, ctx.today, base)
    found = await asyncio.to_thread(forecast, known, month)
    own = await limits(tx, month, ctx.today, base)
    incomes = await recurring.find(tx, ctx.today, flow="income")
    expected = sum(
        i.pattern.typical.minor * sum(day >= month.first for day in due(i.pattern, ctx.today, month.last))
        for i in incomes
        if i.pattern.typical.currency == base
    )
    return Situation(known, found, own, Money(expected, base))


def _purchase(ctx: ToolContext, now: Situation, amount: Money, about: Chosen | None, day: date) -> ToolResult:
    when = one_month(now.found.month, ctx.preferences.locale)
    what = f" on {cell(about.name)}" if about and about.id else ""
    total = now.found.total.expected
    text = (
        f"If you spent {ctx.show(amount)}{what} on {short_day(day, ctx.preferences.locale)}, {when} would end at about "
        f"{ctx.show(total + amount)} instead of {ctx.show(total)}."
    )
    facts = [Fact("the purchase", amount), *_total_facts(now, amount, when)]
    if about:
        words, more = _category(ctx, now, about, amount, when)
        text, facts = text + words, [*facts, *more]
    return ToolResult(text, tuple(facts), _chart(now, amount, when))


def _monthly(
    ctx: ToolContext, now: Situation, change: str, amount: Money, about: Chosen | None, day: date
) -> ToolResult:
    """A raise or a cut, a new charge or the end of one: a whole year, the month it begins in, and what is left over."""
    locale = ctx.preferences.locale
    when, start = one_month(now.found.month, locale), short_day(day, locale)
    year = Money(amount.minor * 12, amount.currency)
    what = "Income" if change == "income" else f"Recurring charges{f' on {cell(about.name)}' if about else ''}"
    direction = "more" if amount.minor > 0 else "less"
    text = (
        f"{what} of {ctx.show(abs(amount))} {direction} a month from {start} on would come to {ctx.show(abs(year))} "
        f"{direction} in a year."
    )
    still = now.found.total.expected - now.found.spent
    before = now.income - still
    facts = [
        Fact("the change, a month", abs(amount)),
        Fact("the change, a year", abs(year)),
        Fact(f"income still expected in {when}", now.income),
        Fact(f"spending still expected in {when}", still),
    ]
    effect, chart = _this_month(now, change, amount, about, day), None
    if not effect.minor:
        due = "income is expected" if change == "income" else "such bill is due"
        text += f" {when} would not change: no {due} from {start} to its end."
        return ToolResult(f"{text} {UNCHANGED}", tuple(facts))
    if change == "recurring":
        total = now.found.total.expected
        text += f" {when} would end at about {ctx.show(total + effect)} instead of {ctx.show(total)}."
        facts += _total_facts(now, effect, when)
        chart = _chart(now, effect, when)
        if about:
            words, more = _category(ctx, now, about, effect, when)
            text, facts = text + words, [*facts, *more]
    after = before + (effect if change == "income" else -effect)
    text += (
        f" What {when} still brings, {ctx.show(now.income)} of expected income less {ctx.show(still)} of expected "
        f"spending, would be {ctx.show(after)} instead of {ctx.show(before)}. {UNCHANGED}"
    )
    facts += [Fact(f"what {when} still brings", before), Fact(f"what {when} would still bring", after)]
    return ToolResult(text, tuple(facts), chart)


def _this_month(now: Situation, change: str, amount: Money, about: Chosen | None, day: date) -> Money:
    """What the first month sees of a monthly change: a raise comes with income that is still due, and no more can be
    saved than is still due; a new charge comes at once."""
    if change == "income":
        return amount if now.income.minor and -amount.minor <= now.income.minor else -now.income
    if amount.minor > 0:
        return amount
    bills = [b for b in now.found.bills if b.day >= day and (about is None or b.category_id == about.id)]
    return -min(-amount, sum((b.amount.expected for b in bills), now.known.money(0)))


def _shift(ctx: ToolContext, now: Situation, amount: Money, about: Chosen, to: Chosen) -> ToolResult:
    if about.id is None or to.id is None or about.id == to.id:
        raise InvalidInput("Budget moves between two different categories.")
    source = now.budget(about)
    if source is None:
        raise InvalidInput(f"{cell(about.name)} has no budget to take from.")
    brought = max(source.carried, now.known.money(0))
    if source.budget + brought < amount:
        also = f", and {ctx.show(brought)} was carried in" if brought.minor else ""
        raise InvalidInput(
            f"The {cell(about.name)} budget is {ctx.show(source.budget)}{also}; {ctx.show(amount)} is more than that."
        )
    when = one_month(now.found.month, ctx.preferences.locale)
    text = f"Moving {ctx.show(amount)} of budget from {cell(about.name)} to {cell(to.name)} in {when}:"
    facts = [Fact("budget moved", amount)]
    target = now.budget(to) or Limit(now.known.money(0), now.known.money(0))
    for one, limit, moved in ((about, source, -amount), (to, target, amount)):
        name, expected = cell(one.name), now.expected(one)
        before, after, left = limit.budget, limit.budget + moved, limit.all + moved - expected
        text += f" {name} would go from {ctx.show(before)} to {ctx.show(after)}; {_end(ctx, left)}."
        facts += [
            Fact(f"{name} budget in {when}", before),
            Fact(f"{name} budget in {when} after the shift", after),
            Fact(f"expected on {name} in {when}", expected),
            Fact(f"expected {_left_over(left)} the {name} budget after the shift", abs(left)),
        ]
    text += " Nothing is changed: ask me to move it, and I will propose just that."
    return ToolResult(text, tuple(facts), _shift_chart(now, amount, about, to, when))


def _end(ctx: ToolContext, left: Money) -> str:
    if left.minor < 0:
        return f"at the forecast spending that is {ctx.show(-left)} too little"
    return f"at the forecast spending {ctx.show(left)} of it would be left"


def _left_over(left: Money) -> str:
    return "over" if left.minor < 0 else "left of"


def _category(ctx: ToolContext, now: Situation, about: Chosen, amount: Money, when: str) -> tuple[str, list[Fact]]:
    name, expected, budget = cell(about.name), now.expected(about), now.budget(about)
    facts = [
        Fact(f"expected on {name} in {when}", expected),
        Fact(f"expected on {name} in {when} with the change", expected + amount),
    ]
    text = f" {name} would come to about {ctx.show(expected + amount)} instead of {ctx.show(expected)}"
    if budget is None:
        return f"{text}; it has no budget.", facts
    left = budget.all - expected - amount
    state = "over" if left.minor < 0 else "under"
    facts += [
        *budget.facts(name, when),
        Fact(f"expected {_left_over(left)} the {name} budget", abs(left)),
    ]
    return f"{text}, {ctx.show(abs(left))} {state} its {budget.told(ctx)}.", facts


def _total_facts(now: Situation, amount: Money, when: str) -> list[Fact]:
    total = now.found.total
    return [
        Fact(f"expected spending in {when}", total.expected),
        Fact(f"expected spending in {when} with the change", total.expected + amount),
        Fact(f"low end with the change, {when}", total.low + amount),
        Fact(f"high end with the change, {when}", total.high + amount),
    ]


def _chart(now: Situation, amount: Money, when: str) -> Chart:
    """The month's coming days as forecast, without and with the change."""
    points = [(point.day.isoformat(), point.total.expected) for point in now.found.path]
    series = (
        Series("As it is", tuple((day, total.amount) for day, total in points)),
        Series("With the change", tuple((day, (total + amount).amount) for day, total in points)),
    )
    return Chart("line", f"Spending by the end of {when}", now.known.currency, series)


def _shift_chart(now: Situation, amount: Money, about: Chosen, to: Chosen, when: str) -> Chart:
    both = (about, -amount), (to, amount)
    series = (
        Series("Budget", tuple((one.name, _budget(now, one).amount) for one, _ in both)),
        Series("After", tuple((one.name, (_budget(now, one) + change).amount) for one, change in both)),
        Series("Forecast", tuple((one.name, now.expected(one).amount) for one, _ in both)),
    )
    return Chart("bar", f"Budgets in {when} after the shift", now.known.currency, series)


def _budget(now: Situation, about: Chosen) -> Money:
    limit = now.budget(about)
    return limit.budget if limit else now.known.money(0)


def label(args: WhatIfArgs) -> str:
    what = {"purchase": "a purchase", "income": "an income", "recurring": "a monthly charge"}.get(args.change)
    return f"Trying out {what or 'a budget shift'}{f' on {cell(args.category)}' if args.category else ''}"


SIMULATE_WHAT_IF = Tool(
    name="simulate_what_if",
    description=(
        "What a purchase, a raise or cut of monthly income, a new or ended monthly charge, or moving budget would "
        "change in the month's forecast. Only tries it out; to really move budget use move_money."
    ),
    args=WhatIfArgs,
    run=run,
    label=label,
)
