"""What an import added, as a set: taken out of the ledger when the import is undone, put back when that is undone."""

from __future__ import annotations

import json
from typing import Final
from uuid import UUID

from db.engine import Transaction
from ledger.rows import TABLES, Row

CHANGED: Final = "some of its transactions were changed, deleted or imported again since."

DIGEST: Final = "md5(jsonb_strip_nulls(to_jsonb({row}) - 'version' - 'created_at')::text)::uuid"
"""A hash of everything a transaction's row says; empty columns do not count, so later migrations may add such."""

_OWN_COLUMNS: Final = tuple(TABLES["txn"].columns)
_DEFAULTS: Final = json.dumps({name: column.default for name, column in TABLES["txn"].columns.items()})

# As the import left it, and nothing refers to it but what is of the batch itself, as the parts of a split are.
_OTHERS: Final = """
    AND NOT EXISTS (SELECT FROM {table} o WHERE o.user_id = $1 AND o.{column} = t.id AND NOT EXISTS (
        SELECT FROM import_row q WHERE q.user_id = $1 AND q.txn_id = o.id AND q.batch_id = $2))
"""
_UNTOUCHED: Final = (
    f"t.user_id = $1 AND t.id = r.txn_id AND r.user_id = $1 AND r.batch_id = $2 AND {DIGEST.format(row='t')} = r.digest"
    + "".join(_OTHERS.format(table=table, column=column) for table, column in TABLES["txn"].referred_by)
)

# Postings of the batch that a later import, made while this one was undone, has brought into the ledger again.
_AGAIN: Final = """
    SELECT EXISTS (
        SELECT FROM import_row r
          JOIN import_batch own ON own.user_id = $1 AND own.id = r.batch_id
          JOIN import_row other ON other.user_id = $1 AND other.fingerprint = r.fingerprint AND other.batch_id > $2
          JOIN import_batch b ON b.user_id = $1 AND b.id = other.batch_id
         WHERE r.user_id = $1 AND r.batch_id = $2 AND b.standing AND b.account_id = own.account_id)
"""


async def follow(tx: Transaction, key: Row, before: Row | None, after: Row | None) -> bool:
    """Makes the ledger hold the transactions that the changed row of `import_batch` says it holds. False when it
    cannot, for the reason in CHANGED: the transaction is then to be rolled back."""
    if before is None or after is None or before["standing"] == after["standing"]:
        return True
    batch, added = UUID(str(key["id"])), after["added"]
    return await (_put_back(tx, batch) if after["standing"] else _take_out(tx, batch)) == added


async def follows(tx: Transaction, key: Row, before: Row | None, after: Row | None) -> bool:
    """Whether `follow` could, now."""
    if before is None or after is None or before["standing"] == after["standing"]:
        return True
    batch = UUID(str(key["id"]))
    if after["standing"]:
        return not await tx.pg.fetchval(_AGAIN, tx.user, batch)
    untouched: int = await tx.pg.fetchval(
        f"SELECT count(*) FROM txn t, import_row r WHERE {_UNTOUCHED}",  # noqa: S608 -- fixed text
        tx.user,
        batch,
    )
    return untouched == after["added"]


async def _take_out(tx: Transaction, batch: UUID) -> int:
    """Deletes the transactions that are as the import left them, keeps their rows, and counts them."""
    gone: int = await tx.pg.fetchval(
        f"""
        WITH gone AS (DELETE FROM txn t USING import_row r WHERE {_UNTOUCHED} RETURNING t.id, to_jsonb(t) AS kept),
             noted AS (UPDATE import_row r SET kept = gone.kept FROM gone
                        WHERE r.user_id = $1 AND r.txn_id = gone.id RETURNING 1)
        SELECT count(*) FROM noted
        """,  # noqa: S608 -- fixed text
        tx.user,
        batch,
    )
    return gone


async def _put_back(tx: Transaction, batch: UUID) -> int:
    """Inserts the rows that `_take_out` kept, with the next version, and counts them; none when it may not."""
    if await tx.pg.fetchval(_AGAIN, tx.user, batch):
        return 0
    names = ", ".join(_OWN_COLUMNS)
    values = ", ".join("k.version + 1" if name == "version" else f"k.{name}" for name in _OWN_COLUMNS)
    back: int = await tx.pg.fetchval(
        f"""
        WITH back AS (
            INSERT INTO txn (user_id, id, {names})
            SELECT $1, r.txn_id, {values}
              FROM import_row r, jsonb_populate_record(NULL::txn, $3::text::jsonb || r.kept) k
             WHERE r.user_id = $1 AND r.batch_id = $2 AND r.kept IS NOT NULL
            RETURNING id),
             noted AS (UPDATE import_row r SET kept = NULL FROM back
                        WHERE r.user_id = $1 AND r.txn_id = back.id RETURNING 1)
        SELECT count(*) FROM noted
        """,  # noqa: S608 -- fixed text and the names of columns
        tx.user,
        batch,
        _DEFAULTS,
    )
    return back
