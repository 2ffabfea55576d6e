"""Exports: JSON in the contract's shape, CSV that spreadsheets do not run and Penny reads, beancount that checks."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from beancount import loader
from beancount.core.data import Transaction

from db.engine import Database
from ledger.export.stream import Format, stream
from ledger.household import Household
from ledger.imports.run import import_file

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
NASTY = ['=HYPERLINK("http://x")', "+1", "-2", "@SUM(A1)", 'quote " and \\ slash', "komma, semi; tab", "日本", ";"]


async def exported(database: Database, user: UUID, format_: Format, **others: Any) -> bytes:
    async with database.read(user) as tx:
        return b"".join([piece async for piece in stream(tx, format_, NOW, others)])


async def nasty(database: Database, user: UUID) -> None:
    """An account with names and texts that want escaping, and amounts of three decimals."""
    async with database.transaction(user) as tx:
        await tx.pg.execute(
            """
            INSERT INTO account (user_id, name, kind, currency, opening_minor)
            VALUES ($1, '=Cash & Co', 'cash', 'KWD', 5)
            """,
            user,
        )
        await tx.pg.execute("UPDATE app_user SET last_txn_no = 8 WHERE id = $1", user)
        await tx.pg.execute("INSERT INTO category (user_id, name) VALUES ($1, '日用品'), ($1, 'a'), ($1, 'A!')", user)
        await tx.pg.execute(
            """
            INSERT INTO txn (user_id, no, account_id, day, amount_minor, currency, merchant, memo, category_id, pending)
            SELECT $1, n, a.id, '2026-11-01', -1250 * n, 'KWD', m, m, c.id, n = 1
              FROM unnest($2::text[]) WITH ORDINALITY x (m, n), account a, category c WHERE c.name = '日用品'
            """,
            user,
            NASTY,
        )


async def test_the_json_export_has_the_contracts_shape(database: Database, resident: UUID, home: Household) -> None:
    """Every section, amounts as {minor, currency} with spending negative, names instead of ids."""

    async def sessions(_: object) -> AsyncIterator[Any]:
        yield {"id": "s", "messages": []}

    document = json.loads(await exported(database, resident, "json", sessions=sessions))
    assert list(document) == [
        "user", "exported_at", "accounts", "categories", "budgets", "transactions", "rules", "goals", "facts",
        "journal", "sessions",
    ]  # fmt: skip
    assert (document["user"], document["exported_at"]) == (str(resident), "2026-11-22T12:00:00+00:00")
    assert len(document["transactions"]) == len(home.transactions)
    assert {len(document[name]) for name in ("accounts", "categories", "budgets", "rules")} >= {len(home.accounts)}
    by_id = {item["id"]: item for item in document["transactions"]}
    truth = home.transactions[0]
    assert by_id[str(truth.id)] == {
        "id": str(truth.id),
        "date": truth.day.isoformat(),
        "amount": {"minor": truth.amount.minor, "currency": truth.amount.currency},
        "merchant": truth.merchant,
        "memo": truth.memo,
        "category": truth.category,
        "account": truth.account,
        "pending": truth.pending,
        "import_id": None,
        "splits": [],
        "transfer_id": None,
    }
    assert document["sessions"] == [{"id": "s", "messages": []}]
    assert set(document["budgets"][0]) == {"month", "category", "amount"}


async def test_an_empty_ledger_exports(database: Database, user: UUID) -> None:
    """A new user's export is a document without items, a table without rows, a ledger that checks."""
    document = json.loads(await exported(database, user, "json"))
    assert [document[name] for name in list(document)[2:]] == [[]] * 9
    assert (await exported(database, user, "csv")).count(b"\r\n") == 1
    assert loader.load_string((await exported(database, user, "beancount")).decode())[1] == []


async def test_no_cell_is_a_formula(database: Database, user: UUID) -> None:
    """Text cells that a spreadsheet would run begin with an apostrophe; amounts stay numbers."""
    await nasty(database, user)
    table = list(csv.reader(io.StringIO((await exported(database, user, "csv")).decode(), newline="")))
    at = {name: n for n, name in enumerate(table[0])}
    for row in table[1:]:
        for name, cell in zip(table[0], row, strict=True):
            assert name == "Amount" or not cell.startswith(("=", "+", "-", "@")), cell
    assert table[1][at["Account"]] == "'=Cash & Co"
    assert (table[1][at["Amount"]], table[8][at["Amount"]]) == ("-1.250", "-10.000")
    assert (table[1][at["Status"]], table[2][at["Status"]]) == ("pending", "posted")


async def test_the_csv_export_comes_in_again(database: Database, user: UUID) -> None:
    """Imported into its own account it adds nothing; into an empty one, everything with its texts and categories."""
    await nasty(database, user)
    file = await exported(database, user, "csv")
    assert (await import_file(database, user, file, account="=Cash & Co")).added == 0
    async with database.transaction(user) as tx:
        await tx.pg.execute(
            "INSERT INTO account (user_id, name, kind, currency) VALUES ($1, 'New', 'cash', 'KWD')", user
        )
    assert (await import_file(database, user, file, account="New")).added == len(NASTY)
    async with database.read(user) as tx:
        same = """
            SELECT array_agg((t.day, t.amount_minor, t.merchant, t.memo, t.category_id, t.pending)::text ORDER BY t.no)
              FROM txn t JOIN account a ON a.id = t.account_id WHERE a.name = $1
        """
        assert await tx.pg.fetchval(same, "New") == await tx.pg.fetchval(same, "=Cash & Co")


async def test_beancount_accepts_the_ledger(
    database: Database, resident: UUID, user: UUID, home: Household, tmp_path: Path
) -> None:
    """Its own checker finds no error, and it has every transaction, for the household and for hard names."""
    await nasty(database, user)
    for person, count in ((resident, len(home.transactions)), (user, len(NASTY))):
        file = tmp_path / f"{person}.beancount"
        file.write_bytes(await exported(database, person, "beancount"))
        entries, errors, _ = loader.load_file(str(file))
        assert errors == []
        found = [entry for entry in entries if isinstance(entry, Transaction) and "id" in entry.meta]
        assert len(found) == count
    assert sorted(entry.payee for entry in found) == sorted(NASTY)
    assert sum(entry.postings[0].units.number for entry in found) * 1000 == -1250 * 36
