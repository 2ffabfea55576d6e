"""How often a turn goes to the database. The numbers may fall; a rise has to be meant."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event

from agent.runner import Runner
from db.embedded import Server
from db.engine import Database
from db.sealing.keys import Keys
from domain.clock import FixedClock, today
from ledger import household
from memory import sessions
from memory.usage import Caps

PLAIN = [{"text": "You spent 412.30 on groceries."}]
LOOK = [
    {"tool_calls": [{"name": "get_spending", "args": {"by": "category", "category": "Groceries"}}]},
    {"text": "{summary}"},
] * 9
CHANGE = [
    {"tool_calls": [{"name": "set_budget", "args": {"category": "Dining", "amount": "250"}}]},
    {"text": "Shall I?"},
] * 9


@pytest.fixture
async def sent() -> list[str]:
    """The statements that the pool's connections were sent, BEGIN and COMMIT among them."""
    return []


@pytest.fixture
async def database(postgres: Server, admin_url: str, users_keys: Keys, sent: list[str]) -> AsyncIterator[Database]:
    """A database of this test's own, which notes what is sent."""
    opened = await Database.connect(
        postgres.app_url, worker_url=postgres.worker_url, application="counted", keys=users_keys
    )

    def noted(connection: Any, record: Any, _: object) -> None:
        if not record.info.setdefault("noted", False):
            record.info["noted"] = True
            connection.driver_connection.add_query_logger(lambda q: sent.append(" ".join(q.query.split())))

    event.listen(opened._engine.sync_engine, "checkout", noted)
    yield opened
    await opened.close()


@asynccontextmanager
async def talking(start: Any, collect: Any, database: Database, user: UUID, script: Any) -> AsyncIterator[Any]:
    """A session of a household with two turns in it, under a cap as the service has one. `await say()` is one more
    turn; gives the runner and the turn's events."""
    async with start(script, caps=Caps(user_tokens=10**9)) as runner:
        async with database.transaction(user) as tx:
            await household.seed(tx, today(FixedClock(runner._agent.clock.now()), "UTC"))
            session = (await sessions.create(tx)).id

        async def say() -> tuple[Runner, list[Any]]:
            accepted = await runner.submit(user, session, "what did I spend on groceries?")
            events = await collect(runner, user, accepted.run_id)
            assert events[-1][1] == "run.finished", events[-1]
            return runner, events

        for _ in range(2):
            await say()
        yield say


def held(sent: list[str], most: int) -> None:
    """The statements are no more than that; says which they were."""
    told = "\n".join(f"  {n:2} {statement[:110]}" for n, statement in enumerate(sent, 1))
    print(f"{len(sent)} statements:\n{told}")  # noqa: T201
    assert len(sent) <= most


@pytest.mark.parametrize(("script", "most"), [(PLAIN, 6), (LOOK, 13), (CHANGE, 27)], ids=["plain", "look", "change"])
async def test_a_turn_goes_to_the_database_so_often(
    start: Any, collect: Any, database: Database, user: UUID, sent: list[str], script: list[dict[str, Any]], most: int
) -> None:
    """From the message's arrival to the end of its run, what it may take set aside; the log's flushes come on top, one
    or two."""
    async with talking(start, collect, database, user, script) as say:
        sent.clear()
        await say()
    held(sent, most)


@pytest.mark.parametrize(("follow_up", "most"), [(False, 11), (True, 16)], ids=["confirm", "with a reply"])
async def test_a_confirmation_goes_to_the_database_so_often(
    start: Any, collect: Any, database: Database, user: UUID, sent: list[str], follow_up: bool, most: int
) -> None:
    """From the click to the commit; with a reply to it, that the reply is accepted is in the same transaction."""
    async with talking(start, collect, database, user, CHANGE[:6] + PLAIN) as say:
        runner, events = await say()
        (made,) = [data for _, kind, data in events if kind == "proposal"]
        sent.clear()
        confirmed = await runner.confirm(user, UUID(made["id"]), made["hash"], approval="test", follow_up=follow_up)
        by_now = list(sent)
        if confirmed.run_id is not None:
            await collect(runner, user, confirmed.run_id)
    held(by_now, most)


async def test_a_turn_that_nothing_waits_for_leaves_the_queue_alone(
    start: Any, collect: Any, database: Database, user: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who starts a run at once, or ends one while its user has none queued, does not look for what is due."""
    async with talking(start, collect, database, user, PLAIN) as say:
        runner, _ = await say()
        await asyncio.sleep(0)
        assert not runner._due.is_set()
        woken: list[None] = []
        monkeypatch.setattr(runner._due, "set", lambda: woken.append(None))
        await say()
    assert not woken
