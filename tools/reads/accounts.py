"""list_accounts: the accounts and their balances, and what they are worth together."""

from __future__ import annotations

from decimal import Decimal

from ledger import worth
from ledger.worth import NetWorth
from tools.result import Fact, ToolResult
from tools.tool import Args, Tool, ToolContext
from tools.wording import cell, counted, short_day, table

MOST_LINES = 20


class AccountsArgs(Args):
    pass


async def run(ctx: ToolContext, args: AccountsArgs) -> ToolResult:
    async with ctx.db.read(ctx.user) as tx:
        found, net = await worth.of_user(tx, ctx.today, ctx.preferences.currency)
    if not found:
        return ToolResult("You have no accounts yet.")
    together = " and ".join(ctx.show(total) for total in net.by_currency)
    text = f"You have {counted(len(found), 'account')}; what you have less what you owe is {together}"
    text += f"{_converted(ctx, net)}."
    if net.missing:
        text += f" They are not added up: {net.missing.message}"
    rows = [[cell(account.name), account.kind, ctx.show(account.balance)] for account in found[:MOST_LINES]]
    if len(found) > MOST_LINES:
        text += f" The first {MOST_LINES}:"
    facts = [Fact("accounts", Decimal(len(found)), "count")]
    facts += [Fact(f"balance of {cell(account.name)}", account.balance) for account in found]
    facts += [Fact(f"all accounts in {total.currency}", total) for total in net.by_currency]
    if net.conversions and net.total:
        facts.append(Fact("net worth", net.total))
        for one in net.conversions:
            label = f"{one.original.currency} to {one.amount.currency} rate"
            facts += [Fact(f"all accounts in {one.original.currency}, converted", one.amount)]
            facts += [Fact(label, one.rate, "rate"), Fact(f"day of the {label}", one.day)]
    return ToolResult(
        f"{text}\n\n{table(('Account', 'Kind', 'Balance'), rows)}",
        tuple(facts),
        rows=tuple(
            {
                "account": account.name,
                "kind": account.kind,
                "balance": str(account.balance.amount),
                "currency": account.currency,
                "transactions": account.transactions,
            }
            for account in found
        ),
    )


def _converted(ctx: ToolContext, net: NetWorth) -> str:
    """The total in the user's currency, with the rates it goes by and their days."""
    if not net.conversions or net.total is None:
        return ""
    by = ", ".join(
        f"1 {one.original.currency} = {one.rate:f} {one.amount.currency} of "
        f"{short_day(one.day, ctx.preferences.locale)}"
        for one in net.conversions
    )
    return f", together {ctx.show(net.total)} ({by})"


LIST_ACCOUNTS = Tool(
    name="list_accounts",
    description="The user's accounts and their balances.",
    args=AccountsArgs,
    run=run,
    label=lambda _: "Looking at your accounts",
)
