"""The CSV export: the transactions, one a row, in a form that spreadsheets and `penny import` read.

A split is one row too, as the bank has it, so that the file adds nothing twice when it comes in again: its category is
empty, and its last cell says the parts.
"""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from typing import Final

from db.engine import Transaction
from ledger.categories import UNCATEGORIZED
from ledger.export import everything

HEADINGS: Final = (
    "Date", "Account", "Merchant", "Memo", "Category", "Amount", "Currency", "Status", "Import id", "Transaction id",
    "Transfer id", "Remark", "Tags", "Splits",
)  # fmt: skip

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_ROWS: Final = 500


def neutral(text: str) -> str:
    """The text as a cell that no spreadsheet takes for a formula: with an apostrophe before one that looks like it
    (OWASP, CSV injection)."""
    return f"'{text}" if text.startswith(_FORMULA) else text


async def stream(tx: Transaction) -> AsyncIterator[bytes]:
    """The table in pieces: UTF-8, comma, CRLF (RFC 4180), oldest first; amounts with a point, spending negative."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(HEADINGS)
    waiting = 0
    async for posted in everything.transactions(tx):
        row = posted.row
        texts = (row["account"], row["merchant"], row["memo"], posted.category or "")
        writer.writerow(
            (
                row["day"].isoformat(),
                *map(neutral, texts),
                format(posted.amount.amount, "f"),
                row["currency"],
                "pending" if row["pending"] else "posted",
                neutral(row["import_id"] or ""),
                str(row["id"]),
                str(row["transfer_id"] or ""),
                *(("", "") if posted.parts else (neutral(row["note"]), neutral(row["tags"]))),
                neutral("; ".join(_part(part) for part in posted.parts)),
            )
        )
        waiting += 1
        if waiting == _ROWS:
            yield out.getvalue().encode()
            out.seek(0)
            out.truncate()
            waiting = 0
    yield out.getvalue().encode()


def _part(part: everything.Part) -> str:
    """ "Groceries -30.00": a part's category and its amount."""
    return f"{part.category or UNCATEGORIZED} {part.amount.amount:f}"
