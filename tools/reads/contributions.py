"""Which categories and merchants made the difference between two periods; their shares add up to exactly 100 %."""

from __future__ import annotations

from decimal import Decimal

from domain.money import Money
from ledger.insights.shares import shares
from ledger.reports import Compared, Comparison
from tools.result import Fact
from tools.tool import ToolContext
from tools.wording import cell, outside

MOST = 3
MOST_FACTS = 8


def sentence(ctx: ToolContext, found: Comparison, shops: Comparison, *, by_category: bool) -> str:
    """ " Most of the difference: Travel +$742.16 (81.0%) and ...", or "" when nothing changed."""
    total = found.totals[0].change
    if not total.minor:
        return ""
    text = _named(ctx, "Most of the difference by category", found) if by_category else ""
    return text + _named(ctx, "By merchant" if text else "Most of the difference by merchant", shops)


def _named(ctx: ToolContext, what: str, found: Comparison) -> str:
    """The lines that went the way of the total, largest first, and the largest one against it."""
    parts = shared(ctx, found)
    total = found.totals[0].change
    along = [part for part in parts if part[1].minor * total.minor > 0][:MOST]
    against = next((part for part in parts if part[1].minor * total.minor < 0), None)
    if not along or len(parts) < 2:
        return ""
    words = ", ".join(f"{name} {signed(ctx, change)} ({share}% of it)" for name, change, share in along)
    text = f" {what}: {words}"
    return f"{text}; against it {against[0]} {signed(ctx, against[1])}." if against else f"{text}."


def shared(ctx: ToolContext, found: Comparison) -> list[tuple[str, Money, Decimal]]:
    """(name, change, share of the difference in percent) in the base currency, largest change first. The changes add up
    to the difference and the shares to 100; empty when there is no difference."""
    own = [line for line in found.lines if line.a.currency == ctx.preferences.currency and line.change.minor]
    parts = shares([line.change.minor for line in own])
    if parts is None:
        return []
    return [(name(line), line.change, share) for line, share in zip(own, parts, strict=True)]


def facts(ctx: ToolContext, found: Comparison, shops: Comparison) -> tuple[Fact, ...]:
    """Each part's change and share, and what all parts that are not listed make together."""
    made = []
    for kind, comparison in (("", found), ("at ", shops)):
        parts = shared(ctx, comparison)
        for label, change, share in parts[:MOST_FACTS]:
            made.append(Fact(f"share of the difference: {kind}{label}", share, "percent"))
            made.append(Fact(f"part of the difference: {kind}{label}", change))
        rest = parts[MOST_FACTS:]
        if rest:
            everything = sum((change for _, change, _ in rest), Money(0, ctx.preferences.currency))
            other = "other merchants" if kind else "other categories"
            made.append(Fact(f"part of the difference: {kind}{len(rest)} {other}", everything))
            share = sum((share for _, _, share in rest), Decimal(0))
            made.append(Fact(f"share of the difference: {kind}{len(rest)} {other}", share, "percent"))
    return tuple(made)


def rows(shops: Comparison) -> tuple[dict[str, object], ...]:
    """The merchants with the largest changes, as data."""
    changed = [line for line in shops.lines if line.change.minor][:20]
    return tuple(
        {
            "merchant": outside(line.label),
            "a": str(line.a.amount),
            "b": str(line.b.amount),
            "change": str(line.change.amount),
            "currency": line.a.currency,
        }
        for line in changed
    )


def name(line: Compared) -> str:
    """The label as harmless text."""
    return cell(line.label) or "no merchant"


def signed(ctx: ToolContext, amount: Money) -> str:
    """ "+$12.00", "-$3.50"."""
    return ("+" if amount.minor > 0 else "") + ctx.show(amount)
