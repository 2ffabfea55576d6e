"""What the ledger knows of a file's postings already: earlier imports, also of rows edited or deleted since, and
transactions entered by other ways."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from db.engine import Transaction
from ledger.imports.dedupe import Known, fingerprint
from ledger.imports.statement import StatementLine

_OWN: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


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
    """Transactions on the lines' days that came with no import, the parts of a split as the one purchase they were."""
    rows = await tx.pg.fetch(
        """
        WITH whole AS (
            SELECT coalesce(t.split_of, t.id) AS id, min(t.day) AS day, sum(t.amount_minor)::bigint AS amount_minor,
                   (array_agg(t.merchant ORDER BY t.split_of NULLS FIRST))[1] AS merchant,
                   (array_agg(t.memo ORDER BY t.split_of NULLS FIRST))[1] AS memo
              FROM txn t WHERE t.user_id = $1 AND t.account_id = $2 AND t.day BETWEEN $3 AND $4
             GROUP BY 1)
        SELECT day, amount_minor, merchant, memo FROM whole w
         WHERE NOT EXISTS (SELECT FROM import_row r WHERE r.user_id = $1 AND r.txn_id = w.id)
        """,
        tx.user,
        account,
        min(line.day for line in lines),
        max(line.day for line in lines),
    )
    return Counter(fingerprint(row["day"], row["amount_minor"], row["merchant"], row["memo"]) for row in rows)


async def _ids(tx: Transaction, account: UUID, wanted: Sequence[str]) -> dict[str, set[int]]:
    """The amounts that each of the bank's identifiers came with, of imports that stand and of other transactions, and
    those of transactions that are named by Penny's own identifier, as in its export. A split has the sum of its parts.
    """
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
        SELECT t.bank_id, t.amount_minor + coalesce(sum(p.amount_minor), 0)::bigint
          FROM (SELECT t.id, t.import_id AS bank_id, t.amount_minor
                  FROM wanted w JOIN txn t ON t.user_id = $1 AND t.account_id = $2 AND t.import_id = w.bank_id
                 WHERE NOT EXISTS (SELECT FROM import_row r WHERE r.user_id = $1 AND r.txn_id = t.id)
                UNION ALL
                SELECT t.id, t.id::text, t.amount_minor
                  FROM unnest($4::uuid[]) own (id)
                  JOIN txn t ON t.user_id = $1 AND t.account_id = $2 AND t.id = own.id) t
          LEFT JOIN txn p ON p.user_id = $1 AND p.split_of = t.id
         GROUP BY t.id, t.bank_id, t.amount_minor
        """,
        tx.user,
        account,
        list(wanted),
        [UUID(text) for text in wanted if _OWN.fullmatch(text)],
    )
    found: dict[str, set[int]] = {}
    for row in rows:
        found.setdefault(row["bank_id"], set()).add(row["minor"])
    return found
