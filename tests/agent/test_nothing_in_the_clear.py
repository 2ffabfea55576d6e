"""With encryption on: a whole conversation, no word of it in any column, and all of it read back."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from db.engine import Database
from db.sealing.keys import Keys
from db.sealing.places import PLACES
from domain.clock import today
from ledger import changes, household, journal, transactions
from ledger.export.document import stream
from ledger.filters import TxnFilter
from ledger.imports.run import import_file
from memory import events, feed, forking, outbox, sessions, summaries, traces
from memory.export import SECTIONS
from penny.encryption.work import seal_all
from tools import proposals

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)

WORDS = (
    "quillaby",
    "marzipandra",
    "wobblekin",
    "brontorix",
    "plimsoul",
    "grumbelow",
    "tanglewort",
    "fizzleby",
    "hollowick",
)
"""What is said, and to be in no column that is sealed."""

SHOPS = ("krakenmart", "yodelshop")
"""Merchants are not sealed."""

FILE = b"""Date,Payee,Amount,Memo
2026-11-20,Yodelshop,-40.00,two tanglewort roots
2026-11-19,Yodelshop,-3.50,
"""

SCRIPT = [
    {"tool_calls": [{"name": "remember_fact", "args": {"text": "my sister Quillaby visits on Fridays"}}]},
    {"text": "I will remember Quillaby, says Wobblekin."},
    {"tool_calls": [{"name": "add_transaction",
                     "args": {"amount": "12.50", "merchant": "Krakenmart", "memo": "for Marzipandra"}}]},
    {"text": "Twelve fifty for Marzipandra, then."},
    {"tool_calls": [{"name": "list_transactions", "args": {"text": "marzipandra"}}]},
    {"text": "{summary}"},
]  # fmt: skip

COLUMNS = """
SELECT c.relname::text AS name, a.attname::text AS attribute FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
 WHERE c.relnamespace = 'penny'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
   AND a.attnum > 0 AND NOT a.attisdropped
"""


@pytest.fixture
async def admin(admin_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(admin_url, server_settings={"search_path": "penny"})
    yield connection
    await connection.close()


async def holding(admin: asyncpg.Connection, words: tuple[str, ...], user: UUID) -> set[str]:
    """The columns of every table that hold one of the words, in whatever type, in rows of the user's if it has users:
    found by reading all there is."""
    columns = await admin.fetch(COLUMNS)
    owned = {row["name"] for row in columns if row["attribute"] == "user_id"}
    assert len(columns) > 250
    found = set()
    for table, column in columns:
        whose = "user_id = $2" if table in owned else "$2::uuid IS NOT NULL"
        there = f'SELECT EXISTS (SELECT FROM "{table}" WHERE {whose} AND "{column}"::text ~* $1)'  # noqa: S608
        if await admin.fetchval(there, "|".join(words), user):
            found.add(f"{table}.{column}")
    return found


async def lived(start: Any, collect: Any, db: Database, user: UUID, session: UUID) -> list[UUID]:
    """A conversation with memory, a memo, a note, an import taken back, a fork, a summary, a notice; its runs."""
    made = []
    async with start(SCRIPT) as runner:
        async with db.transaction(user) as tx:
            await household.seed(tx, today(runner._agent.clock, "UTC"))
        for said in (
            "remember that my sister Quillaby visits on Fridays, Brontorix",
            "12.50 at Krakenmart for Marzipandra",
            "what was for marzipandra?",
        ):
            run = await runner.submit(user, session, said)
            told = await collect(runner, user, run.run_id)
            assert told[-1][1] == "run.finished"
            made.append(run.run_id)
            for proposal in (data for _, kind, data in told if kind == "proposal"):
                await runner.confirm(user, UUID(proposal["id"]), proposal["hash"], approval="test")
        assert "Krakenmart" in told[-1][2]["text"]
    report = await import_file(db, user, FILE, account="Everyday Checking", source="bank.csv")
    assert report.added == 2
    await proposals.undo_now(db, user, approval="test")
    async with db.transaction(user) as tx:
        found = await transactions.search(tx, TxnFilter(text="marzipandra"))
        noted = await changes.editing(tx, "txn", {"id": str(found.items[0].id)}, note="a gift from Hollowick")
        await journal.append(
            tx, kind="edit_transaction", text="Note it.", changes=await changes.apply(tx, [noted]), approval="test"
        )
        await sessions.rename(tx, session, "Plimsoul's holidays")
        await forking.fork(tx, session)
        await summaries.add(tx, session, 1, "About Grumbelow.", model="m", prompt_version="p", spent=())
        await outbox.add(tx, "telegram", "7", "notice", "once", body={"text": "Fizzleby is due."})
    return made


async def read_back(db: Database, user: UUID, session: UUID, runs: list[UUID]) -> list[Any]:
    """All that the user can read."""
    async with db.transaction(user) as tx:
        export = json.loads(b"".join([piece async for piece in stream(tx, NOW, SECTIONS)]))
        told = [await traces.trace(tx, run) for run in runs]
        frames = [frame for run in runs for frame in (await events.read(tx, run, 0))[0]]
        frames += await feed.read(tx, session, 0)
        summary = await summaries.begin(tx, session)
        await summaries.give_up(tx, session)
    items, _ = await proposals.list_proposals(db, user)
    return [export, told, [json.loads(frame.data) for frame in frames], str(summary), items]


async def test_no_word_is_in_a_column_that_does_not_say_so(
    start: Any, collect: Any, database: Database, users_keys: Keys, user: UUID, session: UUID, admin: asyncpg.Connection
) -> None:
    """Every column of every table is read. What users may read back has every word and nothing sealed; stored plain
    again the words are in every sealed column, so that the look would have seen them; encrypted again, in none."""
    runs = await lived(start, collect, database, user, session)
    assert await holding(admin, WORDS, user) == set()
    assert await holding(admin, SHOPS, user) <= {
        "txn.merchant", "txn.merchant_key", "merchant.name", "merchant.key", "journal.changes", "import_row.kept",
    }  # fmt: skip
    read = await read_back(database, user, session, runs)
    said = json.dumps(read, default=str)
    unseen = {"fizzleby", "tanglewort"}  # what the app has yet to be told, and what was taken back
    assert {word for word in WORDS if word not in said.lower()} == unseen
    assert "~penny" not in said

    done: list[int] = []
    await seal_all(database, user, plain=True, done=done.append)
    assert await holding(admin, ("~penny",), user) == set()
    places = {f"{place.table}.{place.column}" for place in PLACES}
    assert await holding(admin, WORDS, user) == places
    assert await read_back(database, user, session, runs) == read

    back: list[int] = []
    await seal_all(database, user, plain=False, done=back.append)
    assert sum(back) == sum(done) > 30
    assert await holding(admin, WORDS, user) == set()
    assert await read_back(database, user, session, runs) == read
    again: list[int] = []
    await seal_all(database, user, plain=False, done=again.append)
    assert sum(again) == 0
