"""find_anomalies: purchases and categories far above what is usual, and what may have been charged twice."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal

from pydantic import Field

from domain.periods import DateRange
from ledger.insights import history
from ledger.insights.anomalies import LEAST_AT_MERCHANT, LEAST_IN_CATEGORY, Anomalies, Heavy, Twice, Unusual, anomalies
from tools.reads import scope
from tools.result import Chart, Fact, Series, ToolResult
from tools.tool import Args, Phrase, Tool, ToolContext
from tools.wording import asked, cell, counted, describe, during, outside, short_day

DEFAULT_DAYS = 30
MOST_LINES = 8


class AnomaliesArgs(Args):
    period: Phrase | None = Field(None, description="in the user's words or ISO; default: the last 30 days")


async def run(ctx: ToolContext, args: AnomaliesArgs) -> ToolResult:
    days = (
        scope.period(ctx, args.period) if args.period else DateRange(ctx.today - timedelta(DEFAULT_DAYS - 1), ctx.today)
    )
    async with ctx.db.read(ctx.user) as tx:
        known = await history.load(tx, ctx.today, ctx.preferences.currency)
    found = await asyncio.to_thread(anomalies, known, days)
    when = during(days, ctx.today, ctx.preferences.locale)
    what = counted(found.looked_at, "purchase")
    everything = [
        *(purchase_words(ctx, u) for u in found.purchases),
        *(category_words(ctx, h) for h in found.categories),
        *(twice_words(ctx, t) for t in found.twice),
    ]
    facts = (Fact(f"purchases looked at {when}", Decimal(found.looked_at), "count"), *_facts(ctx, found))
    aside = f" Not looked at: spending in {' and '.join(known.others)}." if known.others else ""
    if known.first is not None and days.start < known.first:
        aside += f" Records that are looked at begin on {short_day(known.first, ctx.preferences.locale)}."
    if not everything:
        return ToolResult(
            f"Nothing unusual {when}: {what} looked at, against what is usual at each merchant "
            f"({LEAST_AT_MERCHANT} earlier purchases at least) and in each category ({LEAST_IN_CATEGORY}).{aside}",
            facts,
        )
    text = f"{counted(len(everything), 'thing stands', 'things stand')} out {when}, of {what}.{aside}\n\n"
    text += "\n".join(f"- {line}" for line in everything[:MOST_LINES])
    rest = len(everything) - MOST_LINES
    if rest > 0:
        text += f"\n\nThe {MOST_LINES} most unusual; {rest} more not shown."
    return ToolResult(text, facts, _chart(ctx, found), tuple(_row(u) for u in found.purchases[:50]))


def purchase_words(ctx: ToolContext, unusual: Unusual) -> str:
    """ "$142.00 at Target on Nov 3, 2026 (#1204): 3.2 times what you usually spend there; usual $42.10, ..."."""
    entry = unusual.entry
    day = short_day(entry.day, ctx.preferences.locale)
    where = "at this merchant" if unusual.at == "merchant" else f"at once on {cell(entry.category)}"
    return (
        f"{ctx.show(unusual.amount)} at {cell(entry.merchant) or 'no merchant'} on {day} (#{entry.no}): "
        f"{unusual.times} times what you usually spend {where}; "
        f"usual {ctx.show(unusual.usual)}, the median of {unusual.count} before."
    )


def category_words(ctx: ToolContext, heavy: Heavy) -> str:
    """A category far above its own past, in a sentence."""
    when = during(heavy.days, ctx.today, ctx.preferences.locale)
    return (
        f"{ctx.show(heavy.amount)} on {cell(heavy.category)} {when}: {heavy.times} times what is usual for as many "
        f"days; usual {ctx.show(heavy.usual)}, the median of {heavy.count} earlier such periods."
    )


def twice_words(ctx: ToolContext, twice: Twice) -> str:
    """A suspicion, worded as one."""
    first = twice.entries[0]
    day = short_day(first.day, ctx.preferences.locale)
    numbers = ", ".join(f"#{entry.no}" for entry in twice.entries)
    times = "twice" if len(twice.entries) == 2 else f"{len(twice.entries)} times"
    pending = " One of them is still pending." if any(entry.pending for entry in twice.entries) else ""
    return (
        f"Possibly charged {times}: {ctx.show(twice.amount)} at {cell(first.merchant)} on {day} ({numbers}); "
        f"it may also be {len(twice.entries)} real purchases.{pending}"
    )


def purchase_facts(unusual: Unusual) -> tuple[Fact, ...]:
    """The figures of `purchase_words`."""
    name, no = cell(unusual.entry.merchant), unusual.entry.no
    return (
        Fact(f"spent at {name}, transaction {no}", unusual.amount),
        Fact(f"date of transaction {no}", unusual.entry.day),
        Fact(
            f"usual at {name if unusual.at == 'merchant' else 'once on ' + cell(unusual.entry.category)}", unusual.usual
        ),
        Fact(f"transaction {no} as times the usual", unusual.times, "times"),
        Fact(f"above the usual, transaction {no}", unusual.amount - unusual.usual),
        Fact(f"earlier purchases that transaction {no} is compared with", Decimal(unusual.count), "count"),
    )


def category_facts(ctx: ToolContext, heavy: Heavy) -> tuple[Fact, ...]:
    """The figures of `category_words`."""
    name, when = cell(heavy.category), describe(heavy.days, ctx.today, ctx.preferences.locale)
    return (
        Fact(f"spent on {name}, {when}", heavy.amount),
        Fact(f"usual on {name} for as many days", heavy.usual),
        Fact(f"{name} as times the usual, {when}", heavy.times, "times"),
        Fact(f"above the usual on {name}, {when}", heavy.amount - heavy.usual),
        Fact(f"earlier periods that {name} is compared with", Decimal(heavy.count), "count"),
    )


def twice_facts(twice: Twice) -> tuple[Fact, ...]:
    """The figures of `twice_words`."""
    name = cell(twice.entries[0].merchant)
    return (
        Fact(f"possibly charged twice at {name}, each", twice.amount),
        Fact(f"possibly charged too much at {name}", twice.extra),
        Fact(f"equal charges at {name} on that day", Decimal(len(twice.entries)), "count"),
        Fact(f"date of the equal charges at {name}", twice.entries[0].day),
    )


def _facts(ctx: ToolContext, found: Anomalies) -> tuple[Fact, ...]:
    return (
        Fact("unusual purchases", Decimal(len(found.purchases)), "count"),
        Fact("unusual categories", Decimal(len(found.categories)), "count"),
        Fact("possibly charged twice", Decimal(len(found.twice)), "count"),
        *(fact for u in found.purchases[:20] for fact in purchase_facts(u)),
        *(fact for h in found.categories[:20] for fact in category_facts(ctx, h)),
        *(fact for t in found.twice[:20] for fact in twice_facts(t)),
    )


def _chart(ctx: ToolContext, found: Anomalies) -> Chart | None:
    if not found.purchases:
        return None
    shown = {f"{cell(u.entry.merchant)} (#{u.entry.no})": u for u in found.purchases[:MOST_LINES]}
    series = (
        Series("Spent", tuple((name, u.amount.amount) for name, u in shown.items())),
        Series("Usual", tuple((name, u.usual.amount) for name, u in shown.items())),
    )
    return Chart("bar", "Unusual purchases", ctx.preferences.currency, series)


def _row(unusual: Unusual) -> dict[str, object]:
    return {
        "no": unusual.entry.no,
        "date": unusual.entry.day.isoformat(),
        "merchant": outside(unusual.entry.merchant),
        "category": unusual.entry.category,
        "amount": str(unusual.amount.amount),
        "usual": str(unusual.usual.amount),
        "times": str(unusual.times),
        "currency": unusual.amount.currency,
    }


def label(args: AnomaliesArgs) -> str:
    return f"Looking for {asked('unusual spending', args.period)}"


FIND_ANOMALIES = Tool(
    name="find_anomalies",
    description=(
        "Unusual spending in a period: purchases and categories far above what is usual, with why, and what may have "
        "been charged twice."
    ),
    args=AnomaliesArgs,
    run=run,
    label=label,
)
