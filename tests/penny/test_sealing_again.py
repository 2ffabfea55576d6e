"""Sealing what is stored already, keys that are replaced, and keys that are wrapped by another."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from uuid import UUID

import asyncpg
import pytest

from db.engine import Database
from db.sealing.keys import KeyRefused, Keys
from domain.errors import SetupError
from ledger import household, transactions
from ledger.filters import TxnFilter
from ledger.imports.run import import_file
from memory import sessions
from penny.encryption.file import FileWrapper
from penny.encryption.work import everybody, overview, rewrap, rotate, seal_all
from tools import proposals
from tools.drafts.undo import NotUndoable

FILE = b"Date,Payee,Amount,Memo\n2026-11-20,Shell,-40.00,petrol\n2026-11-19,Cafe,-3.50,\n"


@pytest.fixture
async def admin(admin_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(admin_url, server_settings={"search_path": "penny"})
    yield connection
    await connection.close()


@pytest.fixture
def second(tmp_path) -> FileWrapper:
    """Another key in a file."""
    path = tmp_path / "second.key"
    path.write_text("22" * 32)
    return FileWrapper(path)


async def memos(admin: asyncpg.Connection, user: UUID) -> set[str]:
    """How the memos that are not empty begin."""
    rows = await admin.fetch("SELECT left(memo, 10) AS head FROM txn WHERE user_id = $1 AND memo <> ''", user)
    return {row["head"] for row in rows}


async def imported(db: Database, user: UUID) -> UUID:
    async with db.transaction(user) as tx:
        await household.seed(tx, date(2026, 11, 22))
    report = await import_file(db, user, FILE, account="Everyday Checking", source="bank.csv")
    assert report.journal_id is not None
    return report.journal_id


async def test_an_import_can_be_undone_after_its_memos_were_sealed_and_opened(
    database: Database, user: UUID, admin: asyncpg.Connection
) -> None:
    """What the import remembers of its rows, to see whether they were changed, goes along."""
    entry = await imported(database, user)
    assert await memos(admin, user) == {"~penny1:1:"}
    await seal_all(database, user, plain=True, done=lambda _: None)
    assert "petrol" in await memos(admin, user)
    undone = await proposals.undo_now(database, user, entry, approval="test")
    await seal_all(database, user, plain=False, done=lambda _: None)
    again = await proposals.undo_now(database, user, undone.journal_id, approval="test")
    assert await memos(admin, user) == {"~penny1:1:"}
    await proposals.undo_now(database, user, again.journal_id, approval="test")


async def test_a_row_that_was_changed_since_its_import_stays_changed(database: Database, user: UUID) -> None:
    """Sealing again does not make an import of rows that were edited one that can be undone."""
    entry = await imported(database, user)
    async with database.transaction(user) as tx:
        await tx.pg.execute("UPDATE txn SET tags = 'car' WHERE user_id = $1 AND merchant = 'Shell'", user)
    await seal_all(database, user, plain=True, done=lambda _: None)
    with pytest.raises(NotUndoable):
        await proposals.undo_now(database, user, entry, approval="test")


async def test_a_new_key_seals_once_it_is_active_and_older_texts_follow(
    database: Database, user: UUID, users_keys: Keys, admin: asyncpg.Connection
) -> None:
    """`rotate` adds one, once at a time; sealing again brings every text to it; nothing else changes."""
    await imported(database, user)
    assert users_keys.wrapper is not None
    assert await rotate(database, users_keys.wrapper, user)
    assert not await rotate(database, users_keys.wrapper, user)
    users_keys.forget(user)
    await seal_all(database, user, plain=False, done=lambda _: None)
    assert await memos(admin, user) == {"~penny1:1:"}
    await admin.execute("UPDATE data_key SET active_from = now() WHERE user_id = $1", user)
    users_keys.forget(user)
    async with database.transaction(user) as tx:
        before = await transactions.search(tx, TxnFilter(text="petrol"))
    changed: list[int] = []
    await seal_all(database, user, plain=False, done=changed.append)
    assert sum(changed) > 2
    assert await memos(admin, user) == {"~penny1:2:"}
    async with database.transaction(user) as tx:
        assert await transactions.search(tx, TxnFilter(text="petrol")) == before
    assert before.count == 1


async def test_users_keys_are_wrapped_by_another_key_and_texts_stay_as_they_are(
    database: Database, user: UUID, users_keys: Keys, second: FileWrapper, worker: asyncpg.Connection
) -> None:
    """After `rewrap` the new key opens them and the old one does not; again does nothing."""
    async with database.transaction(user) as tx:
        made = await sessions.create(tx, "Holidays")
    first = users_keys.wrapper
    assert first is not None
    with pytest.raises(KeyRefused):
        await rewrap(database, user, second, second, second.name)
    assert await rewrap(database, user, first, second, second.name) == 1
    assert await rewrap(database, user, first, second, second.name) == 0
    assert second.name in {row["wrapped_by"] for row in await overview(worker)}
    ring = await Keys(second).of(database, user)
    async with database.unsealed(user) as pg:
        title = await pg.fetchval("SELECT title FROM session WHERE id = $1", made.id)
    assert title.startswith("~penny1:1:")
    assert [place_open(ring, made.id, title)] == ["Holidays"]
    assert (await Keys(first).of(database, user)).trouble is not None


def place_open(ring, session_id: UUID, title: str) -> str:
    from db.sealing.places import SESSION_TITLE

    return str(ring.open(SESSION_TITLE, session_id, title))


async def test_everybody_is_every_user_once(database: Database, user: UUID, worker: asyncpg.Connection) -> None:
    """Page after page, this one among them."""
    found = [one async for one in everybody(worker)]
    assert len(found) == len(set(found))
    assert user in found


async def test_nothing_is_sealed_again_while_only_reading(database: Database, user: UUID, key_file) -> None:
    """PENNY_ENCRYPTION=read and `penny keys encrypt` contradict each other, and that is said."""
    database.keys, before = Keys(FileWrapper(key_file), writes=False), database.keys
    try:
        with pytest.raises(SetupError, match="PENNY_ENCRYPTION=read"):
            await seal_all(database, user, plain=False, done=lambda _: None)
    finally:
        database.keys = before


async def test_what_changes_meanwhile_is_left_as_it_is(
    database: Database, user: UUID, admin: asyncpg.Connection
) -> None:
    """A text that somebody writes between the look and the write is not overwritten."""
    from db.sealing.again import _page, _store
    from db.sealing.places import SESSION_TITLE

    async with database.transaction(user) as tx:
        made = await sessions.create(tx, "Holidays")
    async with database.transaction(user) as tx:
        await tx.pg.execute("UPDATE session SET title = 'Plain' WHERE id = $1", made.id)
    async with database.transaction(user) as tx:
        rows = await _page(tx, tx.ring, SESSION_TITLE, None)
        assert [row["stored"] for row in rows] == ["Plain"]
        await sessions.rename(tx, made.id, "Autumn")
        assert await _store(tx, tx.ring, SESSION_TITLE, rows, {}) == 0
        assert (await sessions.get(tx, made.id)).title == "Autumn"
