"""set_budget and move_money, as proposals."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from db.engine import Transaction
from domain.errors import InvalidInput
from domain.money import Money
from ledger import categories
from ledger.categories import Category
from tools.drafts import budgets
from tools.names import CATEGORY_WORDS, resolve
from tools.proposals.propose import propose
from tools.reads import scope
from tools.result import ToolResult
from tools.tool import Amount, AnyAmount, Args, Phrase, Tool, ToolContext
from tools.wording import cell

MOST_MINOR = 10**9
"""Amounts of more minor units than this (ten million dollars) are taken for typing errors."""


class SetBudgetArgs(Args):
    category: Phrase = Field(description="the category in the user's words")
    amount: AnyAmount = Field(description="the new budget for a month")
    month: Phrase | None = Field(None, description="a month in the user's words or YYYY-MM; default: this month")


class MoveMoneyArgs(Args):
    from_category: Phrase = Field(description="the category whose budget gets less")
    to_category: Phrase = Field(description="the category whose budget gets more")
    amount: Amount = Field(description="how much to move")
    month: Phrase | None = Field(None, description="a month in the user's words or YYYY-MM; default: this month")


async def set_budget(ctx: ToolContext, args: SetBudgetArgs) -> ToolResult:
    amount, month = sensible(ctx, ctx.amount(args.amount)), scope.month(ctx, args.month)
    async with ctx.db.read(ctx.user) as tx:
        category = await budgeted(tx, args.category)
    return await propose(ctx, args, budgets.setting(category.id, amount, month))


async def move_money(ctx: ToolContext, args: MoveMoneyArgs) -> ToolResult:
    amount, month = sensible(ctx, ctx.amount(args.amount)), scope.month(ctx, args.month)
    async with ctx.db.read(ctx.user) as tx:
        source, target = await budgeted(tx, args.from_category), await budgeted(tx, args.to_category)
    if source.id == target.id:
        raise InvalidInput(f"Both mean {cell(source.name)}; which category should the money go to?")
    return await propose(ctx, args, budgets.moving(source.id, target.id, amount, month))


def sensible(ctx: ToolContext, amount: Money) -> Money:
    """The amount. Raises InvalidInput when it can only be a typing error."""
    if amount.minor > MOST_MINOR:
        most = ctx.show(Money(MOST_MINOR, amount.currency))
        raise InvalidInput(f"{ctx.show(amount)} looks like a typing error; amounts up to {most} can be used.")
    return amount


async def budgeted(tx: Transaction, said: str) -> Category:
    """The spending category that was meant. Raises UnknownName or Ambiguous, and InvalidInput for another kind."""
    known = {category.name: category for category in await categories.list_(tx)}
    category = known[resolve(said, known, "category", CATEGORY_WORDS)]
    if category.kind != "spending":
        raise InvalidInput(f"{cell(category.name)} takes no budget: it is not a spending category.")
    return category


SET_BUDGET: Tool[Any] = Tool(
    name="set_budget",
    description="Propose a new monthly budget for a category, from a month on. "
    "The user confirms it; it is not done yet.",
    args=SetBudgetArgs,
    run=set_budget,
    label=lambda args: f"Preparing a new {args.category} budget",
    writes=True,
)

MOVE_MONEY: Tool[Any] = Tool(
    name="move_money",
    description="Propose moving an amount from one category's budget to another's, within one month. "
    "The user confirms it; it is not done yet.",
    args=MoveMoneyArgs,
    run=move_money,
    label=lambda args: f"Preparing to move money from {args.from_category} to {args.to_category}",
    writes=True,
)
