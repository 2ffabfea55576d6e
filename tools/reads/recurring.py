"""find_recurring: subscriptions, rent and bills, what they cost a month, and which price has changed."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from pydantic import Field

from domain.errors import InvalidInput
from domain.money import Money
from ledger import recurring
from ledger.recurring import Cadence, Recurring
from tools.reads import scope
from tools.result import Fact, ToolResult
from tools.tool import Args, Phrase, Tool, ToolContext
from tools.wording import cell, counted, outside, percent, short_day, table

MOST_LINES = 15

RHYTHM: Final[dict[Cadence, str]] = {
    "weekly": "every week",
    "fortnightly": "every two weeks",
    "semimonthly": "twice a month",
    "monthly": "monthly",
    "quarterly": "every three months",
    "yearly": "yearly",
}


class RecurringArgs(Args):
    category: Phrase | None = Field(None, description="only this category")


async def run(ctx: ToolContext, args: RecurringArgs) -> ToolResult:
    async with ctx.db.read(ctx.user) as tx:
        about = await scope.scope(tx, category=args.category, word="in")
        if about.category and about.category.id is None:
            raise InvalidInput("Recurring charges are looked up for one category or for all of them.")
        found = await recurring.find(tx, ctx.today, about.wanted.category)
    running = [charge for charge in found if not charge.pattern.lapsed]
    ended = [charge for charge in found if charge.pattern.lapsed]
    if not found:
        return ToolResult(f"I see no recurring charges{about.words} in the last {recurring.HISTORY_MONTHS} months.")
    totals = _per_month(running)
    text = f"You have {counted(len(running), 'recurring charge')}{about.words}"
    if totals:
        text += f", about {' and '.join(ctx.show(t) for t in totals)} in an average month"
        text += f" and {' and '.join(ctx.show(t) for t in _per_year(running))} in a year."
    else:
        text += "."
    text += "".join(_price_change(ctx, charge) for charge in running if charge.pattern.price_change)
    if ended:
        names = ", ".join(f"{cell(c.merchant)} (last on {_day(ctx, c)})" for c in ended[:5])
        text += f" Overdue, so perhaps ended: {names}{f' and {len(ended) - 5} more' if len(ended) > 5 else ''}."
    if running:
        text += f"\n\n{_table(ctx, running)}"
    return ToolResult(text, _facts(running, ended, totals), rows=tuple(_row(charge) for charge in found[:50]))


def _per_month(charges: list[Recurring]) -> list[Money]:
    sums: dict[str, Money] = {}
    for charge in charges:
        cost = charge.pattern.per_month
        sums[cost.currency] = sums.get(cost.currency, Money(0, cost.currency)) + cost
    return list(sums.values())


def _per_year(charges: list[Recurring]) -> list[Money]:
    sums: dict[str, Money] = {}
    for charge in charges:
        cost = charge.pattern.per_year
        sums[cost.currency] = sums.get(cost.currency, Money(0, cost.currency)) + cost
    return list(sums.values())


def _price_change(ctx: ToolContext, charge: Recurring) -> str:
    step = charge.pattern.price_change
    if step is None:
        return ""
    verb = "rose" if step.before < step.after else "fell"
    on = short_day(step.day, ctx.preferences.locale)
    return f" {cell(charge.merchant)} {verb} from {ctx.show(step.before)} to {ctx.show(step.after)} on {on}."


def _day(ctx: ToolContext, charge: Recurring) -> str:
    return short_day(charge.pattern.last_day, ctx.preferences.locale)


def _table(ctx: ToolContext, charges: list[Recurring]) -> str:
    locale = ctx.preferences.locale
    rows = [
        [
            cell(charge.merchant) + (", beside other purchases" if charge.among else ""),
            ("about " if charge.pattern.varies else "") + ctx.show(charge.pattern.typical),
            RHYTHM[charge.pattern.cadence],
            ctx.show(charge.pattern.per_year),
            short_day(charge.pattern.next, locale) if charge.pattern.next else "",
        ]
        for charge in charges[:MOST_LINES]
    ]
    rest = len(charges) - MOST_LINES
    more = f"\n\nThe {MOST_LINES} dearest; {rest} more not shown." if rest > 0 else ""
    return table(("Charge", "Amount", "How often", "In a year", "Next expected"), rows) + more


def _facts(running: list[Recurring], ended: list[Recurring], totals: list[Money]) -> tuple[Fact, ...]:
    facts = [Fact("recurring charges", Decimal(len(running)), "count")]
    facts += [Fact("recurring charges in an average month", total) for total in totals]
    facts += [Fact("recurring charges in a year", total) for total in _per_year(running)]
    for category in dict.fromkeys(charge.category for charge in running):
        own = [charge for charge in running if charge.category == category]
        facts += [Fact(f"recurring charges in {cell(category)}, in a year", total) for total in _per_year(own)]
    facts.append(Fact("recurring charges that are overdue, so perhaps ended", Decimal(len(ended)), "count"))
    for charge in running[:20]:
        name, pattern = cell(charge.merchant), charge.pattern
        facts.append(Fact(f"{name}, {RHYTHM[pattern.cadence]}{', typical' if pattern.varies else ''}", pattern.typical))
        if pattern.last != pattern.typical:
            facts.append(Fact(f"{name}, last charge", pattern.last))
        if pattern.cadence != "monthly":
            facts.append(Fact(f"{name}, in an average month", pattern.per_month))
        facts.append(Fact(f"{name}, in a year", pattern.per_year))
        if pattern.price_change:
            facts.append(Fact(f"{name}, price before", pattern.price_change.before))
            facts.append(Fact(f"{name}, price since", pattern.price_change.after))
            facts.append(Fact(f"{name}, price changed on", pattern.price_change.day))
            change = pattern.price_change.after - pattern.price_change.before
            facts.append(Fact(f"{name}, price {'up' if change.minor > 0 else 'down'} by", abs(change)))
            share = percent(abs(change).minor, pattern.price_change.before.minor)
            facts.append(Fact(f"{name}, price {'up' if change.minor > 0 else 'down'} by", share, "percent"))
        if pattern.next:
            facts.append(Fact(f"{name}, next expected", pattern.next))
    facts += [Fact(f"{cell(charge.merchant)}, last charge", charge.pattern.last_day) for charge in ended[:20]]
    return tuple(facts)


def _row(charge: Recurring) -> dict[str, object]:
    pattern = charge.pattern
    return {
        "merchant": outside(charge.merchant),
        "category": charge.category,
        "cadence": pattern.cadence,
        "typical": str(pattern.typical.amount),
        "currency": pattern.typical.currency,
        "a_year": str(pattern.per_year.amount),
        "varies": pattern.varies,
        "beside_other_purchases": charge.among,
        "last": pattern.last_day.isoformat(),
        "next": pattern.next.isoformat() if pattern.next else None,
    }


def label(args: RecurringArgs) -> str:
    return "Looking for recurring charges" + (f" in {cell(args.category)}" if args.category else "")


FIND_RECURRING = Tool(
    name="find_recurring",
    description=(
        "Charges that come back (subscriptions, rent, bills): amount, rhythm, next date, yearly cost, price changes, "
        "and which seem to have ended."
    ),
    args=RecurringArgs,
    run=run,
    label=label,
)
