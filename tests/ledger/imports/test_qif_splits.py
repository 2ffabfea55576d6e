"""QIF's splits come in as splits, and are known, undone and put back as the one purchase that they are."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest

from db.engine import Database
from domain.errors import Conflict
from ledger import journal, rollups
from ledger.changes import apply, editing, inverse
from ledger.imports.statement import RowsRefused

Bring = Callable[..., Awaitable[Any]]

MARKET = """!Type:Bank
D11/20'26
T-100.00
PMarket
MWeekly shop
SGroceries
$-60.00
SHousehold/home
ESoap
$-15.50
STransport
$-24.50
^
D11/13'26
T2,412.90
PAcme Corp
SSalary
$2,500.00
STax
$-87.10
^
"""


async def postings(database: Database, user: UUID) -> list[tuple[Any, ...]]:
    async with database.read(user) as tx:
        rows = await tx.pg.fetch(
            """
            SELECT t.no, w.no AS part_of, t.merchant, t.amount_minor, c.name AS category, t.memo FROM txn t
              LEFT JOIN txn w ON w.id = t.split_of LEFT JOIN category c ON c.id = t.category_id ORDER BY t.no
            """
        )
    return [tuple(row) for row in rows]


async def entry(database: Database, user: UUID) -> journal.Entry:
    async with database.read(user) as tx:
        return (await journal.list_(tx))[0][0]


async def test_a_split_comes_in_with_its_parts(database: Database, holder: UUID, bring: Bring) -> None:
    """Each part has its amount, of either sign, and its category if the user has one of that name; else the memo tells
    it. The report counts purchases."""
    report = await bring(MARKET)
    assert (report.rows, report.added, report.categorized) == (2, 2, 2)
    assert "2 are split between categories." in report.notes
    assert await postings(database, holder) == [
        (1, None, "Acme Corp", 2500_00, "Salary", ""),
        (2, 1, "Acme Corp", -87_10, None, "Tax"),
        (3, None, "Market", -60_00, "Groceries", "Weekly shop"),
        (4, 3, "Market", -15_50, None, "Soap"),
        (5, 3, "Market", -24_50, "Transport", "Weekly shop"),
    ]
    again = await bring(MARKET)
    assert (again.added, again.duplicates) == (0, 2)


async def test_a_split_is_undone_and_put_back_whole(database: Database, holder: UUID, bring: Bring) -> None:
    """Every row goes and comes back as it was, the sums with them; after the undo the file can come in again."""
    await bring(MARKET)
    before = await postings(database, holder)
    made = await entry(database, holder)
    async with database.transaction(holder) as tx:
        undone = await apply(tx, inverse(made.changes))
        assert await tx.pg.fetchval("SELECT count(*) FROM txn") == 0
        assert not await rollups.verify(tx)
        await apply(tx, inverse(undone))
        assert not await rollups.verify(tx)
    assert await postings(database, holder) == before


async def test_an_import_is_not_undone_when_a_part_was_changed(database: Database, holder: UUID, bring: Bring) -> None:
    """The part's change would be lost."""
    await bring(MARKET)
    made = await entry(database, holder)
    async with database.transaction(holder) as tx:
        part = await tx.pg.fetchval("SELECT id FROM txn WHERE amount_minor = -1550")
        await apply(tx, [await editing(tx, "txn", {"id": str(part)}, note="mine")])
    with pytest.raises(Conflict):
        async with database.transaction(holder) as tx:
            await apply(tx, inverse(made.changes))
    assert len(await postings(database, holder)) == 5


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ("SGroceries\n$-60.00\nSTransport\n", [(-60_00, "Groceries"), (-40_00, "Transport")]),
        ("SGroceries\n$-100.00\nSTransport\n$0.00\n", [(-100_00, "Groceries")]),
        ("S[Savings]\n$-100.00\n", [(-100_00, None)]),
    ],
)
async def test_a_part_without_an_amount_is_the_rest(
    database: Database, holder: UUID, bring: Bring, parts: str, expected: list[tuple[int, str]]
) -> None:
    """One of nothing is none, and one part alone is no split."""
    await bring(f"!Type:Bank\nD11/20/26\nT-100.00\nPMarket\n{parts}^\n")
    assert [(row[3], row[4]) for row in await postings(database, holder)] == expected


@pytest.mark.parametrize("parts", ["SGroceries\n$-60.00\n", "SGroceries\nSTransport\n", "SGroceries\n$-60,00,0\nSA\n"])
async def test_parts_that_are_not_the_whole_are_refused(bring: Bring, parts: str) -> None:
    """By the line where the transaction begins, and nothing of the file comes in."""
    with pytest.raises(RowsRefused, match="Line 2: "):
        await bring(f"!Type:Bank\nD11/20/26\nT-100.00\nPMarket\n{parts}^\n")
