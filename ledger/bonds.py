"""Postings that belong together: the parts of a split, the two ends of a transfer, a purchase and its refunds.

A split has no row of its own. Its first part is the posting that was split, with its number and import id; the others
name it in `split_of`. So sums over transactions are right without knowing of splits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from db.engine import Transaction
from domain.errors import NotFound
from ledger.changes import opened
from ledger.rows import TABLES, Row

Posting = tuple[Row, Row]
"""The key and the other columns of a transaction, as a change has them."""


async def posting(tx: Transaction, txn_id: str) -> Posting:
    """The transaction with this id. Raises NotFound when it has gone since."""
    found = await _where(tx, "id = $2", UUID(txn_id))
    if not found:
        raise NotFound("That transaction is not there any more.")
    return found[0]


async def parts(tx: Transaction, of: Posting) -> list[Posting]:
    """All parts of the split that the posting belongs to, the first part first; itself alone when it is none."""
    key, row = of
    first = UUID(str(row["split_of"] or key["id"]))
    return await _where(tx, "(id = $2 OR split_of = $2)", first)


async def ends(tx: Transaction, of: Posting) -> list[Posting]:
    """Both ends of the transfer that the posting belongs to, the one that money left first; itself alone when it is
    none."""
    _, row = of
    if row["transfer_id"] is None:
        return [of]
    found = await _where(tx, "transfer_id = $2", UUID(str(row["transfer_id"])))
    return sorted(found, key=lambda end: int(end[1]["amount_minor"] or 0))


async def refunds(tx: Transaction, of: Sequence[Posting]) -> list[Posting]:
    """The refunds of these postings."""
    return await _where(tx, "refund_of = ANY ($2)", [UUID(str(key["id"])) for key, _ in of])


async def _where(tx: Transaction, condition: str, value: object) -> list[Posting]:
    """Parts that were split off come after the one that they were split from, each by number."""
    columns = tuple(TABLES["txn"].columns)
    rows = await tx.pg.fetch(
        f"SELECT id, {', '.join(columns)} FROM txn WHERE user_id = $1 AND {condition}"  # noqa: S608
        " ORDER BY split_of NULLS FIRST, no",
        tx.user,
        value,
    )
    keyed: list[tuple[Row, Any]] = [({"id": str(row["id"])}, row) for row in rows]
    return [(key, opened(tx.ring, "txn", key, row)) for key, row in keyed]
