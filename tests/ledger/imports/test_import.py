"""An import as a whole: one journal entry that can be undone, categories by rule and habit, all or nothing, fast."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest

from db.engine import Database
from domain.errors import NotFound
from ledger import journal
from ledger.imports.statement import RowsRefused

Bring = Callable[..., Awaitable[Any]]
Rows = Callable[[], Awaitable[list[dict[str, Any]]]]

FILE = "Date,Payee,Amount\n2026-11-20,Shell,-40.00\n2026-11-19,Cafe,-3.50\n2026-11-19,Cafe,-3.50\n"


async def entries(database: Database, user: UUID) -> list[journal.Entry]:
    async with database.read(user) as tx:
        return list((await journal.list_(tx))[0])


async def test_an_import_is_one_short_journal_entry(database: Database, holder: UUID, bring: Bring) -> None:
    """However many rows it has: the entry names the file, the account and the count, and is the report's."""
    report = await bring(FILE, approval="cli")
    (entry,) = await entries(database, holder)
    assert (entry.id, entry.kind, entry.approval) == (report.journal_id, "import", "cli")
    assert entry.text == "Import 3 transactions from bank.csv into Checking."
    assert len(entry.changes) == 1
    assert entry.json()["changes"][0]["table"] == "import_batch"


async def test_a_dry_run_tells_and_writes_nothing(database: Database, holder: UUID, bring: Bring, rows: Rows) -> None:
    """Its counts are those that the import then has."""
    told = await bring(FILE, dry_run=True)
    assert (told.added, told.duplicates, told.journal_id, told.dry_run) == (3, 0, None, True)
    assert await rows() == []
    assert await entries(database, holder) == []
    assert (await bring(FILE)).added == told.added


async def test_rules_come_before_habits(database: Database, holder: UUID, bring: Bring, rows: Rows) -> None:
    """A merchant's rule files a new transaction, else the category most of its transactions have, else nothing."""
    async with database.transaction(holder) as tx:
        await tx.pg.execute(
            """
            INSERT INTO rule (user_id, merchant, category_id)
            SELECT $1, 'SHELL', id FROM category WHERE name = 'Transport'
            """,
            holder,
        )
        await tx.pg.execute(
            """
            INSERT INTO txn (user_id, no, account_id, day, amount_minor, currency, merchant, category_id)
            SELECT $1, -n, a.id, '2026-10-01', -n, 'USD', 'CAFE', c.id
              FROM account a, category c, generate_series(1, 2) n WHERE a.name = 'Checking' AND c.name = 'Groceries'
            """,
            holder,
        )
    report = await bring(FILE + "2026-11-21,Kiosk,-1.00\n")
    found = {row["merchant"]: row["category"] for row in await rows()}
    assert (found["Shell"], found["Cafe"], found["Kiosk"]) == ("Transport", "Groceries", None)
    assert report.categorized == 3


async def test_a_file_goes_in_whole_or_not_at_all(database: Database, holder: UUID, bring: Bring, rows: Rows) -> None:
    """One row that cannot be taken keeps all others out, and the numbers are not used up."""
    with pytest.raises(RowsRefused, match="Line 5"):
        await bring(FILE + "2026-11-21,Kiosk,a lot\n")
    assert await rows() == []
    assert await entries(database, holder) == []
    await bring(FILE)
    assert [row["no"] for row in await rows()] == [1, 2, 3]


async def test_an_unknown_account_is_named_with_those_there_are(bring: Bring) -> None:
    """The message lists the user's accounts; a name counts in any case."""
    with pytest.raises(NotFound, match="Checking"):
        await bring(FILE, "Savings")
    assert (await bring(FILE, "CHECKING")).added == 3


async def test_another_currency_than_the_accounts_is_refused(bring: Bring, samples: Any, rows: Rows) -> None:
    """By line, for every format that names one."""
    for name in ("camt053.xml", "ofx1_bank.ofx", "revolut.csv"):
        with pytest.raises(RowsRefused, match="the account is in GBP"):
            await bring((samples / name).read_bytes(), "Pounds")
    assert await rows() == []


async def test_the_same_file_at_once_comes_in_once(bring: Bring, rows: Rows) -> None:
    """Of several imports at the same time one adds, the others find it there."""
    reports = await asyncio.gather(*(bring(FILE) for _ in range(5)))
    assert sorted(report.added for report in reports) == [0, 0, 0, 0, 3]
    assert len(await rows()) == 3


async def test_many_rows_come_in_with_progress(bring: Bring, rows: Rows) -> None:
    """Reading and storing are told on the way, in steps of thousands; the same file again is recognised whole."""
    rng = random.Random(1)
    lines = (
        f"{rng.randint(2005, 2025)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02},SHOP {rng.randint(1, 400)},"
        f"-{rng.randint(1, 200)}.{rng.randint(0, 99):02}"
        for _ in range(20_000)
    )
    file = "Date,Payee,Amount\n" + "\n".join(lines) + "\n"
    seen: list[tuple[str, int, int]] = []
    report = await bring(file, progress=lambda *step: seen.append(step))
    assert report.added == 20_000
    assert [step for step in seen if step[0] == "storing"] == [("storing", 10_000, 20_000), ("storing", 20_000, 20_000)]
    assert ("reading", 15_000, 20_000) in seen
    again = await bring(file)
    assert (again.added, again.duplicates) == (0, 20_000)
    found = await rows()
    assert [row["no"] for row in found] == list(range(1, 20_001))
    assert [row["day"] for row in found] == sorted(row["day"] for row in found)
