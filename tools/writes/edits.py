"""edit_transaction, delete_transaction and record_refund, as proposals."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import Field

from domain.errors import InvalidInput
from domain.money import Money
from ledger import accounts, categories
from ledger.rows import Json
from tools.drafts.editing import deleting, editing
from tools.drafts.transfers import refunding
from tools.names import CATEGORY_WORDS, resolve
from tools.proposals.propose import propose
from tools.result import Fact, ToolResult
from tools.tool import Amount, Args, Phrase, Tool, ToolContext
from tools.wording import outside
from tools.writes import merchants
from tools.writes.budgets import sensible
from tools.writes.transactions import day_of
from tools.writes.which import WHICH, Which, which

_NOTHING = re.compile(r"(?:none|nothing|no|-|clear|remove)", re.IGNORECASE)


class EditArgs(Args):
    transaction: Which = Field(description=WHICH)
    amount: Amount | None = Field(None, description="the right amount, in the transaction's currency")
    merchant: Annotated[str, Field(max_length=80)] | None = Field(None, description="the right merchant")
    category: Phrase | None = Field(None, description="the right category")
    account: Phrase | None = Field(None, description="the right account")
    date: Phrase | None = Field(None, description="the right day, in the user's words or YYYY-MM-DD")
    note: Annotated[str, Field(max_length=200)] | None = Field(
        None, description="a note of the user's; “none” removes it"
    )
    tags: Annotated[str, Field(max_length=100)] | None = Field(
        None, description="words to find it by, with spaces between; “none” removes them"
    )
    pending: bool | None = Field(None, description="whether it is still pending")


class DeleteArgs(Args):
    transaction: Which = Field(description=WHICH)


class RefundArgs(Args):
    transaction: Which = Field(description=f"the purchase: {WHICH}")
    amount: Amount | None = Field(None, description="how much came back; default: all of it")
    date: Phrase | None = Field(None, description="a day in the user's words or YYYY-MM-DD; default: today")


async def edit(ctx: ToolContext, args: EditArgs) -> ToolResult:
    fields: dict[str, Json] = {}
    async with ctx.db.read(ctx.user) as tx:
        txn = await which(ctx, tx, args.transaction)
        if args.amount is not None:
            fields["size"] = sensible(ctx, Money.of(args.amount, txn.amount.currency)).minor
        if args.date is not None:
            fields["day"] = day_of(ctx, args.date).isoformat()
        if args.merchant is not None:
            fields["merchant"] = await merchants.spelled(tx, args.merchant, ctx.said)
        if args.category is not None:
            known = {category.name: category.id for category in await categories.list_(tx)}
            fields["category_id"] = str(known[resolve(args.category, known, "category", CATEGORY_WORDS)])
        if args.account is not None:
            places = {account.name: account.id for account in await accounts.list_(tx)}
            fields["account_id"] = str(places[resolve(args.account, places, "account")])
    if args.pending is not None:
        fields["pending"] = args.pending
    if args.note is not None:
        fields["note"] = "" if _NOTHING.fullmatch(args.note) else outside(args.note)
    if args.tags is not None:
        fields["tags"] = "" if _NOTHING.fullmatch(args.tags) else tags(args.tags)
    if not fields:
        raise InvalidInput("What should be different about it?")
    facts = (Fact(f"amount of transaction {txn.no}", abs(txn.amount)), Fact(f"date of transaction {txn.no}", txn.day))
    return await propose(ctx, args, editing(txn.id, **fields), facts=facts)


async def delete(ctx: ToolContext, args: DeleteArgs) -> ToolResult:
    async with ctx.db.read(ctx.user) as tx:
        txn = await which(ctx, tx, args.transaction)
    facts = (Fact(f"date of transaction {txn.no}", txn.day),)
    return await propose(ctx, args, deleting(txn.id), facts=facts)


async def refund(ctx: ToolContext, args: RefundArgs) -> ToolResult:
    async with ctx.db.read(ctx.user) as tx:
        txn = await which(ctx, tx, args.transaction)
    minor = Money.of(args.amount, txn.amount.currency).minor if args.amount is not None else None
    facts = (Fact(f"amount of transaction {txn.no}", abs(txn.amount)), Fact(f"date of transaction {txn.no}", txn.day))
    return await propose(ctx, args, refunding(txn.id, minor, day_of(ctx, args.date)), facts=facts)


def tags(said: str) -> str:
    """ "#Holiday, work" as "holiday work": each once, in lower case, in alphabetical order."""
    return " ".join(sorted(set(re.sub(r"[#,;\s]+", " ", outside(said)).lower().split())))


EDIT_TRANSACTION: Tool[Any] = Tool(
    name="edit_transaction",
    description="Propose correcting a transaction: amount, date, merchant, category, account, note, tags, pending. "
    "The user confirms it; it is not done yet.",
    args=EditArgs,
    run=edit,
    label=lambda args: "Preparing to change a transaction",
    writes=True,
)

DELETE_TRANSACTION: Tool[Any] = Tool(
    name="delete_transaction",
    description="Propose deleting a transaction from the records, with all parts of a split, both ends of a transfer. "
    "The user confirms it; it is not done yet.",
    args=DeleteArgs,
    run=delete,
    label=lambda args: "Preparing to delete a transaction",
    writes=True,
)

RECORD_REFUND: Tool[Any] = Tool(
    name="record_refund",
    description="Propose recording that a purchase was refunded, in whole or in part. It sends no money. "
    "The user confirms it; it is not done yet.",
    args=RefundArgs,
    run=refund,
    label=lambda args: "Preparing a refund",
    writes=True,
)
