"""set_rollover, cover_overspending, hold_for_next_month and create_category, as proposals."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import Field

from domain.errors import InvalidInput
from ledger import categories
from ledger.categories import UNCATEGORIZED, Rollover
from tools.drafts import envelopes
from tools.names import plain
from tools.proposals.propose import propose
from tools.reads import scope
from tools.result import ToolResult
from tools.tool import AnyAmount, Args, Phrase, Tool, ToolContext
from tools.wording import cell, outside
from tools.writes.budgets import budgeted, sensible

_ROLLOVER: Final[dict[str, Rollover]] = {"nothing": "none", "what_is_left": "left", "left_and_overspent": "all"}


class RolloverArgs(Args):
    category: Phrase = Field(description="the category in the user's words")
    carry: Literal["nothing", "what_is_left", "left_and_overspent"] = Field(
        description="what of its budget goes on into the next month"
    )
    month: Phrase | None = Field(None, description="the first month whose rest goes on; default: this month")


class CoverArgs(Args):
    category: Phrase = Field(description="the category that is overspent")
    from_category: Phrase | None = Field(None, description="which budget gives; default: the money without a budget")
    month: Phrase | None = Field(None, description="a month in the user's words or YYYY-MM; default: this month")


class HoldArgs(Args):
    amount: AnyAmount = Field(description="how much in all to keep for the next month; 0: nothing")
    month: Phrase | None = Field(None, description="the month that has the money; default: this month")


class CreateCategoryArgs(Args):
    name: Annotated[str, Field(max_length=40)] = Field(description="its name, in the user's words")
    group: Annotated[str, Field(max_length=40)] | None = Field(None, description="the group it stands in")
    kind: Literal["spending", "income"] | None = Field(None, description="default: spending")


async def set_rollover(ctx: ToolContext, args: RolloverArgs) -> ToolResult:
    month = scope.month(ctx, args.month)
    async with ctx.db.read(ctx.user) as tx:
        category = await budgeted(tx, args.category)
    return await propose(ctx, args, envelopes.rolling(category.id, _ROLLOVER[args.carry], month))


async def cover(ctx: ToolContext, args: CoverArgs) -> ToolResult:
    month = scope.month(ctx, args.month)
    async with ctx.db.read(ctx.user) as tx:
        category = await budgeted(tx, args.category)
        source = await budgeted(tx, args.from_category) if args.from_category else None
    if source and source.id == category.id:
        raise InvalidInput(f"Both mean {cell(source.name)}; which category should give the money?")
    return await propose(ctx, args, envelopes.covering(category.id, source.id if source else None, month))


async def hold(ctx: ToolContext, args: HoldArgs) -> ToolResult:
    amount = sensible(ctx, ctx.amount(args.amount))
    return await propose(ctx, args, envelopes.holding(amount, scope.month(ctx, args.month)))


async def create_category(ctx: ToolContext, args: CreateCategoryArgs) -> ToolResult:
    name, group = outside(args.name), outside(args.group or "")
    if not plain(name) or plain(name) == plain(UNCATEGORIZED):
        raise InvalidInput("A category needs a name of its own.")
    async with ctx.db.read(ctx.user) as tx:
        groups = {c.group.lower(): c.group for c in await categories.list_(tx)}
    return await propose(ctx, args, envelopes.creating(name, groups.get(group.lower(), group), args.kind or "spending"))


SET_ROLLOVER: Tool[Any] = Tool(
    name="set_rollover",
    description="Propose what a category's budget carries into the next month: nothing, what is left, or what is left "
    "or overspent. The user confirms it; it is not done yet.",
    args=RolloverArgs,
    run=set_rollover,
    label=lambda args: f"Preparing what {args.category} carries over",
    writes=True,
)

COVER_OVERSPENDING: Tool[Any] = Tool(
    name="cover_overspending",
    description="Propose giving an overspent category what it lacks this month, from another category's budget or from "
    "money without one. The user confirms it; it is not done yet.",
    args=CoverArgs,
    run=cover,
    label=lambda args: f"Preparing to cover {args.category}",
    writes=True,
)

HOLD_FOR_NEXT_MONTH: Tool[Any] = Tool(
    name="hold_for_next_month",
    description="Propose keeping some of this month's money that has no budget for the next month. "
    "The user confirms it; it is not done yet.",
    args=HoldArgs,
    run=hold,
    label=lambda args: "Preparing to hold money for the next month",
    writes=True,
)

CREATE_CATEGORY: Tool[Any] = Tool(
    name="create_category",
    description="Propose a new category. The user confirms it; it is not done yet.",
    args=CreateCategoryArgs,
    run=create_category,
    label=lambda args: f"Preparing the category {args.name}",
    writes=True,
)
