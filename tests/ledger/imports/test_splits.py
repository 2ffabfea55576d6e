"""Imports and postings that were split, and the rollups after an import and after it was undone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest

from db.engine import Database
from domain.errors import Conflict
from domain.ids import new_id
from ledger import journal, rollups
from ledger.changes import apply, inserted, inverse, read, updated

Bring = Callable[..., Awaitable[Any]]

FILE = "Date,Payee,Amount\n2026-11-20,Market,-40.00\n2026-11-19,Cafe,-3.50\n"


async def split(database: Database, user: UUID, merchant: str, *minors: int) -> None:
    """Makes the merchant's one posting into parts of these minor units."""
    async with database.transaction(user) as tx:
        row = await tx.pg.fetchrow("SELECT id FROM txn WHERE user_id = $1 AND merchant = $2", user, merchant)
        key = {"id": str(row["id"])}
        first = await read(tx, "txn", key)
        assert first is not None
        kept = ("account_id", "day", "currency", "merchant", "memo", "pending")
        changes = [updated("txn", key, first, amount_minor=-minors[0])]
        for minor in minors[1:]:
            own = {name: first[name] for name in kept}
            changes.append(inserted("txn", {"id": str(new_id())}, amount_minor=-minor, split_of=key["id"], **own))
        await apply(tx, changes)


async def by_hand(database: Database, user: UUID, **more: Any) -> None:
    async with database.transaction(user) as tx:
        account = await tx.pg.fetchval("SELECT id FROM account WHERE user_id = $1 AND name = 'Checking'", user)
        own = {"account_id": str(account), "day": "2026-11-20", "currency": "USD", "merchant": "Market"}
        await apply(tx, [inserted("txn", {"id": str(new_id())}, amount_minor=-40_00, **own, **more)])


async def test_a_split_posting_is_known_by_its_sum(database: Database, holder: UUID, bring: Bring) -> None:
    """What was entered by hand and split is not added by the bank's file; the file again adds nothing."""
    await by_hand(database, holder)
    await split(database, holder, "Market", 25_00, 15_00)
    assert (await bring(FILE)).added == 1
    assert (await bring(FILE)).added == 0


async def test_a_part_stands_for_no_purchase(database: Database, holder: UUID, bring: Bring) -> None:
    """After an imported posting was split, a purchase that equals one of its parts is a new one, the whole is not."""
    assert (await bring(FILE)).added == 2
    await split(database, holder, "Market", 25_00, 15_00)
    assert (await bring(FILE)).added == 0
    assert (await bring(FILE + "2026-11-20,Market,-15.00\n2026-11-20,Market,-25.00\n")).added == 2


async def test_an_identifier_stays_known_through_a_split(database: Database, holder: UUID, bring: Bring) -> None:
    """The bank's identifier goes with the sum of the parts, and Penny's own, as in its export, too."""
    await by_hand(database, holder, import_id="F1")
    await split(database, holder, "Market", 25_00, 15_00)
    async with database.read(holder) as tx:
        own = await tx.pg.fetchval("SELECT id FROM txn WHERE import_id = 'F1'")
    for identifier in ("F1", own):
        file = f"Date,Payee,Amount,Transaction id\n2026-11-20,Market Street,-40.00,{identifier}\n"
        assert (await bring(file)).added == 0
    assert (await bring("Date,Payee,Amount,Transaction id\n2026-11-20,Market Street,-40.00,F2\n")).added == 1


async def test_rollups_hold_through_import_split_and_undo(database: Database, holder: UUID, bring: Bring) -> None:
    """They are what the transactions add up to after each step, and an import that was split since is not undone."""

    async def undo(entry: journal.Entry) -> None:
        async with database.transaction(holder) as tx:
            await apply(tx, inverse(entry.changes))

    async def right() -> bool:
        async with database.read(holder) as tx:
            return not await rollups.verify(tx)

    async def count() -> int:
        async with database.read(holder) as tx:
            found: int = await tx.pg.fetchval("SELECT sum(n)::bigint FROM month_rollup")
            return found or 0

    await bring(FILE)
    async with database.read(holder) as tx:
        (entry,) = (await journal.list_(tx))[0]
    assert await right()
    await undo(entry)
    assert await right()
    assert await count() == 0
    await bring(FILE)
    await split(database, holder, "Market", 25_00, 15_00)
    assert await right()
    assert await count() == 3
    async with database.read(holder) as tx:
        latest = (await journal.list_(tx))[0][0]
    with pytest.raises(Conflict):
        await undo(latest)
    assert await right()
