"""What a question about transactions is about: the words of its arguments as a filter, and said back."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from db.engine import Transaction
from domain.errors import InvalidInput
from domain.periods import DateRange, Month
from ledger import accounts, categories, span, transactions
from ledger.filters import TxnFilter
from tools import dates
from tools.names import CATEGORY_WORDS, either, matching, resolve
from tools.result import Fact
from tools.tool import ToolContext
from tools.wording import cell, short_day

_FOLLOWS = re.compile(r"\b(?:before|after|following|preceding)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The category that was meant; `id` is None for what has no category."""

    name: str
    kind: categories.Kind
    id: UUID | None


@dataclass(frozen=True, slots=True)
class Scope:
    """A filter, and the same in words: " on Groceries at Target", with a space in front; empty for everything."""

    wanted: TxnFilter
    words: str
    category: Chosen | None = None


class NoSuchMerchant(InvalidInput):
    """No transaction is at such a merchant; the message says so and is an answer."""


def period(ctx: ToolContext, text: str | None) -> DateRange:
    """The period that was said, this month without one. "The month before" follows what was spoken of earlier."""
    if text is None:
        return Month.of(ctx.today).days
    return dates.period(text, ctx.today, locale=ctx.preferences.locale, topic=_topic(ctx, text))


def month(ctx: ToolContext, text: str | None) -> Month:
    """The month that was said, this one without one; "December" in November is the coming one, "September" is past."""
    if text is None:
        return Month.of(ctx.today)
    locale = ctx.preferences.locale
    return dates.month(text, ctx.today, lean="nearest", locale=locale, topic=_topic(ctx, text))


def _topic(ctx: ToolContext, text: str) -> DateRange | None:
    if not _FOLLOWS.search(text):
        return None
    return dates.mentioned(ctx.said[:-1], ctx.today, locale=ctx.preferences.locale)


async def chosen(tx: Transaction, said: str | None) -> Chosen | None:
    """The category of that name or one near it, or None without a name. Raises UnknownName or Ambiguous."""
    if said is None:
        return None
    known = {category.name: category for category in await categories.list_(tx)}
    name = resolve(said, [*known, categories.UNCATEGORIZED], "category", CATEGORY_WORDS)
    if name not in known:
        return Chosen(categories.UNCATEGORIZED, "spending", None)
    return Chosen(name, known[name].kind, known[name].id)


async def scope(
    tx: Transaction,
    *,
    category: str | None = None,
    merchant: str | None = None,
    account: str | None = None,
    word: str = "on",
) -> Scope:
    """The filter for these names. A merchant means every merchant that has the words in its name; `word` is what stands
    before a category ("spent on Dining", "transactions in Dining").

    Raises NoSuchMerchant when nothing is at such a merchant, InvalidInput when a name is unknown or ambiguous.
    """
    wanted, words = TxnFilter(), ""
    about = await chosen(tx, category)
    if about:
        wanted = replace(wanted, category=about.id, uncategorized=about.id is None)
        words += " without a category" if about.id is None else f" {word} {cell(about.name)}"
    if merchant:
        found = matching(merchant, await transactions.merchants(tx))
        if not found:
            raise NoSuchMerchant(f"You have no transactions at “{cell(merchant)}”.")
        wanted = replace(wanted, merchants=found)
        words += f" at {listed(found)}"
    if account:
        known = {a.name: a.id for a in await accounts.list_(tx)}
        name = resolve(account, known, "account")
        wanted = replace(wanted, account=known[name])
        words += f" from {cell(name)}"
    return Scope(wanted, words, about)


async def known(tx: Transaction, ctx: ToolContext, days: DateRange) -> tuple[DateRange, date | None]:
    """The part of the period that there are records of, and the day they begin when that is not before it."""
    if ctx.records_begin is not None and ctx.records_begin <= days.start:
        return days, None
    first = await span.first_day(tx)  # what was known may be of a moment ago
    if first is None or first <= days.start:
        return days, None
    return DateRange(min(first, days.end), days.end), first


def begins(ctx: ToolContext, days: DateRange, first: date | None) -> tuple[str, tuple[Fact, ...]]:
    """A sentence, with its fact, for a period that reaches back further than the records do."""
    if first is None or days.start == dates.BEGINNING:
        return "", ()
    return f" Your records begin on {short_day(first, ctx.preferences.locale)}.", (Fact("records begin", first),)


def listed(names: Sequence[str], most: int = 3) -> str:
    """ "Target", "Apple TV and Apple Store", "A, B, C and 4 more", as safe text."""
    shown = [cell(name) for name in names[:most]]
    if len(names) > most:
        return f"{', '.join(shown)} and {len(names) - most} more"
    return either(shown).replace(" or ", " and ") if len(shown) > 1 else shown[0]
