"""What the ledger knows of a file's postings already: earlier imports, also of rows edited or deleted since, and
transactions entered by other ways."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from db.engine import Transaction
from ledger.imports.dedupe import Known, fingerprint
from ledger.imports.statement import StatementLine


async def known(tx: Transaction, account: UUID, lines: Sequence[StatementLine], prints: Sequence[UUID]) -> Known:
    """What of the account may be the same as one of the lines. Three queries, however many lines."""
    found = Known()
    imported = await tx.pg.fetch(
        """
        SELECT r.fingerprint, r.bank_id IS NOT NULL AS identified, count(*) AS n
          FROM (SELECT DISTINCT * FROM unnest($3::uuid[])) wanted (fingerprint)
          JOIN import_row r ON r.user_id = $1 AND r.fingerprint = wanted.fingerprint
          JOIN import_batch b ON b.user_id = $1 AND b.id = r.batch_id
         WHERE b.account_id = $2 AND b.standing
         GROUP BY r.fingerprint, r.bank_id IS NOT NULL
        """,
        tx.user,
        account,
        list(prints),
    )
    for row in imported:
        (found.with_id if row["identified"] else found.without_id)[UUID(int=row["fingerprint"].int)] = row["n"]
    found.without_id += await _entered(tx, account, lines)
    found.ids = await _ids(tx, account, sorted({line.bank_id for line in lines if line.bank_id is not None}))
    return found


async def _entered(tx: Transaction, account: UUID, lines: Sequence[StatementLine]) -> Counter[UUID]:
    """Transactions on the lines' days that came with no import."""
    rows = await tx.pg.fetch(
        """
        SELECT t.day, t.amount_minor, t.merchant, t.memo FROM txn t
         WHERE t.user_id = $1 AND t.account_id = $2 AND t.day BETWEEN $3 AND $4
           AND NOT EXISTS (SELECT FROM import_row r WHERE r.user_id = $1 AND r.txn_id = t.id)
        """,
        tx.user,
        account,
        min(line.day for line in lines),
        max(line.day for line in lines),
    )
    return Counter(fingerprint(row["day"], row["amount_minor"], row["merchant"], row["memo"]) for row in rows)


async def _ids(tx: Transaction, account: UUID, wanted: Sequence[str]) -> dict[str, set[int]]:
    """The amounts that each of the bank's identifiers came with, of imports that stand and of other transactions."""
    if not wanted:
        return {}
    rows = await tx.pg.fetch(
        """
        WITH wanted AS (SELECT unnest($3::text[]) AS bank_id)
        SELECT r.bank_id, r.minor
          FROM wanted w
          JOIN import_row r ON r.user_id = $1 AND r.bank_id = w.bank_id
          JOIN import_batch b ON b.user_id = $1 AND b.id = r.batch_id
         WHERE b.account_id = $2 AND b.standing
        UNION
        SELECT t.import_id, t.amount_minor
          FROM wanted w JOIN txn t ON t.user_id = $1 AND t.account_id = $2 AND t.import_id = w.bank_id
         WHERE NOT EXISTS (SELECT FROM import_row r WHERE r.user_id = $1 AND r.txn_id = t.id)
        """,
        tx.user,
        account,
        list(wanted),
    )
    found: dict[str, set[int]] = {}
    for row in rows:
        found.setdefault(row["bank_id"], set()).add(row["minor"])
    return found
