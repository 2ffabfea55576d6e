"""split_transaction, as a proposal."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from domain.errors import InvalidInput
from domain.money import Money
from ledger import categories
from tools.drafts.splits import splitting
from tools.names import CATEGORY_WORDS, resolve
from tools.proposals.propose import propose
from tools.result import Fact, ToolResult
from tools.tool import Args, Tool, ToolContext
from tools.writes.which import WHICH, Which, which

MOST_PARTS = 20

_AMOUNT = re.compile(
    r"(?<!\w)(?:[$€£¥]\s?)?(?P<figure>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)(?!\w)|"
    r"\b(?:the\s+)?(?:rest|remainder|remaining)\b",
    re.IGNORECASE,
)
_GLUE = re.compile(
    r"^(?:(?:for|on|to|in|into|at|and|is|as|the)\b|[:=\-–,\s])+|(?:\b(?:for|on|is|and|as)|[:=\-–,\s])+$", re.I
)


def _written(value: Any) -> Any:
    """A list of parts, as models may send it, in words: [{"category": "Dining", "amount": 5}] as "Dining 5"."""
    if isinstance(value, list):
        pairs = [(p.get("category"), p.get("amount", "rest")) if isinstance(p, dict) else p for p in value]
        return "; ".join(f"{p[0]} {p[1]}" if isinstance(p, (tuple, list)) and len(p) == 2 else str(p) for p in pairs)
    return value


class SplitArgs(Args):
    transaction: Which = Field(description=WHICH)
    parts: Annotated[str, Field(max_length=600), BeforeValidator(_written)] = Field(
        description="each category with its amount: “Groceries 60; Household 12.50; Gifts the rest”"
    )


async def run(ctx: ToolContext, args: SplitArgs) -> ToolResult:
    told = parts(args.parts)
    async with ctx.db.read(ctx.user) as tx:
        txn = await which(ctx, tx, args.transaction)
        known = {category.name: category.id for category in await categories.list_(tx)}
        pairs = [
            (
                known[resolve(said, known, "category", CATEGORY_WORDS)],
                None if amount is None else Money.of(amount, txn.amount.currency).minor,
            )
            for said, amount in told
        ]
    facts = (Fact(f"date of transaction {txn.no}", txn.day),)
    return await propose(ctx, args, splitting(txn.id, pairs), facts=facts)


def parts(text: str) -> list[tuple[str, Decimal | None]]:
    """Category phrases with their amounts, None for what is left over, in the order said. Raises InvalidInput when a
    part lacks one of the two."""
    found: list[tuple[str, Decimal | None]] = []
    for said in re.split(r"[;\n+]|,\s|,$", text):
        pieces = [said]
        if len(_AMOUNT.findall(said)) > 1:
            pieces = re.split(r"\band\b", said)
        for piece in filter(str.strip, pieces):
            amounts = list(_AMOUNT.finditer(piece))
            category = _GLUE.sub("", _GLUE.sub("", _AMOUNT.sub(" ", piece).strip()))
            if len(amounts) != 1 or not category:
                raise InvalidInput(
                    "Say each category with its amount, like “Groceries 60; Household 12.50; Gifts the rest”."
                )
            figure = amounts[0]["figure"]
            found.append((category, Decimal(figure.replace(",", "")) if figure else None))
    if any(amount is not None and amount <= 0 for _, amount in found):
        raise InvalidInput("Each part needs an amount of more than nothing.")
    if sum(amount is None for _, amount in found) > 1:
        raise InvalidInput("Only one part can be the rest.")
    if not 1 <= len(found) <= MOST_PARTS:
        raise InvalidInput(f"A split has two to {MOST_PARTS} parts.")
    return found


SPLIT_TRANSACTION: Tool[Any] = Tool(
    name="split_transaction",
    description="Propose splitting a transaction into parts of different categories, which together are its amount. "
    "The user confirms it; it is not done yet.",
    args=SplitArgs,
    run=run,
    label=lambda args: "Preparing to split a transaction",
    writes=True,
)
