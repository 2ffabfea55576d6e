"""list_accounts: the accounts and their balances."""

from __future__ import annotations

from decimal import Decimal

from domain.money import Money
from ledger import accounts
from tools.result import Fact, ToolResult
from tools.tool import Args, Tool, ToolContext
from tools.wording import cell, counted, table

MOST_LINES = 20


class AccountsArgs(Args):
    pass


async def run(ctx: ToolContext, args: AccountsArgs) -> ToolResult:
    async with ctx.db.read(ctx.user) as tx:
        found = await accounts.list_(tx)
    if not found:
        return ToolResult("You have no accounts yet.")
    totals: dict[str, Money] = {}
    for account in found:
        currency = account.balance.currency
        totals[currency] = totals.get(currency, Money(0, currency)) + account.balance
    own = ctx.preferences.currency
    in_order = sorted(totals.values(), key=lambda total: (total.currency != own, total.currency))
    together = " and ".join(ctx.show(total) for total in in_order)
    text = f"You have {counted(len(found), 'account')}; what you have less what you owe is {together}."
    rows = [[cell(account.name), account.kind, ctx.show(account.balance)] for account in found[:MOST_LINES]]
    if len(found) > MOST_LINES:
        text += f" The first {MOST_LINES}:"
    facts = [Fact("accounts", Decimal(len(found)), "count")]
    facts += [Fact(f"balance of {cell(account.name)}", account.balance) for account in found]
    facts += [Fact(f"all accounts in {total.currency}", total) for total in in_order]
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


LIST_ACCOUNTS = Tool(
    name="list_accounts",
    description="The user's accounts and their balances.",
    args=AccountsArgs,
    run=run,
    label=lambda _: "Looking at your accounts",
)
