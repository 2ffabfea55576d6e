"""Which transaction is meant: a number, "the last one", or the latest at a merchant."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from db.engine import Transaction
from domain.errors import InvalidInput
from domain.periods import DateRange
from ledger import transactions
from ledger.filters import TxnFilter
from ledger.transactions import Txn
from tools.date_grammar import BEGINNING
from tools.names import matching
from tools.tool import ToolContext
from tools.wording import cell

_NUMBER = re.compile(r"(?:transaction|txn|number|no\.?)?\s*#?\s*(\d{1,18})", re.IGNORECASE)
_LAST = re.compile(r"(?:(?:the|my|that|this)\s+)?(?:very\s+)?(?:last|latest|newest|most recent)\s*", re.IGNORECASE)
_JUST_ONE = re.compile(r"(?:one|it|transaction|purchase|expense|payment|charge)?", re.IGNORECASE)
_TAIL = re.compile(r"\s+(?:one|transaction|purchase|expense|payment|charge)$", re.IGNORECASE)
_HEAD = re.compile(
    r"^(?:(?:the|my|that|this)\s+)?(?:(?:one|transaction|purchase|payment|charge)\s+)?(?:at|from)\s+", re.I
)


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Which = Annotated[str, Field(max_length=80), BeforeValidator(_text)]
"""A transaction in the user's words."""

WHICH = "its number; or “the last one”, or the merchant for the latest one there"


async def which(ctx: ToolContext, tx: Transaction, said: str) -> Txn:
    """The transaction that was meant. Raises NotFound for an unknown number, InvalidInput when nothing fits."""
    if number := _NUMBER.fullmatch(said.strip()):
        return await transactions.get(tx, int(number[1]))
    until_now = TxnFilter(days=DateRange(BEGINNING, ctx.today))
    last = _LAST.match(said.strip())
    rest = said.strip()[last.end() :] if last else said.strip()
    if last and _JUST_ONE.fullmatch(rest):
        wanted = until_now
    else:
        name = _TAIL.sub("", _HEAD.sub("", rest))
        found = matching(name, await transactions.merchants(tx))
        if not found:
            raise InvalidInput(
                f"You have no transactions at “{cell(name)}”; name one by its number, or by its merchant."
            )
        wanted = replace(until_now, merchants=found)
    page = await transactions.search(tx, wanted, 1)
    if not page.items:
        raise InvalidInput("There is no such transaction yet.")
    return page.items[0]
