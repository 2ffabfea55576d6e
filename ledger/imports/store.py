"""New postings into the ledger: filed under categories, numbered by day, remembered, one journal entry. No query per
row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from asyncpg.exceptions import UniqueViolationError

from db.engine import Transaction
from db.sealing.places import TXN_MEMO
from domain.errors import Conflict
from domain.ids import new_id
from ledger import journal
from ledger.changes import Change
from ledger.imports.batches import DIGEST
from ledger.imports.dedupe import New
from ledger.imports.statement import Progress
from ledger.rows import Row

_AT_ONCE: Final = 10_000


@dataclass(frozen=True, slots=True)
class Origin:
    """Where postings come from: the account they go to, the file's name (clean text) and its format, what the journal
    says of it, and over which channel the user asked."""

    account_id: UUID
    currency: str
    source: str
    format: str
    text: str
    approval: str


Filed = tuple[UUID | None, ...]
"""The category of a line, or of each of its parts."""


async def categories_for(tx: Transaction, new: Sequence[New]) -> list[Filed]:
    """The category of each line: its merchant's rule, else the category of that name that the file gives, else the one
    that most of the merchant's transactions have. The parts of a split have those that the file gives. Two queries."""
    merchants = sorted({n.line.merchant for n in new if n.line.merchant})
    rows = await tx.pg.fetch(
        """
        WITH wanted AS (SELECT m, lower(m) AS merchant FROM unnest($2::text[]) m),
             used AS (
                SELECT t.merchant_key AS merchant, t.category_id, count(*) AS n, max(t.day) AS last
                  FROM txn t
                 WHERE t.user_id = $1 AND t.category_id IS NOT NULL
                   AND t.merchant_key = ANY (ARRAY(SELECT merchant FROM wanted))
                 GROUP BY 1, 2),
             usual AS (
                SELECT DISTINCT ON (merchant) merchant, category_id FROM used
                 ORDER BY merchant, n DESC, last DESC, category_id)
        SELECT w.m, r.category_id AS rule, u.category_id AS usual
          FROM wanted w
          LEFT JOIN rule r ON r.user_id = $1 AND lower(r.merchant) = w.merchant
          LEFT JOIN usual u ON u.merchant = w.merchant
        """,
        tx.user,
        merchants,
    )
    by_merchant = {row["m"]: (row["rule"], row["usual"]) for row in rows}
    names = await tx.pg.fetch("SELECT lower(name) AS name, id FROM category WHERE user_id = $1", tx.user)
    by_name = {row["name"]: row["id"] for row in names}
    found: list[Filed] = []
    for n in new:
        rule, usual = by_merchant.get(n.line.merchant, (None, None))
        if n.line.parts:
            found.append(tuple(by_name.get((part.category or "").lower()) for part in n.line.parts))
        else:
            found.append((rule or by_name.get((n.line.category or "").lower()) or usual,))
    return found


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of `txn`, and how it is remembered: as `whole` minor units under its fingerprint and the bank's name."""

    new: New
    id: UUID
    minor: int
    memo: str
    category: UUID | None
    whole: int
    fingerprint: UUID
    split_of: UUID | None = None


def _rows_of(new: New, filed: Filed) -> Iterator[_Row]:
    """One row, or one for each part. Only the first is what a file may bring again; the others have a fingerprint that
    no line has, their own id."""
    line, first = new.line, new_id()
    if not line.parts:
        yield _Row(new, first, line.minor, line.memo, filed[0], line.minor, new.fingerprint)
    for at, (part, category) in enumerate(zip(line.parts, filed, strict=bool(line.parts))):
        memo = part.memo or line.memo or ("" if category else part.category or "")
        own = new_id()
        if at == 0:
            yield _Row(new, first, part.minor, memo, category, line.minor, new.fingerprint)
        else:
            yield _Row(replace(new, bank_id=None), own, part.minor, memo, category, part.minor, own, split_of=first)


async def store(
    tx: Transaction, new: Sequence[New], categories: Sequence[Filed], origin: Origin, progress: Progress
) -> UUID:
    """Adds the lines as one import and gives its journal entry's id. Numbers rise with the days.

    Raises Conflict when the bank's identifier of one of them was given to another transaction in the meantime.
    """
    batch = new_id()
    rows = [row for n, filed in _by_day(list(zip(new, categories, strict=True))) for row in _rows_of(n, filed)]
    await tx.pg.execute(
        """
        INSERT INTO import_batch (user_id, id, account_id, source, format, added, version)
        VALUES ($1, $2, $3, $4, $5, $6, 2)
        """,
        tx.user,
        batch,
        origin.account_id,
        origin.source,
        origin.format,
        len(rows),
    )
    last: int = await tx.pg.fetchval(
        "UPDATE app_user SET last_txn_no = last_txn_no + $2 WHERE id = $1 RETURNING last_txn_no - $2",
        tx.user,
        len(rows),
    )
    try:
        for start in range(0, len(rows), _AT_ONCE):
            await _insert(tx, batch, origin, rows[start : start + _AT_ONCE], last + start)
            progress("storing", min(start + _AT_ONCE, len(rows)), len(rows))
    except UniqueViolationError:
        raise Conflict("A transaction of this file was added in the meantime; import it again.") from None
    return await journal.append(
        tx, kind="import", text=origin.text, changes=[_change(batch, origin, len(rows))], approval=origin.approval
    )


def _by_day(rows: list[tuple[New, Filed]]) -> list[tuple[New, Filed]]:
    """The oldest first; within a day in the file's order, or against it when the file has the newest first."""
    if rows[0][0].line.day > rows[-1][0].line.day:
        rows.reverse()
    return sorted(rows, key=lambda row: row[0].line.day)


def _change(batch: UUID, origin: Origin, added: int) -> Change:
    """The import as one change: of the row that stands for all it added, which `batches.follow` makes true."""
    row: dict[str, str | int | bool | None] = {
        "account_id": str(origin.account_id),
        "source": origin.source,
        "format": origin.format,
        "added": added,
    }
    before: Row = {**row, "standing": False, "version": 1}
    return Change("import_batch", {"id": str(batch)}, before, {**row, "standing": True, "version": 2})


async def _insert(tx: Transaction, batch: UUID, origin: Origin, rows: Sequence[_Row], last: int) -> None:
    await tx.pg.execute(
        f"""
        WITH f AS (
            SELECT * FROM unnest($6::uuid[], $7::date[], $8::bigint[], $9::text[], $10::text[], $11::uuid[],
                                 $12::boolean[], $13::text[], $14::text[], $15::uuid[], $16::uuid[], $17::bigint[])
                WITH ORDINALITY AS f (id, day, minor, merchant, memo, category_id, pending, import_id, bank_id,
                                      fingerprint, split_of, whole, at)),
             added AS (
            INSERT INTO txn (user_id, id, no, account_id, day, amount_minor, currency, merchant, memo, category_id,
                             pending, import_id, split_of)
            SELECT $1, f.id, $5::bigint + f.at, $3, f.day, f.minor, $4, f.merchant, f.memo, f.category_id, f.pending,
                   f.import_id, f.split_of
              FROM f
            RETURNING id, {DIGEST.format(row="txn")} AS digest)
        INSERT INTO import_row (user_id, txn_id, batch_id, bank_id, minor, fingerprint, digest)
        SELECT $1, f.id, $2, f.bank_id, f.whole, f.fingerprint, added.digest FROM f JOIN added USING (id)
        """,  # noqa: S608 -- fixed text
        tx.user,
        batch,
        origin.account_id,
        origin.currency,
        last,
        [row.id for row in rows],
        [row.new.line.day for row in rows],
        [row.minor for row in rows],
        [row.new.line.merchant for row in rows],
        [tx.ring.seal(TXN_MEMO, row.id, row.memo) for row in rows],
        [row.category for row in rows],
        [row.new.line.pending for row in rows],
        [row.new.bank_id for row in rows],
        [row.new.line.bank_id if row.split_of is None else None for row in rows],
        [row.fingerprint for row in rows],
        [row.split_of for row in rows],
        [row.whole for row in rows],
    )
