"""set_goal, as a proposal."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any, Final

from pydantic import Field

from domain.errors import InvalidInput
from domain.periods import Month
from ledger import accounts, goals
from tools import dates
from tools.drafts.goals import saving
from tools.names import plain, resolve
from tools.proposals.propose import propose
from tools.result import ToolResult
from tools.tool import AnyAmount, Args, Phrase, Tool, ToolContext
from tools.wording import outside
from tools.writes.budgets import budgeted, sensible

_END: Final = re.compile(r"(?:by |until )?(?:the )?end of (?:the )?(?=\w)", re.IGNORECASE)
_YEAR: Final = re.compile(r"(?:(?P<which>this|next) )?year|(?P<year>20\d\d)", re.IGNORECASE)


class SetGoalArgs(Args):
    name: Annotated[str, Field(max_length=60)] = Field(description="what it is for, in the user's words")
    amount: AnyAmount = Field(description="how much to have; 0 gives the goal up")
    date: Phrase | None = Field(None, description="by when: a day or month in the user's words, or YYYY-MM-DD")
    account: Phrase | None = Field(None, description="the account whose balance counts towards it")
    category: Phrase | None = Field(None, description="instead: the category whose envelope counts towards it")


async def run(ctx: ToolContext, args: SetGoalArgs) -> ToolResult:
    amount = sensible(ctx, ctx.amount(args.amount))
    due = _day(ctx, args.date)
    name = outside(args.name)
    if not plain(name):
        raise InvalidInput("A goal needs a name.")
    if args.account and args.category:
        raise InvalidInput("Should the account count towards it, or the category's envelope? It cannot be both.")
    async with ctx.db.read(ctx.user) as tx:
        name = next((g.name for g in await goals.list_(tx) if plain(g.name) == plain(name)), name)
        account = category = None
        if args.account:
            places = {account.name: account.id for account in await accounts.list_(tx)}
            account = places[resolve(args.account, places, "account")]
        if args.category:
            category = (await budgeted(tx, args.category)).id
    return await propose(ctx, args, saving(name, amount, due, account, category, ctx.today))


def _day(ctx: ToolContext, said: str | None) -> date | None:
    """The day; the last one of a month or a year, "the end of" it or not."""
    if said is None:
        return None
    locale = ctx.preferences.locale
    said = _END.sub("", said.strip())
    if years := _YEAR.fullmatch(said):
        year = years["year"] or ctx.today.year + ((years["which"] or "").lower() == "next")
        return date(int(year), 12, 31)
    try:
        return dates.day(said, ctx.today, lean="future", locale=locale)
    except InvalidInput as no_day:
        try:
            month = dates.month(said, ctx.today, lean="nearest", locale=locale)
        except InvalidInput:
            raise no_day from None
    now = Month.of(ctx.today)
    return month.plus(12).last if month < now and not any(c.isdigit() for c in said) else month.last


SET_GOAL: Tool[Any] = Tool(
    name="set_goal",
    description="Propose a savings goal: an amount to have, by a day if named; or a change of one. "
    "The user confirms it; it is not done yet.",
    args=SetGoalArgs,
    run=run,
    label=lambda args: f"Preparing the goal {args.name}",
    writes=True,
)
