"""The ledger against a plain-Python one: whatever people do with their money, both hold the same to the minor unit.

What they may do, and the plain ledger, are in tests/kits/ledger_machine. The promise is 300 examples of 30 steps;
PENNY_MACHINE_EXAMPLES asks for another number.
"""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from ledger_machine.base import World
from ledger_machine.compare import Compared
from ledger_machine.envelopes import Envelopes
from ledger_machine.exchange import Exchange
from ledger_machine.plain import ACCOUNTS, CATEGORIES, SINCE
from ledger_machine.postings import Postings

from db.embedded import Server
from db.engine import Database
from domain.ids import new_id

EXAMPLES = int(os.environ.get("PENNY_MACHINE_EXAMPLES", "300"))
STEPS = 30


@pytest.fixture
def world(postgres: Server, admin_url: str) -> Iterator[World]:
    """A user with five accounts in three currencies and five categories, on a database connection of their own."""
    loop = asyncio.new_event_loop()
    db = loop.run_until_complete(Database.connect(postgres.app_url, worker_url=postgres.worker_url, pool_size=2))
    user = loop.run_until_complete(db.resolve_user("test", "", uuid.uuid4().hex))
    ids = {name: new_id() for name in [*ACCOUNTS, *CATEGORIES, "Salary"]}

    async def furnish() -> None:
        async with db.transaction(user) as tx:
            await tx.pg.executemany(
                "INSERT INTO account (user_id, id, name, kind, currency) VALUES ($1, $2, $3, 'checking', $4)",
                [(user, ids[name], name, currency) for name, currency in ACCOUNTS.items()],
            )
            await tx.pg.executemany(
                "INSERT INTO category (user_id, id, name, kind) VALUES ($1, $2, $3, $4)",
                [(user, ids[name], name, "spending") for name in CATEGORIES]
                + [(user, ids["Salary"], "Salary", "income")],
            )
            await tx.pg.execute("UPDATE preference SET envelopes_since = $1", SINCE.first)

    loop.run_until_complete(furnish())
    yield World(loop, db, user, ids)
    loop.run_until_complete(db.close())
    loop.close()


@pytest.mark.timeout(900)
def test_the_ledger_is_a_plain_one(world: World) -> None:
    """After every step both ledgers hold the same rows, and the same balances, budgets, envelopes and reports, exact to
    the minor unit; undo after apply is identity, and out of order it takes back just its own."""
    machine = type("Machine", (Postings, Envelopes, Exchange, Compared), {"world": world})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
            database=None,
        ),
    )
