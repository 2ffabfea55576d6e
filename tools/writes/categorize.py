"""categorize_transaction, as a proposal."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from domain.errors import InvalidInput
from ledger import categories
from tools.drafts.transactions import filing_all, filing_one
from tools.names import CATEGORY_WORDS, matching, resolve
from tools.proposals.propose import propose
from tools.result import Fact, ToolResult
from tools.tool import Args, Phrase, Tool, ToolContext
from tools.wording import cell
from tools.writes import merchants
from tools.writes.which import WHICH, Which, which


class CategorizeArgs(Args):
    category: Phrase = Field(description="the category it belongs in, in the user's words")
    transaction: Which | None = Field(None, description=f"one transaction: {WHICH}")
    merchant: Annotated[str, Field(max_length=80)] | None = Field(
        None, description="instead of one: all transactions at this merchant"
    )
    remember_as_rule: bool | None = Field(None, description="true: the merchant's future transactions too")


async def run(ctx: ToolContext, args: CategorizeArgs) -> ToolResult:
    remember = bool(args.remember_as_rule)
    facts: tuple[Fact, ...] = ()
    async with ctx.db.read(ctx.user) as tx:
        known = {category.name: category.id for category in await categories.list_(tx)}
        category = known[resolve(args.category, known, "category", CATEGORY_WORDS)]
        if args.transaction is not None:
            txn = await which(ctx, tx, args.transaction)
            if args.merchant and not matching(args.merchant, [txn.merchant]):
                raise InvalidInput(
                    f"Transaction {txn.no} is at {cell(txn.merchant) or 'no merchant'}, not “{cell(args.merchant)}”;"
                    " which one do you mean?"
                )
            if remember and not txn.merchant:
                raise InvalidInput(f"Transaction {txn.no} has no merchant that a rule could be about.")
            facts = (
                Fact(f"amount of transaction {txn.no}", abs(txn.amount)),
                Fact(f"date of transaction {txn.no}", txn.day),
            )
            intent = filing_one(txn.id, category, (txn.merchant,) if remember else ())
        elif args.merchant:
            names = await merchants.shop(tx, args.merchant)
            intent = filing_all(names, category, names if remember else ())
        else:
            raise InvalidInput("Which transaction, by its number, or which merchant's transactions?")
    return await propose(ctx, args, intent, facts=facts)


CATEGORIZE: Tool[Any] = Tool(
    name="categorize_transaction",
    description="Propose putting one transaction, or all of a merchant's, into another category; "
    "with a rule for its future ones if asked. The user confirms it; it is not done yet.",
    args=CategorizeArgs,
    run=run,
    label=lambda args: f"Preparing to file under {args.category}",
    writes=True,
)
