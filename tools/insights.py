"""What is worth knowing now, unasked: recurring changes, unusual spending, budgets that will not hold, what is safe to
spend. Each is a sentence written by code, with the facts for every figure in it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Final, Literal
from uuid import UUID

from domain.periods import DateRange, Month
from ledger import recurring
from ledger.insights import history
from ledger.insights.anomalies import anomalies
from ledger.insights.forecast import LEAST_DAYS, Forecast, forecast
from ledger.insights.history import History
from ledger.recurring import PriceChange, Recurring
from tools.reads import safe_to_spend
from tools.reads.anomalies import (
    DEFAULT_DAYS,
    category_facts,
    category_words,
    purchase_facts,
    purchase_words,
    twice_facts,
    twice_words,
)
from tools.reads.limits import Limit, limits
from tools.reads.recurring import RHYTHM
from tools.result import Chart, Fact, Series
from tools.tool import ToolContext
from tools.wording import cell, one_month, percent, short_day

Kind = Literal[
    "safe_to_spend",
    "forecast_over_budget",
    "price_change",
    "possibly_cancelled",
    "charge_due",
    "unusual_purchase",
    "unusual_category",
    "possibly_charged_twice",
]

RECENT: Final = timedelta(days=60)
"""How long a price change or a missing charge is news."""
SOON: Final = timedelta(days=7)
MOST_OF_A_KIND: Final = 5


@dataclass(frozen=True, slots=True)
class Insight:
    """One thing worth knowing: `text` stands alone and may hold cleaned text from outside (merchants' names)."""

    kind: Kind
    text: str
    facts: tuple[Fact, ...]
    chart: Chart | None = None


async def current(ctx: ToolContext) -> tuple[Insight, ...]:
    """What is worth knowing today, at most five of a kind, the most urgent kinds first. Base currency only, but for
    recurring charges. Empty for a user without records."""
    base = ctx.preferences.currency
    async with ctx.db.read(ctx.user) as tx:
        known = await history.load(tx, ctx.today, base)
        if known.first is None:
            return ()
        charges = await recurring.find(tx, ctx.today)
        own = await limits(tx, Month.of(ctx.today), ctx.today, base)
        safe = await safe_to_spend.compute(ctx, tx, known)
    found: list[Insight] = []
    if (ctx.today - known.first).days + 1 >= LEAST_DAYS:
        month = await asyncio.to_thread(forecast, known, Month.of(ctx.today))
        found += _over(ctx, month, own)
    if safe.today is not None:
        told = safe_to_spend.told(ctx, known, safe)
        found.append(Insight("safe_to_spend", told.summary.partition("\n")[0], told.facts))
    found += await asyncio.to_thread(_unusual, ctx, known)
    found += _changes(ctx, charges)
    return tuple(found)


def _over(ctx: ToolContext, found: Forecast, known: Mapping[UUID | None, Limit]) -> list[Insight]:
    when = one_month(found.month, ctx.preferences.locale)
    over = []
    for line in found.lines:
        limit = known.get(line.category_id)
        if limit is None:
            continue
        budget = limit.all
        if not budget < line.total.expected:
            continue
        name, excess = cell(line.category), line.total.expected - budget
        sure = "is already" if budget < line.spent else "is likely to end" if budget < line.total.low else "may end"
        now = line.spent - budget if budget < line.spent else excess
        text = f"{name} {sure} {ctx.show(now)} over its {limit.told(ctx)} in {when}: "
        text += f"{ctx.show(line.spent)} is spent, about {ctx.show(line.total.expected)} expected by the month's end."
        facts = (
            *limit.facts(name, when),
            Fact(f"spent on {name} in {when}", line.spent),
            Fact(f"expected on {name} in {when}", line.total.expected),
            Fact(f"low end of the forecast for {name} in {when}", line.total.low),
            Fact(f"high end of the forecast for {name} in {when}", line.total.high),
            Fact(f"expected over the {name} budget in {when}", excess),
            Fact(f"over the {name} budget in {when}, {'now' if budget < line.spent else 'expected'}", now),
        )
        bars = (("Spent", line.spent), ("Expected", line.total.expected), ("Budget", budget))
        series = tuple(Series(label, ((line.category, amount.amount),)) for label, amount in bars)
        chart = Chart("bar", f"{name} in {when}", budget.currency, series)
        over.append((excess, Insight("forecast_over_budget", text, facts, chart)))
    over.sort(key=lambda pair: -pair[0].minor)
    return [insight for _, insight in over[:MOST_OF_A_KIND]]


def _unusual(ctx: ToolContext, known: History) -> list[Insight]:
    days = DateRange(ctx.today - timedelta(days=DEFAULT_DAYS - 1), ctx.today)
    recent, month = anomalies(known, days), anomalies(known, DateRange(Month.of(ctx.today).first, ctx.today))
    twice = [Insight("possibly_charged_twice", twice_words(ctx, t), twice_facts(t)) for t in recent.twice]
    bought = [Insight("unusual_purchase", purchase_words(ctx, u), purchase_facts(u)) for u in recent.purchases]
    heavy = [Insight("unusual_category", category_words(ctx, h), category_facts(ctx, h)) for h in month.categories]
    return [*twice[:MOST_OF_A_KIND], *bought[:MOST_OF_A_KIND], *heavy[:MOST_OF_A_KIND]]


def _changes(ctx: ToolContext, charges: tuple[Recurring, ...]) -> list[Insight]:
    prices = [_price(ctx, c, s) for c in charges if (s := c.pattern.price_change) and _recent(ctx, s.day)]
    ended = [_ended(ctx, c) for c in charges if c.pattern.lapsed and _recent(ctx, c.pattern.last_day, RECENT * 2)]
    coming = [c for c in charges if c.pattern.next and ctx.today <= c.pattern.next <= ctx.today + SOON]
    coming.sort(key=lambda c: c.pattern.next or ctx.today)
    due = [_due(ctx, c) for c in coming]
    return [*prices[:MOST_OF_A_KIND], *ended[:MOST_OF_A_KIND], *due[:MOST_OF_A_KIND]]


def _recent(ctx: ToolContext, day: date, within: timedelta = RECENT) -> bool:
    return ctx.today - within <= day


def _price(ctx: ToolContext, charge: Recurring, step: PriceChange) -> Insight:
    name = cell(charge.merchant)
    change = step.after - step.before
    share = percent(abs(change).minor, step.before.minor)
    verb = "rose" if change.minor > 0 else "fell"
    text = (
        f"{name} {verb} from {ctx.show(step.before)} to {ctx.show(step.after)} ({share}%) on "
        f"{short_day(step.day, ctx.preferences.locale)}; it now costs {ctx.show(charge.pattern.per_year)} in a year."
    )
    facts = (
        Fact(f"{name}, price before", step.before),
        Fact(f"{name}, price since", step.after),
        Fact(f"{name}, price {verb} by", abs(change)),
        Fact(f"{name}, price {verb} by", share, "percent"),
        Fact(f"{name}, price changed on", step.day),
        Fact(f"{name}, in a year", charge.pattern.per_year),
    )
    return Insight("price_change", text, facts)


def _ended(ctx: ToolContext, charge: Recurring) -> Insight:
    name, pattern = cell(charge.merchant), charge.pattern
    day = short_day(pattern.last_day, ctx.preferences.locale)
    text = (
        f"{name}, {ctx.show(pattern.last)} {RHYTHM[pattern.cadence]}, was last charged on {day} and is overdue: "
        "possibly cancelled."
    )
    facts = (
        Fact(f"{name}, last charge", pattern.last),
        Fact(f"{name}, last charge", pattern.last_day),
        Fact(f"{name}, charges seen", Decimal(pattern.count), "count"),
    )
    return Insight("possibly_cancelled", text, facts)


def _due(ctx: ToolContext, charge: Recurring) -> Insight:
    name, pattern = cell(charge.merchant), charge.pattern
    day = pattern.next or ctx.today
    about = "about " if pattern.varies else ""
    text = f"{name} is expected on {short_day(day, ctx.preferences.locale)}: {about}{ctx.show(pattern.typical)}."
    facts = (Fact(f"{name}, next expected", day), Fact(f"{name}, {RHYTHM[pattern.cadence]}", pattern.typical))
    return Insight("charge_due", text, facts)
