"""compare_periods: what was spent in two periods, side by side; the change runs from the earlier to the later one."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from pydantic import Field

from db.engine import Transaction
from domain.periods import DateRange, Month
from ledger import reports
from ledger.reports import Compared, Comparison
from tools.reads import contributions, scope
from tools.reads.scope import Scope
from tools.result import Chart, Fact, Series, ToolResult
from tools.tool import Args, Phrase, Tool, ToolContext
from tools.wording import cell, describe, during, percent, table

MOST_LINES = 8


class CompareArgs(Args):
    period_a: Phrase = Field(description="in the user's words or ISO")
    period_b: Phrase = Field(description="in the user's words or ISO")
    category: Phrase | None = Field(None, description="only this category")


async def run(ctx: ToolContext, args: CompareArgs) -> ToolResult:
    a, b = scope.period(ctx, args.period_a), scope.period(ctx, args.period_b)
    if (b.start, b.end) < (a.start, a.end):
        a, b = b, a
    async with ctx.db.read(ctx.user) as tx:
        about = await scope.scope(tx, category=args.category)
        if about.category and about.category.kind != "spending":
            return ToolResult(f"{cell(about.category.name)} is not spending; get_spending has its figures.", ok=False)
        found = await reports.compare(tx, a, b, ctx.preferences.currency, wanted=about.wanted)
        _, first = await scope.known(tx, ctx, DateRange(a.start, max(a.end, b.end)))
        pace = await _same_days(ctx, tx, a, b, about)
        shops = await reports.compare(tx, a, b, ctx.preferences.currency, "merchant", about.wanted)
    begins, since = scope.begins(ctx, a, first)
    text = _sentences(ctx, about, found) + begins
    if pace:
        text += _pace_sentence(ctx, pace)
    lines = [line for line in found.lines if line.change.minor]
    text += contributions.sentence(ctx, found, shops, by_category=about.category is None)
    if about.category is None and lines:
        text += f"\n\n{_table(ctx, found, lines)}"
    facts = (
        _facts(ctx, about, found, lines)
        + contributions.facts(ctx, found, shops)
        + (_facts(ctx, about, pace, []) if pace else ())
        + since
    )
    rows = (*(_row(line) for line in found.lines[:50]), *contributions.rows(shops))
    return ToolResult(text, facts, _chart(ctx, about, found), rows)


async def _same_days(ctx: ToolContext, tx: Transaction, a: DateRange, b: DateRange, about: Scope) -> Comparison | None:
    """When the later period is a month that still runs and the earlier one a whole month: as many days of both."""
    running = b.start <= ctx.today < b.end and b == Month.of(b.start).days and a == Month.of(a.start).days
    if not running or a == b:
        return None
    day = (ctx.today - b.start).days
    return await reports.compare(
        tx,
        a.until(a.start + timedelta(days=day)),
        b.until(ctx.today),
        ctx.preferences.currency,
        wanted=about.wanted,
    )


def _sentences(ctx: ToolContext, about: Scope, found: Comparison) -> str:
    first, second = _during(ctx, found.a), _during(ctx, found.b)
    total = found.totals[0]
    text = (
        f"You spent {ctx.show(total.a)}{about.words} {first} and {ctx.show(total.b)} {second}: "
        f"{_change(ctx, total)}{' in the later period' if total.change.minor else ''}."
    )
    for other in found.totals[1:]:
        text += f" Separately, in {other.a.currency}: {ctx.show(other.a)} and {ctx.show(other.b)}."
    if not (found.b.start > found.a.end or found.b == found.a):
        text += " The two periods overlap."
    return text


def _change(ctx: ToolContext, line: Compared) -> str:
    if not line.change.minor:
        return "the same"
    share = f" ({abs(line.percent)}%)" if line.percent is not None else ""
    return f"{ctx.show(abs(line.change))} {'more' if line.change.minor > 0 else 'less'}{share}"


def _pace_sentence(ctx: ToolContext, pace: Comparison) -> str:
    """An unfinished month against the same days of the other one, so that the comparison is fair."""
    total = pace.totals[0]
    days = describe(pace.a, ctx.today, ctx.preferences.locale)
    if not total.change.minor:
        return f" In the same days of the earlier month ({days}) it was the same."
    return f" In the same days of the earlier month ({days}) it was {ctx.show(total.a)}: {_change(ctx, total)} by now."


def _during(ctx: ToolContext, days: DateRange) -> str:
    return during(days, ctx.today, ctx.preferences.locale)


def _signed(ctx: ToolContext, line: Compared) -> str:
    return ("+" if line.change.minor > 0 else "") + ctx.show(line.change)


def _table(ctx: ToolContext, found: Comparison, lines: list[Compared]) -> str:
    """The largest changes first, those in other currencies after them."""
    locale = ctx.preferences.locale
    head = ("Category", *(describe(days, ctx.today, locale) for days in (found.a, found.b)), "Change")
    rows = [[cell(line.label), ctx.show(line.a), ctx.show(line.b), _signed(ctx, line)] for line in lines[:MOST_LINES]]
    rest = len(lines) - MOST_LINES
    more = f"\n\nThe {MOST_LINES} largest changes; {rest} smaller not shown." if rest > 0 else ""
    return table(head, rows) + more


def _facts(ctx: ToolContext, about: Scope, found: Comparison, lines: list[Compared]) -> tuple[Fact, ...]:
    first, second = (describe(days, ctx.today, ctx.preferences.locale) for days in (found.a, found.b))
    facts: list[Fact] = []
    for total in found.totals:
        currency = "" if total is found.totals[0] else f", in {total.a.currency}"
        facts += _line_facts(f"spent{about.words}{currency}", first, second, total)
    for line in lines[:MOST_LINES]:
        facts += _line_facts(f"spent on {cell(line.label)}", first, second, line)
    return tuple(facts)


def _line_facts(what: str, first: str, second: str, line: Compared) -> list[Fact]:
    facts = [
        Fact(f"{what}, {first}", line.a),
        Fact(f"{what}, {second}", line.b),
        Fact(f"change of {what} from {first} to {second}", line.change),
        Fact(f"{'less' if line.change.minor < 0 else 'more'} {what}, {second} than {first}", abs(line.change)),
    ]
    if line.percent is not None:
        facts.append(Fact(f"change of {what} from {first} to {second}", line.percent, "percent"))
        facts.append(Fact(f"{what}, {second} as a share of {first}", percent(line.b.minor, line.a.minor), "percent"))
    return facts


def _row(line: Compared) -> dict[str, object]:
    amounts = {"a": str(line.a.amount), "b": str(line.b.amount), "change": str(line.change.amount)}
    return {"category": line.label, **amounts, "currency": line.a.currency}


def _chart(ctx: ToolContext, about: Scope, found: Comparison) -> Chart:
    own = [line for line in found.lines if line.a.currency == ctx.preferences.currency]
    own = sorted(own, key=lambda line: -max(line.a.minor, line.b.minor))[:MOST_LINES]
    locale = ctx.preferences.locale
    names = [describe(days, ctx.today, locale) for days in (found.a, found.b)]
    values: tuple[tuple[tuple[str, Decimal], ...], ...] = (
        tuple((line.label, line.a.amount) for line in own),
        tuple((line.label, line.b.amount) for line in own),
    )
    series = tuple(Series(name, points) for name, points in zip(names, values, strict=True))
    return Chart("bar", f"Spending{about.words}: {names[0]} and {names[1]}", ctx.preferences.currency, series)


def label(args: CompareArgs) -> str:
    return f"Comparing {cell(args.category or 'spending')}: {cell(args.period_a)} and {cell(args.period_b)}"


COMPARE_PERIODS = Tool(
    name="compare_periods",
    description=(
        "Spending in two periods side by side: what changed, in money and percent, and which categories and merchants "
        "made the difference; for one category or all."
    ),
    args=CompareArgs,
    run=run,
    label=label,
)
