"""Rollups are what the transactions add up to, whatever was done to those."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.engine import Database, Transaction
from domain.money import Money
from domain.periods import DateRange
from ledger import accounts, household, reports, rollups, transactions
from ledger.changes import apply, deleted, editing, inserted, inverse, read
from ledger.filters import TxnFilter
from ledger.flows import whole_months
from ledger.rows import Row, new_key

DAYS = st.sampled_from([date(2024, 2, 29), date(2025, 12, 31), date(2026, 1, 1), date(2026, 1, 31), date(2026, 2, 1)])
AMOUNTS = st.sampled_from([-500, -1, 0, 1, 700, 10**14])
MERCHANTS = st.sampled_from(["", "Shop", "SHOP", "shop", "Café", "İnci"])
STEP = st.one_of(
    st.tuples(st.just("add"), st.integers(0, 2), DAYS, AMOUNTS, MERCHANTS, st.integers(0, 2)),
    st.tuples(st.just("edit"), st.integers(0, 9), DAYS, AMOUNTS, MERCHANTS, st.integers(0, 2)),
    st.tuples(st.just("many"), st.integers(1, 30), DAYS, AMOUNTS, MERCHANTS, st.integers(0, 2)),
    st.tuples(st.just("delete"), st.integers(0, 9)),
    st.tuples(st.just("undo")),
    st.tuples(st.just("drop account"), st.integers(0, 2)),
    st.tuples(st.just("drop category"), st.integers(0, 1)),
    st.tuples(st.just("bulk"), st.integers(0, 2), DAYS),
)


@pytest.fixture
async def admin(admin_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A superuser's connection, which sees everyone's rows."""
    connection = await asyncpg.connect(admin_url, server_settings={"search_path": "penny"})
    yield connection
    await connection.close()


class Ledger:
    """Three accounts in three currencies and two categories, and what happens to their transactions."""

    def __init__(self, tx: Transaction) -> None:
        self.tx = tx
        self.accounts: list[tuple[Row, str]] = []
        self.categories: list[Row] = []
        self.last: tuple[Any, ...] = ()

    async def begin(self) -> None:
        for number, currency in enumerate(("USD", "JPY", "KWD")):
            self.accounts.append((new_key(), currency))
            key = self.accounts[-1][0]
            await apply(self.tx, [inserted("account", key, name=f"A{number}", kind="cash", currency=currency)])
        for number in range(2):
            self.categories.append(new_key())
            await apply(self.tx, [inserted("category", self.categories[-1], name=f"C{number}")])

    async def keys(self) -> list[Row]:
        rows = await self.tx.pg.fetch("SELECT id FROM txn WHERE user_id = $1 ORDER BY no", self.tx.user)
        return [{"id": str(row["id"])} for row in rows]

    async def category(self, at: int) -> str | None:
        there = await self.tx.pg.fetch("SELECT id FROM category WHERE user_id = $1 ORDER BY name", self.tx.user)
        return str(there[at]["id"]) if at < len(there) else None

    async def step(self, kind: str, *args: Any) -> None:
        await getattr(self, kind.replace(" ", "_"))(*args)

    async def add(self, at: int, day: date, minor: int, merchant: str, category: int) -> None:
        if at >= len(self.accounts):
            return
        key, currency = self.accounts[at]
        fields = {"day": day.isoformat(), "amount_minor": minor, "merchant": merchant, "currency": currency}
        made = inserted("txn", new_key(), account_id=key["id"], category_id=await self.category(category), **fields)
        self.last = await apply(self.tx, [made])

    async def many(self, count: int, day: date, minor: int, merchant: str, category: int) -> None:
        if not self.accounts:
            return
        key, currency = self.accounts[0]
        category_id = await self.category(category)
        new = [
            transactions.NewTxn(
                UUID(str(key["id"])),
                day + timedelta(days=n),
                Money(minor + n, currency),
                merchant,
                category_id=UUID(category_id) if category_id else None,
            )
            for n in range(count)
        ]
        await transactions.insert(self.tx, new)

    async def edit(self, at: int, day: date, minor: int, merchant: str, category: int) -> None:
        keys = await self.keys()
        if at < len(keys):
            fields = {"day": day.isoformat(), "amount_minor": minor, "merchant": merchant}
            made = await editing(self.tx, "txn", keys[at], category_id=await self.category(category), **fields)
            self.last = await apply(self.tx, [made])

    async def delete(self, at: int) -> None:
        keys = await self.keys()
        if at < len(keys):
            before = await read(self.tx, "txn", keys[at])
            assert before
            self.last = await apply(self.tx, [deleted("txn", keys[at], before)])

    async def undo(self) -> None:
        for change in self.last:
            if await read(self.tx, change.table, change.key) == change.after:
                self.last = await apply(self.tx, inverse(self.last))

    async def drop_account(self, at: int) -> None:
        if at < len(self.accounts):
            key, _ = self.accounts.pop(at)
            self.last = ()
            await self.tx.pg.execute(
                "DELETE FROM account WHERE user_id = $1 AND id = $2", self.tx.user, UUID(str(key["id"]))
            )

    async def drop_category(self, at: int) -> None:
        found = await self.category(at)
        if found:
            self.last = ()
            await self.tx.pg.execute("DELETE FROM category WHERE user_id = $1 AND id = $2", self.tx.user, UUID(found))

    async def bulk(self, category: int, before: date) -> None:
        found = await self.category(category)
        self.last = ()
        await self.tx.pg.execute(
            "UPDATE txn SET category_id = $2, amount_minor = -amount_minor, merchant = upper(merchant)"
            " WHERE user_id = $1 AND day < $3",
            self.tx.user,
            UUID(found) if found else None,
            before,
        )


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(steps=st.lists(STEP, min_size=1, max_size=15))
async def test_rollups_hold_after_anything(database: Database, steps: list[tuple[Any, ...]]) -> None:
    """Adding, editing, deleting, undoing, importing, and dropping accounts and categories leave every sum right."""
    user = await database.resolve_user("test", "", uuid.uuid4().hex)
    async with database.transaction(user) as tx:
        ledger = Ledger(tx)
        await ledger.begin()
        for step in steps:
            await ledger.step(*step)
            assert await rollups.verify(tx) == (), step
        await tx.pg.execute("DELETE FROM txn WHERE user_id = $1", user)
        assert await tx.pg.fetchval("SELECT count(*) FROM month_rollup") == 0
        assert await tx.pg.fetchval("SELECT count(*) FROM merchant") == 0


TAMPER: list[str] = [
    "UPDATE month_rollup SET out_minor = out_minor - 1 WHERE ctid = (SELECT min(ctid) FROM month_rollup)",
    "DELETE FROM month_rollup WHERE ctid = (SELECT max(ctid) FROM month_rollup)",
    "UPDATE merchant SET n = n + 1 WHERE key = 'target'",
    "UPDATE merchant SET name = 'Other' WHERE key = 'target'",
    "INSERT INTO merchant SELECT user_id, 'ghost', 'Ghost', 1 FROM merchant LIMIT 1",
]


@pytest.mark.parametrize("tampering", TAMPER)
async def test_a_tampered_row_is_found_and_repaired(database: Database, owner: UUID, tampering: str) -> None:
    """Exactly that row is told, with what it should be; rebuilding leaves nothing wrong."""
    async with database.transaction(owner) as tx:
        assert await rollups.verify(tx) == ()
        await tx.pg.execute(tampering)
        (found,) = await rollups.verify(tx)
        assert found.kept != found.true
        size = await rollups.rebuild(tx)
        assert await rollups.verify(tx) == ()
    assert size.months > 100
    assert size.merchants > 40


async def test_a_user_who_leaves_takes_the_rollups_along(
    database: Database, owner: UUID, admin: asyncpg.Connection
) -> None:
    """Deleting the user, with all cascades, leaves no sum and no rate behind, and does not fail."""
    async with database.transaction(owner) as tx:
        assert await tx.pg.execute("DELETE FROM app_user WHERE id = $1", owner) == "DELETE 1"
    for table in ("txn", "month_rollup", "merchant", "rate"):
        assert await admin.fetchval(f"SELECT count(*) FROM {table} WHERE user_id = $1", owner) == 0  # noqa: S608


async def test_a_reset_ledger_has_no_sums(database: Database, owner: UUID) -> None:
    """Starting over empties the rollups with the transactions."""
    async with database.transaction(owner) as tx:
        await household.reset(tx)
        assert await tx.pg.fetchval("SELECT count(*) FROM month_rollup") == 0
        assert await tx.pg.fetchval("SELECT count(*) FROM merchant") == 0


async def test_sums_of_another_are_out_of_reach(database: Database, resident: UUID, user: UUID) -> None:
    """Another user's rebuild and verification touch nothing of this one's."""
    async with database.transaction(user) as tx:
        assert await rollups.rebuild(tx) == rollups.Size(0, 0)
    async with database.read(resident) as tx:
        assert await rollups.verify(tx) == ()
        assert len(await accounts.list_(tx)) > 0


@given(
    start=st.dates(date(2025, 4, 1), date(2026, 11, 25)),
    length=st.integers(0, 300),
    uncategorized=st.booleans(),
    by=st.sampled_from(["category", "month", "account"]),
    flow=st.sampled_from(["spending", "income"]),
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
async def test_sums_and_postings_tell_the_same(
    database: Database, mixed: UUID, start: date, length: int, uncategorized: bool, by: Any, flow: Any
) -> None:
    """For any period, a report read from rollups is the report read from single transactions."""
    days = DateRange(start, start + timedelta(days=length))
    wanted = TxnFilter(uncategorized=uncategorized)
    every = TxnFilter(uncategorized=uncategorized, at_least=Money(0, "USD"))
    async with database.read(mixed) as tx:
        summed = await reports.spending(tx, days, by, "USD", wanted, flow)
        single = await reports.spending(tx, days, by, "USD", every, flow)
        found = await transactions.search(tx, TxnFilter(days=days, uncategorized=uncategorized), limit=1)
        count = await tx.pg.fetchval(
            "SELECT count(*) FROM txn WHERE day BETWEEN $1 AND $2 AND (NOT $3 OR category_id IS NULL)",
            days.start,
            days.end,
            uncategorized,
        )

    def in_dollars(report: reports.Report) -> set[tuple[str, int, int]]:
        return {(x.label, x.amount.minor, x.count) for x in report.lines if x.amount.currency == "USD"}

    assert in_dollars(summed) == in_dollars(single)
    assert found.count == count


@pytest.fixture(scope="session")
async def mixed(database: Database) -> UUID:
    """A household of which every fifth transaction has lost its category."""
    user = await database.resolve_user("test", "", uuid.uuid4().hex)
    async with database.transaction(user) as tx:
        await household.seed(tx, date(2026, 11, 22))
        await tx.pg.execute("UPDATE txn SET category_id = NULL WHERE user_id = $1 AND no % 5 = 0", user)
    return user


@pytest.mark.parametrize(
    ("start", "end", "whole"),
    [
        ("2026-01-01", "2026-01-31", ("2026-01-01", "2026-01-31")),
        ("2026-01-02", "2026-03-30", ("2026-02-01", "2026-02-28")),
        ("2026-01-02", "2026-02-27", None),
        ("2024-02-01", "2024-02-28", None),
        ("2024-02-01", "2024-02-29", ("2024-02-01", "2024-02-29")),
        ("0001-01-02", "9999-12-31", ("0001-02-01", "9999-12-31")),
        ("9999-12-02", "9999-12-31", None),
        ("0001-01-01", "0001-01-30", None),
    ],
)
def test_whole_months_of_a_period(start: str, end: str, whole: tuple[str, str] | None) -> None:
    """Only months with their first and last day in it, leap days minded."""
    found = whole_months(DateRange(date.fromisoformat(start), date.fromisoformat(end)))
    assert found == (whole and DateRange(*map(date.fromisoformat, whole)))
