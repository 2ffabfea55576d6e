"""add_transaction, as a proposal."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from db.engine import Transaction
from domain.errors import InvalidInput
from ledger import accounts, categories
from ledger.accounts import Account
from ledger.categories import Category
from tools import dates
from tools.drafts.transactions import adding
from tools.names import CATEGORY_WORDS, either, resolve
from tools.proposals.propose import propose
from tools.result import ToolResult
from tools.tool import Amount, Args, Phrase, Tool, ToolContext
from tools.wording import cell, short_day
from tools.writes import merchants
from tools.writes.budgets import sensible

DAYS_AHEAD = 366
DAYS_BACK = 20 * 366


class AddTransactionArgs(Args):
    amount: Amount = Field(description="what was paid, or received when the category is an income")
    merchant: Annotated[str, Field(max_length=80)] = Field(description="where, in the user's words")
    category: Phrase | None = Field(None, description="default: where this merchant usually goes")
    account: Phrase | None = Field(None, description="default: the account used most")
    date: Phrase | None = Field(None, description="a day in the user's words or YYYY-MM-DD; default: today")
    memo: Annotated[str, Field(max_length=200)] | None = Field(None, description="a note of the user's")


async def run(ctx: ToolContext, args: AddTransactionArgs) -> ToolResult:
    amount, day = sensible(ctx, ctx.amount(args.amount)), day_of(ctx, args.date)
    notes = []
    async with ctx.db.read(ctx.user) as tx:
        merchant = await merchants.spelled(tx, args.merchant, ctx.said)
        category, why = await _category(tx, args.category, merchant)
        notes.append(why)
        incoming = category is not None and category.kind == "income"
        account = await _account(tx, args.account, amount.currency)
        if account is None:
            account = await _usual_account(tx, amount.currency, incoming)
            notes.append(f"{cell(account.name)} is the account you use most for that.")
    signed = amount if incoming else -amount
    intent = adding(account.id, signed, day, merchant, args.memo or "", category.id if category else None)
    return await propose(ctx, args, intent, " ".join(note for note in notes if note))


def day_of(ctx: ToolContext, said: str | None) -> date:
    """The day that was said, today without one. Raises InvalidInput for one that is too far away."""
    if said is None:
        return ctx.today
    day = dates.day(said, ctx.today, locale=ctx.preferences.locale)
    if not ctx.today - timedelta(days=DAYS_BACK) <= day <= ctx.today + timedelta(days=DAYS_AHEAD):
        shown = short_day(day, ctx.preferences.locale)
        raise InvalidInput(f"{shown} is too far away; a transaction can be up to a year ahead or 20 years back.")
    return day


async def _category(tx: Transaction, said: str | None, merchant: str) -> tuple[Category | None, str]:
    """The category that was meant or is usual for the merchant, and a sentence on how it was found."""
    known = await categories.list_(tx)
    if said is not None:
        by_name = {category.name: category for category in known}
        chosen = by_name[resolve(said, by_name, "category", CATEGORY_WORDS)]
        if chosen.kind == "transfer":
            raise InvalidInput(f"{cell(chosen.name)} is for moves between your own accounts; say what this was for.")
        return chosen, ""
    habit = await merchants.habit(tx, merchant)
    usual = next((c for c in known if habit and c.id == habit.category_id and c.kind != "transfer"), None)
    if habit is None or usual is None:
        return None, "I do not know its category yet; name one to have it filed there."
    return usual, habit.why(cell(usual.name))


async def _account(tx: Transaction, said: str | None, currency: str) -> Account | None:
    if said is None:
        return None
    known = {account.name: account for account in await accounts.list_(tx)}
    account = known[resolve(said, known, "account")]
    if account.currency != currency:
        raise InvalidInput(f"{cell(account.name)} is kept in {account.currency}, and the amount is in {currency}.")
    return account


async def _usual_account(tx: Transaction, currency: str, incoming: bool) -> Account:
    """The account that most purchases (or income) of late were on, or the only one. Raises InvalidInput otherwise."""
    used: UUID | None = await tx.pg.fetchval(
        """
        SELECT t.account_id FROM txn t
          JOIN account a ON a.user_id = $1 AND a.id = t.account_id
          LEFT JOIN category c ON c.user_id = $1 AND c.id = t.category_id
         WHERE t.user_id = $1 AND a.currency = $2 AND a.kind IN ('checking', 'credit', 'cash')
           AND (t.amount_minor > 0) = $3 AND c.kind IS DISTINCT FROM 'transfer'
         GROUP BY t.account_id
         ORDER BY count(*) FILTER (WHERE t.day > current_date - 90) DESC, count(*) DESC, t.account_id LIMIT 1
        """,
        tx.user,
        currency,
        incoming,
    )
    suited = [a for a in await accounts.list_(tx) if a.currency == currency]
    if not suited:
        raise InvalidInput(f"There is no account in {currency} to put this on; add one first.")
    for account in suited:
        if account.id == used or len(suited) == 1:
            return account
    raise InvalidInput(f"Which account: {either([cell(account.name) for account in suited][:6])}?")


ADD_TRANSACTION: Tool[Any] = Tool(
    name="add_transaction",
    description="Propose recording money that the user says was spent or received. "
    "It sends no money. The user confirms it; it is not done yet.",
    args=AddTransactionArgs,
    run=run,
    label=lambda args: f"Preparing a transaction at {args.merchant}",
    writes=True,
)
