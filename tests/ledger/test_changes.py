"""Changes are applied exactly or not at all, and their inverse puts everything back."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.engine import Database, Transaction
from domain.errors import NotFound
from domain.money import MAX_MINOR
from ledger import transactions
from ledger.changes import Change, Stale, apply, current, deleted, editing, inserted, inverse, read, updated
from ledger.household import Household
from ledger.rows import TABLES, Json, Row, Table, new_key

_DAY = date(2026, 11, 22).isoformat()


def txn_of(home: Household, no: int = 100) -> Row:
    return {"id": str(home.transactions[no - 1].id)}


def new_txn(home: Household, minor: int = -12_34) -> Change:
    """A new dollar transaction on the card."""
    card = next(a.id for a in home.accounts if a.name == "Visa Card")
    return inserted(
        "txn", new_key(), account_id=str(card), day=_DAY, amount_minor=minor, currency="USD", merchant="Kiosk"
    )


async def everything(tx: Transaction) -> dict[str, list[dict[str, Json]]]:
    """All ledger rows of the user without their versions, in the order of their keys."""
    found: dict[str, list[dict[str, Json]]] = {}
    for table, shape in TABLES.items():
        names = [*shape.key, *(name for name in shape.columns if name != "version")]
        rows = await tx.pg.fetch(f"SELECT {', '.join(names)} FROM {table} ORDER BY {', '.join(shape.key) or '1'}")  # noqa: S608
        found[table] = [dict(row) for row in rows]
    return found


async def test_a_change_is_written_and_its_inverse_restores(database: Database, owner: UUID, home: Household) -> None:
    """Insert, update and delete in one set, then their inverse: every row is as it was, versions alone have risen."""
    key, other = txn_of(home, 100), txn_of(home, 101)
    async with database.transaction(owner) as tx:
        before = await everything(tx)
        row = await read(tx, "txn", other)
        assert row is not None
        done = await apply(
            tx, [new_txn(home), await editing(tx, "txn", key, memo="gift", amount_minor=-1), deleted("txn", other, row)]
        )
        assert await everything(tx) != before
        await apply(tx, inverse(done))
        assert await everything(tx) == before
        versions = [(await read(tx, "txn", k) or {})["version"] for k in (key, other)]
    assert versions == [3, 2]


async def test_new_transactions_get_the_next_numbers(database: Database, owner: UUID, home: Household) -> None:
    """What `apply` returns has the numbers; an undone insertion's number is not given out again."""
    async with database.transaction(owner) as tx:
        done = await apply(tx, [new_txn(home), new_txn(home)])
        assert [(c.after or {})["no"] for c in done] == [len(home.transactions) + 1, len(home.transactions) + 2]
        await apply(tx, inverse(done))
        (again,) = await apply(tx, [new_txn(home)])
        assert (again.after or {})["no"] == len(home.transactions) + 3
        assert (await transactions.get(tx, len(home.transactions) + 3)).merchant == "Kiosk"


async def test_redoing_keeps_the_number(database: Database, owner: UUID, home: Household) -> None:
    """The undoing of an undone insertion brings the transaction back under its old number."""
    async with database.transaction(owner) as tx:
        done = await apply(tx, [new_txn(home)])
        undone = await apply(tx, inverse(done))
        (redone,) = await apply(tx, inverse(undone))
    assert (redone.after or {})["no"] == (done[0].after or {})["no"]
    assert (redone.after or {})["version"] == 2


async def test_the_same_change_applies_once(database: Database, owner: UUID, home: Household) -> None:
    """Applied again, an edit, an insertion and a removal are each stale."""
    async with database.transaction(owner) as tx:
        edit = await editing(tx, "txn", txn_of(home), memo="once")
        gone = deleted("txn", txn_of(home, 200), await read(tx, "txn", txn_of(home, 200)) or {})
        done = await apply(tx, [edit, new_txn(home), gone])
    for change in done:
        with pytest.raises(Stale):
            async with database.transaction(owner) as tx:
                await apply(tx, [change])


async def test_of_ten_concurrent_edits_one_is_written(database: Database, owner: UUID, home: Household) -> None:
    """Ten transactions apply edits made from the same row at once: nine are stale, and the row shows the tenth."""
    async with database.read(owner) as tx:
        edits = [await editing(tx, "txn", txn_of(home), memo=f"edit {n}") for n in range(10)]

    async def attempt(change: Change) -> bool:
        try:
            async with database.transaction(owner) as tx:
                await apply(tx, [change])
        except Stale:
            return False
        return True

    written = await asyncio.gather(*(attempt(edit) for edit in edits))
    assert sum(written) == 1
    async with database.read(owner) as tx:
        assert await current(tx, edits[0]) == edits[written.index(True)].after


async def test_a_stale_change_leaves_nothing_of_its_set(database: Database, owner: UUID, home: Household) -> None:
    """When the second change of a set is stale, the first is not kept either; the error names the row."""
    async with database.transaction(owner) as tx:
        before = await everything(tx)
        old = await editing(tx, "txn", txn_of(home, 2), memo="old")
    async with database.transaction(owner) as tx:
        await apply(tx, [old])
    with pytest.raises(Stale) as stale:
        async with database.transaction(owner) as tx:
            await apply(tx, [await editing(tx, "txn", txn_of(home, 1), memo="lost"), old])
    assert stale.value.details == {"table": "txn", "key": txn_of(home, 2)}
    async with database.read(owner) as tx:
        now = await everything(tx)
    assert [row for row in now["txn"] if row not in before["txn"]] == [
        {**next(r for r in before["txn"] if str(r["id"]) == txn_of(home, 2)["id"]), "memo": "old"}
    ]


async def test_a_row_made_anew_is_not_taken_for_the_old_one(database: Database, owner: UUID, home: Household) -> None:
    """A budget that was removed and set again to another amount has version 1 again; an old edit of it is stale all the
    same."""
    dining = str(next(c.id for c in home.categories if c.name == "Dining"))
    key = {"month": "2027-01-01", "category_id": dining}
    async with database.transaction(owner) as tx:
        first = await apply(tx, [inserted("budget", key, amount_minor=250_00, currency="USD")])
        edit = await editing(tx, "budget", key, amount_minor=260_00)
        await apply(tx, inverse(first))
        await apply(tx, [inserted("budget", key, amount_minor=300_00, currency="USD")])
    with pytest.raises(Stale):
        async with database.transaction(owner) as tx:
            await apply(tx, [edit])


async def test_a_category_in_use_is_not_removed(database: Database, owner: UUID, home: Household) -> None:
    """Undoing the creation of a category is stale while transactions, budgets or rules refer to it, so none is lost."""
    key = new_key()
    async with database.transaction(owner) as tx:
        made = await apply(tx, [inserted("category", key, name="Pets")])
        filed = await apply(tx, [await editing(tx, "txn", txn_of(home), category_id=key["id"])])
    with pytest.raises(Stale):
        async with database.transaction(owner) as tx:
            await apply(tx, inverse(made))
    async with database.transaction(owner) as tx:
        await apply(tx, [*inverse(filed), *inverse(made)])
        assert await read(tx, "category", key) is None


async def test_a_name_that_is_taken_is_stale(database: Database, owner: UUID, home: Household) -> None:
    """Neither a new category nor a renamed one can take another's name, in any case."""
    rent = {"id": str(next(c.id for c in home.categories if c.name == "Rent"))}
    async with database.read(owner) as tx:
        renamed = await editing(tx, "category", rent, name="GROCERIES")
    for change in (inserted("category", new_key(), name="groceries"), renamed):
        with pytest.raises(Stale):
            async with database.transaction(owner) as tx:
                await apply(tx, [change])


async def test_a_reference_to_nothing_is_stale(database: Database, owner: UUID, home: Household) -> None:
    """A transaction cannot be filed under a category that is gone, nor posted in a currency not its account's."""
    async with database.read(owner) as tx:
        lost = await editing(tx, "txn", txn_of(home), category_id=str(uuid.uuid4()))
        euros = await editing(tx, "txn", txn_of(home), currency="EUR")
    for change in (lost, euros):
        with pytest.raises(Stale):
            async with database.transaction(owner) as tx:
                await apply(tx, [change])


async def test_another_users_row_cannot_be_changed(
    database: Database, owner: UUID, resident: UUID, home: Household
) -> None:
    """The resident's transaction has the same id; the owner's change touches the owner's row alone."""
    async with database.read(resident) as tx:
        before = await read(tx, "txn", txn_of(home))
    async with database.transaction(owner) as tx:
        await apply(tx, [await editing(tx, "txn", txn_of(home), memo="mine")])
    async with database.read(resident) as tx:
        assert await read(tx, "txn", txn_of(home)) == before


async def test_editing_what_is_gone_is_not_found(database: Database, owner: UUID) -> None:
    """An edit needs a row."""
    with pytest.raises(NotFound):
        async with database.read(owner) as tx:
            await editing(tx, "rule", new_key(), merchant="Kiosk")


def test_a_change_survives_json(home: Household) -> None:
    """Through JSON text and back, a change is equal, its integers exact."""
    change = new_txn(home, minor=-MAX_MINOR)
    assert Change.parse(json.loads(json.dumps(change.json()))) == change


@pytest.mark.parametrize(
    "wrong",
    [
        {"table": "app_user", "key": {"id": "x"}, "before": None, "after": {}},
        {"table": "rule", "key": {"no": 1}, "before": None, "after": {}},
        {"table": "rule", "key": {"id": "x"}, "before": None, "after": None},
        {"table": "rule", "key": {"id": "x"}, "before": None, "after": {"merchant; DROP TABLE rule": "x"}},
    ],
)
def test_only_ledger_rows_can_be_changed(wrong: dict[str, object]) -> None:
    """Other tables, keys and columns are refused before they come near SQL."""
    with pytest.raises(ValueError, match="not a"):
        Change.parse(wrong)


AMOUNTS = st.integers(-MAX_MINOR, MAX_MINOR)
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.just(0), AMOUNTS, TEXTS),
        st.tuples(st.just("edit"), st.integers(0, 9), AMOUNTS, TEXTS),
        st.tuples(st.just("delete"), st.integers(0, 9), st.just(0), st.just("")),
        st.tuples(st.just("budget"), st.integers(0, 3), AMOUNTS.map(abs), st.just("")),
    ),
    max_size=8,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(steps=STEPS)
async def test_undo_after_apply_is_identity(
    database: Database, resident: UUID, home: Household, steps: Sequence[tuple[str, int, int, str]]
) -> None:
    """Whatever sequence of changes is applied, through JSON as the journal keeps them, its inverse restores every row,
    and the inverse of that applies the sequence again."""
    category = str(home.categories[0].id)
    try:
        async with database.transaction(resident) as tx:
            before = await everything(tx)
            done: list[Change] = []
            for kind, at, minor, text in steps:
                table: Table = "budget" if kind == "budget" else "txn"
                key: Row = (
                    {"month": f"2027-0{at + 1}-01", "category_id": category}
                    if kind == "budget"
                    else txn_of(home, at + 1)
                )
                row = await read(tx, table, key)
                if kind == "add":
                    change = replace(new_txn(home, minor), key=new_key())
                elif kind == "budget" and row is None:
                    change = inserted("budget", key, amount_minor=minor, currency="USD")
                elif row is None:
                    continue
                elif kind == "delete":
                    change = deleted(table, key, row)
                else:
                    change = updated(table, key, row, amount_minor=minor, **({"memo": text} if table == "txn" else {}))
                done += await apply(tx, [change])
            after = await everything(tx)
            kept = [Change.parse(json.loads(json.dumps(change.json()))) for change in done]
            undone = await apply(tx, inverse(kept))
            assert await everything(tx) == before
            await apply(tx, inverse(undone))
            assert await everything(tx) == after
            raise _Unkept
    except _Unkept:
        pass


class _Unkept(Exception):
    """No error: it rolls an example back."""
