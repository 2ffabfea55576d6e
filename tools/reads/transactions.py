"""list_transactions: single transactions, newest or largest first, with how many match and what they add up to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Literal

from pydantic import Field

from db.engine import Transaction
from domain.errors import InvalidInput
from domain.money import Money
from domain.periods import DateRange
from ledger import transactions
from ledger.filters import TxnFilter
from ledger.transactions import Found, Txn
from tools.reads import scope
from tools.reads.scope import NoSuchMerchant, Scope
from tools.result import Fact, ToolResult
from tools.tool import AnyAmount, Args, Phrase, Tool, ToolContext
from tools.wording import asked, cell, counted, describe, during, outside, short_day, table

DEFAULT_LIMIT = 10
MOST_LINES = 20


Order = Literal["newest", "largest_spending", "largest_income"]

FLOWS: Mapping[str, Literal["out", "in"]] = {"largest_spending": "out", "largest_income": "in"}


class ListArgs(Args):
    category: Phrase | None = Field(None, description="only this category")
    merchant: Phrase | None = Field(None, description="a shop or payee, or part of its name")
    account: Phrase | None = Field(None, description="only this account")
    period: Phrase | None = Field(None, description="in the user's words or ISO; default: any time, newest first")
    text: Phrase | None = Field(None, description="words in the merchant or the memo")
    min_amount: AnyAmount | None = Field(None, description="at least so much, in or out")
    max_amount: AnyAmount | None = Field(None, description="at most so much, in or out")
    limit: int = Field(DEFAULT_LIMIT, ge=1, le=50, description="how many to show")
    order: Order = Field("newest", description="largest_...: only money spent or earned, the largest first")


async def run(ctx: ToolContext, args: ListArgs) -> ToolResult:
    days = scope.period(ctx, args.period) if args.period else None
    async with ctx.db.read(ctx.user) as tx:
        try:
            about = await _scope(ctx, tx, args)
        except NoSuchMerchant as none_there:
            return ToolResult(none_there.message, (Fact("transactions", Decimal(0), "count"),))
        wanted = replace(about.wanted, days=days)
        if args.order == "newest":
            found = await transactions.search(tx, wanted, args.limit)
        else:
            found = await transactions.largest(tx, wanted, args.limit, ctx.preferences.currency)
        latest = await _latest(tx, about.wanted) if days and not found.count else None
    when = f" {during(days, ctx.today, ctx.preferences.locale)}" if days else ""
    if not found.count:
        hint = f" The latest one is of {_day(ctx, latest)}." if latest else ""
        none = (Fact(f"transactions{about.words}{when}", Decimal(0), "count"),)
        return ToolResult(f"You have no transactions{about.words}{when}.{hint}", none)
    shown = found.items[:MOST_LINES]
    first = "latest" if args.order == "newest" else "largest"
    first_few = first if len(shown) == 1 else f"{first} {len(shown)}"
    if not about.words and not when and len(shown) < found.count:
        text = f"The {first_few} of your {counted(found.count, 'transaction')}:"
    else:
        text = f"You have {counted(found.count, 'transaction')}{about.words}{when}{_sum(ctx, about, found)}."
        text += f" The {first_few}:" if len(shown) < found.count else ""
    return ToolResult(
        f"{text}\n\n{_table(ctx, shown)}",
        _facts(ctx, about, days, found),
        rows=tuple(_row(txn) for txn in found.items),
    )


async def _scope(ctx: ToolContext, tx: Transaction, args: ListArgs) -> Scope:
    about = await scope.scope(tx, category=args.category, merchant=args.merchant, account=args.account, word="in")
    wanted, words = about.wanted, about.words
    if args.text:
        wanted, words = replace(wanted, text=args.text), f"{words} with “{cell(args.text)}”"
    low = ctx.amount(args.min_amount) if args.min_amount is not None else None
    high = ctx.amount(args.max_amount) if args.max_amount is not None else None
    if low is not None and high is not None and high < low:
        raise InvalidInput(f"min_amount ({ctx.show(low)}) is more than max_amount ({ctx.show(high)}).")
    if low is not None and high is not None:
        words += f" between {ctx.show(low)} and {ctx.show(high)}"
    elif low is not None:
        words += f" of at least {ctx.show(low)}"
    elif high is not None:
        words += f" of at most {ctx.show(high)}"
    if flow := FLOWS.get(args.order):
        words = f" of {'spending' if flow == 'out' else 'income'}{words}"
        wanted = replace(wanted, flow=flow)
    return Scope(replace(wanted, at_least=low, at_most=high), words, about.category)


async def _latest(tx: Transaction, wanted: TxnFilter) -> Txn | None:
    found = await transactions.search(tx, wanted, 1)
    return found.items[0] if found.items else None


def _sum(ctx: ToolContext, about: Scope, found: Found) -> str:
    """What all that match add up to, in words: spent or received for a category or merchant, else the net."""
    parts = []
    for total in found.totals:
        if _named(about) and total.minor:
            parts.append(f"{ctx.show(abs(total))} {_verb(total)}")
        else:
            parts.append(f"{_signed(ctx, total)} net")
    together = "" if found.count == 1 else " in all"
    return f", {' and '.join(parts)}{together}"


def _named(about: Scope) -> bool:
    """Whether it is about one kind of spending or income, so that the sum of it is more than a net of everything."""
    return bool(about.wanted.merchants or about.wanted.flow) or (
        about.category is not None and about.category.kind != "transfer"
    )


def _verb(amount: Money) -> str:
    return "received" if amount.minor > 0 else "spent"


def _signed(ctx: ToolContext, amount: Money) -> str:
    """Money out as it is, with its minus; money in with a plus."""
    return ("+" if amount.minor > 0 else "") + ctx.show(amount)


def _day(ctx: ToolContext, txn: Txn) -> str:
    return short_day(txn.day, ctx.preferences.locale)


def _table(ctx: ToolContext, items: tuple[Txn, ...]) -> str:
    """Spending without a sign, money that came in with a plus."""
    rows = [
        [
            f"#{txn.no}",
            _day(ctx, txn),
            cell(txn.merchant) or cell(txn.memo) or "no merchant",
            cell(txn.category or "Uncategorized"),
            (f"+{ctx.show(txn.amount)}" if txn.amount.minor > 0 else ctx.show(-txn.amount))
            + (" (pending)" if txn.pending else ""),
        ]
        for txn in items
    ]
    return table(("No.", "Date", "Merchant", "Category", "Amount"), rows)


def _facts(ctx: ToolContext, about: Scope, days: DateRange | None, found: Found) -> tuple[Fact, ...]:
    when = f", {describe(days, ctx.today, ctx.preferences.locale)}" if days else ""
    facts = [Fact(f"transactions{about.words}{when}", Decimal(found.count), "count")]
    for total in found.totals:
        if _named(about):
            facts.append(Fact(f"{_verb(total)}{about.words}{when}, in {total.currency}", abs(total)))
        else:
            facts.append(Fact(f"net of transactions{about.words}{when}, in {total.currency}", total))
    if len(found.totals) == 1:
        average = abs(found.totals[0]).split(Decimal(1) / found.count)
        facts.append(Fact(f"average transaction{about.words}{when}", average))
    for txn in found.items:
        facts.append(Fact(f"{_verb(txn.amount)}, transaction {txn.no}, {cell(txn.merchant)}", abs(txn.amount)))
        facts.append(Fact(f"date of transaction {txn.no}", txn.day))
    return tuple(facts)


def _row(txn: Txn) -> dict[str, object]:
    return {
        "no": txn.no,
        "date": txn.day.isoformat(),
        "merchant": outside(txn.merchant),
        "memo": outside(txn.memo),
        "category": txn.category,
        "account": txn.account,
        "amount": str(txn.amount.amount),
        "currency": txn.amount.currency,
        "pending": txn.pending,
    }


def label(args: ListArgs) -> str:
    about = [part for part in (args.category, args.merchant, args.account, args.text) if part]
    words = f"{', '.join(about)} transactions" if about else "transactions"
    return f"Looking at {asked(words, args.period)}"


LIST_TRANSACTIONS = Tool(
    name="list_transactions",
    description=(
        "Single transactions, newest or largest first, with their numbers, how many match and what they add up to; "
        "by category, merchant, account, period, words or amount."
    ),
    args=ListArgs,
    run=run,
    label=label,
)
