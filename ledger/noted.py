"""Words in sealed memos and notes: SQL cannot find them, so the texts that the other conditions leave are opened and
looked through here."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from db.engine import Transaction
from db.sealing.places import TXN_MEMO, TXN_NOTE
from db.sealing.ring import Ring
from ledger.filters import SAID, TxnFilter, condition

_BESIDE: Final = 500
"""More texts than this are opened in a thread, for the loop has others to serve."""


async def noted(tx: Transaction, wanted: TxnFilter) -> TxnFilter:
    """The filter with those transactions named whose sealed memo or note holds its text. One query more, and none
    without a text or without keys. Raises SealBroken, EncryptionUnavailable."""
    if not wanted.text or not tx.ring.keys:
        return wanted
    params: list[object] = [tx.user]
    others = condition(replace(wanted, text=None), params)
    rows = await tx.pg.fetch(
        f"""
        SELECT t.id, t.memo, t.note FROM txn t
         WHERE {others} AND {SAID} AND (starts_with(t.memo, '~penny') OR starts_with(t.note, '~penny'))
        """,  # noqa: S608 -- the fixed conditions of ledger.filters
        *params,
    )
    words = wanted.text.replace("\0", "").lower()
    found = (
        await asyncio.to_thread(_among, tx.ring, rows, words) if len(rows) > _BESIDE else _among(tx.ring, rows, words)
    )
    return replace(wanted, noted=found)


def _among(ring: Ring, rows: Sequence[Any], words: str) -> tuple[UUID, ...]:
    return tuple(
        row["id"]
        for row in rows
        if words
        in f"{ring.open(TXN_MEMO, row['id'], row['memo'])}\n{ring.open(TXN_NOTE, row['id'], row['note'])}".lower()
    )
