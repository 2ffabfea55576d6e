"""Exports: JSON in the contract's shape, CSV that spreadsheets do not run and Penny reads, beancount that checks."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from beancount import loader
from beancount.core.data import Transaction
from beancount.core.inventory import Inventory

from db.engine import Database
from domain.ids import new_id
from ledger import rates
from ledger.changes import apply, inserted
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
        "journal", "sessions", "holds", "rates",
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
        "note": "",
        "tags": [],
        "refund_of": None,
    }
    assert document["sessions"] == [{"id": "s", "messages": []}]
    assert set(document["budgets"][0]) == {"month", "category", "amount"}


async def test_an_empty_ledger_exports(database: Database, user: UUID) -> None:
    """A new user's export is a document without items, a table without rows, a ledger that checks."""
    document = json.loads(await exported(database, user, "json"))
    assert [document[name] for name in list(document)[2:]] == [[]] * 11
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


async def bonded(database: Database, user: UUID) -> dict[str, str]:
    """A split with a note and tags, a transfer in one currency and one between two, a goal, a hold and a rate."""
    ids = {
        name: str(new_id())
        for name in (
            "Checking", "Savings", "Euros", "Food", "Home", "Moves", "whole", "part", "out", "in", "usd", "eur", "one",
            "two", "Trip",
        )
    }  # fmt: skip

    def row(key: str, account: str, minor: int, merchant: str, category: str, **more: Any) -> Any:
        currency = "EUR" if account == "Euros" else "USD"
        return inserted(
            "txn", {"id": ids[key]}, account_id=ids[account], day="2026-11-02", amount_minor=minor, currency=currency,
            merchant=merchant, category_id=ids[category], **more,
        )  # fmt: skip

    async with database.transaction(user) as tx:
        await apply(
            tx,
            [
                *(
                    inserted("account", {"id": ids[name]}, name=name, kind="checking", currency=currency)
                    for name, currency in (("Checking", "USD"), ("Savings", "USD"), ("Euros", "EUR"))
                ),
                inserted("category", {"id": ids["Food"]}, name="Food"),
                inserted("category", {"id": ids["Home"]}, name="Home"),
                inserted("category", {"id": ids["Moves"]}, name="Moves", kind="transfer"),
                row("whole", "Checking", -30_00, "Market", "Food", import_id="bank-1", tags="a&b work"),
                row("part", "Checking", -12_50, "Market", "Home", split_of=ids["whole"], note='a "lamp"'),
                row("in", "Savings", 100_00, "Transfer from Checking", "Moves", transfer_id=ids["one"]),
                row("out", "Checking", -100_00, "Transfer to Savings", "Moves", transfer_id=ids["one"]),
                row("usd", "Checking", -108_42, "Transfer to Euros", "Moves", transfer_id=ids["two"]),
                row("eur", "Euros", 100_00, "Transfer from Checking", "Moves", transfer_id=ids["two"]),
                inserted(
                    "goal", {"id": ids["Trip"]}, name="Trip", amount_minor=500_00, currency="USD", due="2027-06-01",
                    account_id=ids["Savings"], start_day="2026-11-01",
                ),
                inserted("hold", {"month": "2026-11-01"}, amount_minor=7_00, currency="USD"),
            ],
        )  # fmt: skip
        await rates.enter(tx, [rates.Rate.of("EUR", "USD", date(2026, 11, 1), "1.0842", "mine")])
    return ids


async def test_what_belongs_together_is_exported_together(database: Database, user: UUID) -> None:
    """A split is one transaction of the whole amount with its parts, both ends of a transfer have its id, goals, holds
    and rates are there; nothing is counted twice."""
    ids = await bonded(database, user)
    document = json.loads(await exported(database, user, "json"))
    found = {item["id"]: item for item in document["transactions"]}
    assert set(found) == {ids[name] for name in ("whole", "out", "in", "usd", "eur")}
    whole = found[ids["whole"]]
    assert (whole["amount"]["minor"], whole["category"], whole["import_id"]) == (-42_50, None, "bank-1")
    assert whole["splits"] == [
        {"id": ids["whole"], "amount": {"minor": -30_00, "currency": "USD"}, "category": "Food", "note": "",
         "tags": ["a&b", "work"]},
        {"id": ids["part"], "amount": {"minor": -12_50, "currency": "USD"}, "category": "Home", "note": 'a "lamp"',
         "tags": []},
    ]  # fmt: skip
    assert found[ids["out"]]["transfer_id"] == found[ids["in"]]["transfer_id"] == ids["one"]
    for account in document["accounts"]:
        own = [item["amount"]["minor"] for item in found.values() if item["account"] == account["name"]]
        assert account["balance"]["minor"] == sum(own)
    assert document["goals"] == [
        {"id": ids["Trip"], "name": "Trip", "amount": {"minor": 500_00, "currency": "USD"}, "due": "2027-06-01",
         "account": "Savings", "category": None, "start_day": "2026-11-01", "start": {"minor": 0, "currency": "USD"}}
    ]  # fmt: skip
    assert document["holds"] == [{"month": "2026-11", "amount": {"minor": 7_00, "currency": "USD"}}]
    assert document["rates"] == [
        {"date": "2026-11-01", "base": "EUR", "quote": "USD", "rate": "1.0842", "source": "mine"}
    ]


async def test_beancount_accepts_splits_and_transfers(database: Database, user: UUID, tmp_path: Path) -> None:
    """A split has a posting for each part, a transfer is one transaction, between currencies with its price; balances
    are the accounts'."""
    ids = await bonded(database, user)
    file = tmp_path / "ledger.beancount"
    file.write_bytes(await exported(database, user, "beancount"))
    entries, errors, _ = loader.load_file(str(file))
    assert errors == []
    found = {entry.meta["id"]: entry for entry in entries if isinstance(entry, Transaction)}
    assert set(found) == {ids["whole"], ids["out"], ids["usd"]}
    split = found[ids["whole"]]
    assert [(p.account, p.units.number) for p in split.postings] == [
        ("Assets:Checking", Decimal("-42.50")), ("Expenses:Food", Decimal("30.00")),
        ("Expenses:Home", Decimal("12.50")),
    ]  # fmt: skip
    assert split.tags == {"a-b", "work"}
    assert found[ids["usd"]].postings[0].price.currency == "EUR"
    total: dict[str, Inventory] = {}
    for entry in found.values():
        for posting in entry.postings:
            total.setdefault(posting.account, Inventory()).add_position(posting)
    assert str(total["Assets:Checking"]) == "(-250.92 USD)"
    assert (str(total["Assets:Savings"]), str(total["Assets:Euros"])) == ("(100.00 USD)", "(100.00 EUR)")


async def test_a_split_in_a_csv_export_adds_nothing_when_it_comes_in_again(database: Database, user: UUID) -> None:
    """It is one row of the whole amount, with the parts in a cell."""
    await bonded(database, user)
    file = await exported(database, user, "csv")
    (split,) = [row for row in csv.DictReader(io.StringIO(file.decode(), newline="")) if row["Splits"]]
    assert (split["Amount"], split["Category"], split["Splits"]) == ("-42.50", "", "Food -30.00; Home -12.50")
    mine = "".join(line for line in file.decode().splitlines(keepends=True) if ",Checking," in line or "Date," in line)
    assert (await import_file(database, user, mine.encode(), account="Checking")).added == 0
