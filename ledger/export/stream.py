"""The formats of the export, by name."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Final, Literal, assert_never

from db.engine import Transaction
from ledger.export import beancount, document, table
from ledger.export.document import Section

Format = Literal["json", "csv", "beancount"]

MEDIA_TYPES: Final[Mapping[Format, str]] = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "beancount": "text/plain; charset=utf-8",
}


def stream(tx: Transaction, format_: Format, now: datetime, others: Mapping[str, Section]) -> AsyncIterator[bytes]:
    """The export in pieces; `others` are the JSON document's sections that are not the ledger's."""
    match format_:
        case "json":
            return document.stream(tx, now, others)
        case "csv":
            return table.stream(tx)
        case "beancount":
            return beancount.stream(tx)
    assert_never(format_)
