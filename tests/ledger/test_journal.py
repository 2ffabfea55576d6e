"""The journal keeps what was applied, who agreed and what it undid."""

from __future__ import annotations

import uuid
from uuid import UUID

import pytest
from asyncpg.exceptions import UniqueViolationError

from db.engine import Database, Transaction
from domain.errors import NotFound
from domain.ids import new_id
from ledger import journal
from ledger.changes import Change, apply, editing, inverse
from ledger.household import Household


async def edit(tx: Transaction, home: Household, memo: str, no: int = 100) -> tuple[UUID, tuple[Change, ...]]:
    """An applied and journaled edit of one transaction."""
    key = {"id": str(home.transactions[no - 1].id)}
    done = await apply(tx, [await editing(tx, "txn", key, memo=memo)])
    return await journal.append(tx, kind="edit_transaction", text=memo, changes=done, approval="chat"), done


async def test_an_entry_says_who_when_and_what(database: Database, owner: UUID, home: Household) -> None:
    """An entry comes back as written, with the rows before and after, and shows as the contract says."""
    async with database.transaction(owner) as tx:
        entry_id, done = await edit(tx, home, "gift")
        entry = await journal.get(tx, entry_id)
    assert (entry.user, entry.approval, entry.changes, entry.undone_by) == (owner, "chat", done, None)
    shown = entry.json()
    assert shown["who"] == str(owner)
    assert shown["changes"][0]["before"]["memo"] != shown["changes"][0]["after"]["memo"] == "gift"
    assert {"at", "message", "prompt_version", "approval"} <= shown.keys()


async def test_an_entry_shows_the_message_that_asked_for_it(database: Database, owner: UUID, home: Household) -> None:
    """The user's own words stand beside the change they led to."""
    session, message = new_id(), new_id()
    async with database.transaction(owner) as tx:
        await tx.pg.execute("INSERT INTO session (user_id, id) VALUES ($1, $2)", owner, session)
        await tx.pg.execute(
            """
            INSERT INTO message (user_id, session_id, turn, pos, id, role, text)
            VALUES ($1, $2, 1, 0, $3, 'user', 'call it a gift')
            """,
            owner,
            session,
            message,
        )
        _, done = await edit(tx, home, "gift")
        entry = await journal.append(
            tx, kind="edit_transaction", text="", changes=done, approval="chat", message_id=message, session_id=session
        )
        shown = (await journal.get(tx, entry)).json()
    assert shown["message"] == {"id": str(message), "text": "call it a gift"}


async def test_an_undone_entry_points_to_what_undid_it(database: Database, owner: UUID, home: Household) -> None:
    """The two entries name each other, in the list too."""
    async with database.transaction(owner) as tx:
        entry, done = await edit(tx, home, "one")
        undone = await apply(tx, inverse(done))
        undoing = await journal.append(tx, kind="undo", text="", changes=undone, approval="chat", undoes=entry)
        listed, _ = await journal.list_(tx)
    assert [(e.id, e.undoes, e.undone_by) for e in listed] == [(undoing, entry, None), (entry, None, undoing)]


async def test_an_entry_is_undone_once(database: Database, owner: UUID, home: Household) -> None:
    """The database itself refuses a second undoing of one entry."""
    async with database.transaction(owner) as tx:
        entry, _ = await edit(tx, home, "one")
        await journal.append(tx, kind="undo", text="", changes=(), approval="chat", undoes=entry)
    with pytest.raises(UniqueViolationError, match="journal_undone_once"):
        async with database.transaction(owner) as tx:
            await journal.append(tx, kind="undo", text="", changes=(), approval="chat", undoes=entry)


async def test_entries_come_newest_first_in_pages(database: Database, owner: UUID, home: Household) -> None:
    """Pages follow on without gap or repeat."""
    async with database.transaction(owner) as tx:
        ids = [(await edit(tx, home, f"edit {n}"))[0] for n in range(7)]
        seen, after = [], None
        while True:
            entries, after = await journal.list_(tx, limit=3, after=after)
            seen += [entry.id for entry in entries]
            if after is None:
                break
    assert seen == ids[::-1]


async def test_no_entry_is_found_by_anothers_id(database: Database, owner: UUID, user: UUID, home: Household) -> None:
    """An id that is no entry, or another user's, is not found."""
    async with database.transaction(owner) as tx:
        entry, _ = await edit(tx, home, "mine")
    stranger = await database.resolve_user("test", "", uuid.uuid4().hex)
    for somebody, wanted in ((owner, new_id()), (stranger, entry)):
        with pytest.raises(NotFound):
            async with database.read(somebody) as tx:
                await journal.get(tx, wanted)
