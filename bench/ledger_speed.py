"""How long the ledger's questions and decisions take in the database, on one user's long history.

`python bench/ledger_speed.py` has 100,000 transactions over eight years, `--million` a million. It starts a PostgreSQL
of its own and takes it down. Figures are milliseconds in SQL: of each call, the time that its statements took on the
wire to the database and back, without Python's work on the rows, as the median of the rounds.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from bench.record import quick, record
from db.embedded import embedded
from db.engine import Database, Transaction
from db.migrate import migrate
from domain.clock import FixedClock
from domain.money import Money
from domain.periods import DateRange, Month
from ledger import accounts, budgets, recurring, reports, rollups, setup, transactions
from ledger.filters import TxnFilter
from ledger.imports.run import import_file
from ledger.preferences import Preferences
from ledger.transactions import NewTxn
from tools import proposals
from tools.catalog import call
from tools.proposals.decide import claim
from tools.tool import ToolContext

TODAY = date(2026, 11, 22)
DAYS = 8 * 365
CLOCK = FixedClock(datetime(2026, 11, 22, 12, tzinfo=UTC))
MERCHANTS = 600
ROUNDS = 15
WRITERS = 16
IMPORTED = 100_000

FILL = """
WITH a AS (SELECT array_agg(id ORDER BY name) AS ids FROM account WHERE user_id = $1),
     c AS (SELECT array_agg(id ORDER BY name) AS ids FROM category WHERE user_id = $1),
     g AS (SELECT i, hashint8(i)::bigint & 1048575 AS h, hashint8(i + 7000000)::bigint & 1048575 AS k
             FROM generate_series($2::bigint, $3::bigint) i)
INSERT INTO txn (user_id, no, account_id, day, amount_minor, currency, merchant, memo, category_id)
SELECT $1, i, a.ids[1 + h % 5], $4::date - ($5::int - (i * $5 / $6)::int),
       CASE WHEN k % 40 = 0 THEN 1 ELSE -1 END * (100 + k % 20000), 'USD',
       -- a few merchants have most of the transactions, as in life
       'Merchant ' || ((h % $7) * (k % $7) / $7), CASE WHEN k % 5 = 0 THEN 'memo ' || i ELSE '' END,
       CASE WHEN k % 50 = 0 THEN NULL ELSE c.ids[1 + ((h % $7) * (k % $7) / $7) % 20] END
  FROM g, a, c
"""


@dataclass
class Stopwatch:
    """Counts the statements of a connection and the seconds they take."""

    statements: int = 0
    seconds: float = 0.0

    def attach(self, pg: Any) -> None:
        def note(record: Any) -> None:
            self.statements += 1
            self.seconds += record.elapsed

        self.note = note
        pg.add_query_logger(note)

    def detach(self, pg: Any) -> None:
        pg.remove_query_logger(self.note)


Question = Callable[[Transaction], Awaitable[object]]

ALL = DateRange(date(1990, 1, 1), TODAY)
YEAR = DateRange(date(2025, 11, 23), TODAY)
MONTH = Month.of(TODAY)

QUESTIONS: tuple[tuple[str, Question], ...] = (
    ("spending by category, this month", lambda tx: reports.spending(tx, MONTH.days, "category", "USD")),
    ("spending by category, last month", lambda tx: reports.spending(tx, MONTH.plus(-1).days, "category", "USD")),
    ("spending by category, a year", lambda tx: reports.spending(tx, YEAR, "category", "USD")),
    ("spending by category, all time", lambda tx: reports.spending(tx, ALL, "category", "USD")),
    ("spending by month, a year", lambda tx: reports.spending(tx, YEAR, "month", "USD")),
    ("spending by account, a year", lambda tx: reports.spending(tx, YEAR, "account", "USD")),
    ("spending by merchant, last month", lambda tx: reports.spending(tx, MONTH.plus(-1).days, "merchant", "USD")),
    ("spending by merchant, a year", lambda tx: reports.spending(tx, YEAR, "merchant", "USD")),
    ("spending by weekday, a year", lambda tx: reports.spending(tx, YEAR, "weekday", "USD")),
    ("two months compared", lambda tx: reports.compare(tx, MONTH.plus(-2).days, MONTH.plus(-1).days, "USD")),
    ("a month against its budgets", lambda tx: budgets.status(tx, MONTH, "USD")),
    ("accounts and balances", accounts.list_),
    ("merchants' names", transactions.merchants),
    ("list, no filter", lambda tx: transactions.search(tx, TxnFilter(), 50)),
    ("list, last month", lambda tx: transactions.search(tx, TxnFilter(days=MONTH.plus(-1).days), 50)),
    ("search, part of a merchant's name", lambda tx: transactions.search(tx, TxnFilter(merchant="ant 31"), 50)),
    ("search, a merchant", lambda tx: transactions.search(tx, TxnFilter(merchants=("merchant 31",)), 50)),
    ("search, text in merchant or memo", lambda tx: transactions.search(tx, TxnFilter(text="memo 77"), 50)),
    ("recurring charges", lambda tx: recurring.find(tx, TODAY)),
    ("rollups verified", rollups.verify),
)


async def main(count: int) -> None:
    with tempfile.TemporaryDirectory(prefix="penny-bench-") as folder:
        Path(folder).chmod(0o755)  # noqa: ASYNC240 -- nothing else runs yet
        async with embedded(Path(folder)) as server:
            await migrate(
                server.admin_url, passwords={"app": server.credentials.app, "worker": server.credentials.worker}
            )
            db = await Database.connect(
                server.app_url, worker_url=server.worker_url, pool_size=WRITERS, application="bench", pool_seconds=60
            )
            try:
                user = await db.resolve_user("bench", "", uuid.uuid4().hex)
                began = time.perf_counter()
                await fill(db, user, count)
                print(f"{count:,} transactions written, with rollups, in {time.perf_counter() - began:.1f} s")
                await analyze(server.admin_url)
                print(f"\n{'':40}{'ms of SQL':>12}{'statements':>12}")
                asked: list[float] = []
                for name, question in QUESTIONS:
                    check = name == "rollups verified"  # which no user asks
                    taken, statements = await timed(db, user, question, 3 if check else ROUNDS)
                    await report(name, taken, statements)
                    asked += [] if check else [taken]
                record("ledger.slowest.ms", max(asked))
                record("ledger.median.ms", statistics.median(asked))
                await report("add a transaction", *(await adding(db, user)))
                await report("confirm a proposal", *(await confirming(db, user)))
                await ten_at_once(db, user)
                await together(db, user)
                if not quick():
                    await importing(db)
            finally:
                await db.close()


async def fill(db: Database, user: UUID, count: int) -> None:
    """The history, and as many other users' worth of nothing: 5 accounts, 20 categories, 600 merchants."""
    async with db.transaction(user) as tx:
        await tx.pg.execute(
            "INSERT INTO account (user_id, name, kind, currency) "
            "SELECT $1, 'Account ' || i, 'checking', 'USD' FROM generate_series(1, 5) i",
            user,
        )
        await tx.pg.execute(
            "INSERT INTO category (user_id, name) SELECT $1, 'Category ' || i FROM generate_series(1, 20) i", user
        )
        for first in range(1, count + 1, 100_000):
            await tx.pg.execute(FILL, user, first, min(first + 99_999, count), TODAY, DAYS, count, MERCHANTS)
        await tx.pg.execute("UPDATE app_user SET last_txn_no = $2 WHERE id = $1", user, count)


async def analyze(admin_url: str) -> None:
    import asyncpg

    admin = await asyncpg.connect(admin_url)
    await admin.execute("VACUUM ANALYZE")
    await admin.close()


async def report(name: str, milliseconds: float, statements: int) -> None:
    print(f"{name:40}{milliseconds:12.2f}{statements:12d}", flush=True)


async def timed(db: Database, user: UUID, question: Question, rounds: int) -> tuple[float, int]:
    """The median of a question's milliseconds in SQL, and how many statements it is."""
    watches = []
    for _ in range(rounds + 1):
        watch = Stopwatch()
        async with db.read(user) as tx:
            watch.attach(tx.pg)
            try:
                await question(tx)
            finally:
                watch.detach(tx.pg)
        watches.append(watch)
    return statistics.median(w.seconds for w in watches[1:]) * 1000, watches[-1].statements


async def adding(db: Database, user: UUID) -> tuple[float, int]:
    """One transaction, written as an import or the household writes it."""
    watches = []
    for _ in range(ROUNDS + 1):
        watch = Stopwatch()
        async with db.transaction(user) as tx:
            account = await tx.pg.fetchval("SELECT id FROM account WHERE user_id = $1 ORDER BY name LIMIT 1", user)
            watch.attach(tx.pg)
            await transactions.insert(tx, [NewTxn(account, TODAY, Money(-100, "USD"), "Merchant 1")])
            watch.detach(tx.pg)
        watches.append(watch)
    return statistics.median(w.seconds for w in watches[1:]) * 1000, watches[-1].statements


async def confirming(db: Database, user: UUID) -> tuple[float, int]:
    """A proposal to move a category's budget or add a purchase, claimed, applied and journalled."""
    watches = []
    for number in range(ROUNDS + 1):
        made = await proposed(db, user, str(10 + number))
        watch = Stopwatch()
        async with db.transaction(user) as tx:
            watch.attach(tx.pg)
            done = await claim(tx, UUID(made["id"]), made["hash"], "bench")
            watch.detach(tx.pg)
        assert isinstance(done, proposals.Applied)
        watches.append(watch)
    return statistics.median(w.seconds for w in watches[1:]) * 1000, watches[-1].statements


async def ten_at_once(db: Database, user: UUID) -> None:
    """One proposal, confirmed ten times at the same instant: one write, and ten equal answers."""
    made = await proposed(db, user, "77")
    async with db.read(user) as tx:
        before = await tx.pg.fetchval("SELECT count(*) FROM txn WHERE user_id = $1", user)
    one = UUID(made["id"]), made["hash"]
    done = await asyncio.gather(*(proposals.confirm(db, user, *one, approval="bench") for _ in range(10)))
    async with db.read(user) as tx:
        written = await tx.pg.fetchval("SELECT count(*) FROM txn WHERE user_id = $1", user) - before
    entries = len({one.journal_id for one in done})
    print(f"\none proposal confirmed ten times at once: {written} written, {entries} in the journal")


async def importing(db: Database) -> None:
    """A bank's file of 100,000 rows into an empty ledger, and once more."""
    user = await db.resolve_user("bench", "", uuid.uuid4().hex)
    async with db.transaction(user) as tx:
        await setup.add_account(tx, "Account 1", "checking", Money(0, "USD"), "bench")
    days = (TODAY - timedelta(days=at * DAYS // IMPORTED) for at in range(IMPORTED))
    rows = (f"{day},Merchant {at % MERCHANTS},memo {at},-{1 + at % 90}.{at % 100:02}" for at, day in enumerate(days))
    file = "\n".join(["Date,Payee,Memo,Amount", *rows]).encode()
    told = 0

    def progress(_: str, __: int, ___: int) -> None:
        nonlocal told
        told += 1

    for what in ("imported", "imported again"):
        began, told = time.perf_counter(), 0
        report = await import_file(db, user, file, account="Account 1", progress=progress)
        seconds = time.perf_counter() - began
        if what == "imported":
            record("ledger.import.rows", report.rows / seconds)
        print(f"{report.rows:,} rows {what} in {seconds:.1f} s: {report.added:,} added, progress told {told} times")


async def together(db: Database, user: UUID) -> None:
    """Sixteen at once confirm purchases that all fall into the same rollup row; none is refused, none tried again."""
    confirmed, seconds = 0, 0.0
    for number in range(4):
        made = [await proposed(db, user, str(100 + number * WRITERS + one)) for one in range(WRITERS)]
        began = time.perf_counter()
        await asyncio.gather(
            *(proposals.confirm(db, user, UUID(one["id"]), one["hash"], approval="bench") for one in made)
        )
        seconds += time.perf_counter() - began
        confirmed += len(made)
    async with db.read(user) as tx:
        wrong = await rollups.verify(tx)
    print(
        f"\n{WRITERS} writers on one account, category and month: {confirmed} purchases confirmed in {seconds:.2f} s "
        f"({confirmed / seconds:.0f} a second), none refused or repeated, {len(wrong)} wrong rollups"
    )


async def proposed(db: Database, user: UUID, amount: str) -> dict[str, Any]:
    ctx = ToolContext(db=db, user=user, today=TODAY, preferences=Preferences(), clock=CLOCK, said=(f"spent {amount}",))
    asked = {"amount": amount, "merchant": "Merchant 1", "category": "Category 1", "account": "Account 1"}
    result = await call(ctx, "add_transaction", asked)
    if result.proposal is None:
        sys.exit(result.summary)
    return result.proposal


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--million", action="store_true", help="a million transactions")
    asyncio.run(main(1_000_000 if parser.parse_args().million else 100_000))
