"""transfer_between_accounts, as a proposal."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from domain.errors import InvalidInput
from domain.money import Money
from ledger import accounts
from tools.drafts.transfers import exchanged, transferring
from tools.names import resolve
from tools.proposals.propose import propose
from tools.result import Fact, ToolResult
from tools.tool import Amount, Args, Phrase, Tool, ToolContext
from tools.wording import cell
from tools.writes.budgets import sensible
from tools.writes.transactions import day_of


class TransferArgs(Args):
    from_account: Phrase = Field(description="the account the money left")
    to_account: Phrase = Field(description="the account it went to")
    amount: Amount = Field(description="how much left, in the first account's currency")
    arrived: Amount | None = Field(None, description="how much arrived, when the other account has another currency")
    date: Phrase | None = Field(None, description="a day in the user's words or YYYY-MM-DD; default: today")


async def run(ctx: ToolContext, args: TransferArgs) -> ToolResult:
    async with ctx.db.read(ctx.user) as tx:
        known = {account.name: account for account in await accounts.list_(tx)}
        source = known[resolve(args.from_account, known, "account")]
        target = known[resolve(args.to_account, known, "account")]
    if source.id == target.id:
        raise InvalidInput(f"Both mean {cell(source.name)}; which account did the money go to?")
    amount = sensible(ctx, Money.of(args.amount, source.currency))
    arrived = sensible(ctx, Money.of(args.arrived, target.currency)) if args.arrived is not None else None
    day = day_of(ctx, args.date)
    async with ctx.db.read(ctx.user) as tx:
        exchange = await exchanged(tx, amount, arrived, target.currency, day, ctx.preferences.currency)
    facts: tuple[Fact, ...] = ()
    if exchange:
        label = f"{source.currency} to {target.currency} rate"
        facts = (Fact(label, exchange.rate, "rate"),)
        facts += (Fact(f"day of the {label}", exchange.day),) if exchange.day else ()
    return await propose(ctx, args, transferring(source.id, target.id, amount, day, arrived), facts=facts)


TRANSFER: Tool[Any] = Tool(
    name="transfer_between_accounts",
    description="Propose recording a transfer between two of the user's own accounts, which is no spending. "
    "Between currencies it goes by the user's rate of the day, unless the user said what arrived. "
    "It sends no money. The user confirms it; it is not done yet.",
    args=TransferArgs,
    run=run,
    label=lambda args: f"Preparing a transfer from {args.from_account} to {args.to_account}",
    writes=True,
)
