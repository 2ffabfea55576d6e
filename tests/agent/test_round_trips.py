"""How often a turn goes to the database. The numbers may fall; a rise has to be meant."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import event

from db.embedded import Server
from db.engine import Database
from domain.clock import FixedClock, today
from ledger import household
from memory import sessions

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
async def database(postgres: Server, admin_url: str, sent: list[str]) -> AsyncIterator[Database]:
    """A database of this test's own, which notes what is sent."""
    opened = await Database.connect(postgres.app_url, worker_url=postgres.worker_url, application="counted")

    def noted(connection: Any, record: Any, _: object) -> None:
        if not record.info.setdefault("noted", False):
            record.info["noted"] = True
            connection.driver_connection.add_query_logger(lambda q: sent.append(" ".join(q.query.split())))

    event.listen(opened._engine.sync_engine, "checkout", noted)
    yield opened
    await opened.close()


@pytest.mark.parametrize(("script", "most"), [(PLAIN, 8), (LOOK, 16), (CHANGE, 29)], ids=["plain", "look", "change"])
async def test_a_turn_goes_to_the_database_so_often(
    start: Any, collect: Any, database: Database, user: Any, sent: list[str], script: list[dict[str, Any]], most: int
) -> None:
    """From the message's arrival to the end of its run, in a session that has some turns; the log's flushes come on
    top, one or two."""
    async with start(script) as runner:
        async with database.transaction(user) as tx:
            await household.seed(tx, today(FixedClock(runner._agent.clock.now()), "UTC"))
            session = (await sessions.create(tx)).id
        for _ in range(2):
            accepted = await runner.submit(user, session, "what did I spend on groceries?")
            await collect(runner, user, accepted.run_id)
        sent.clear()
        accepted = await runner.submit(user, session, "what did I spend on groceries?")
        events = await collect(runner, user, accepted.run_id)
    assert events[-1][1] == "run.finished"
    told = "\n".join(f"  {n:2} {statement[:110]}" for n, statement in enumerate(sent, 1))
    assert len(sent) <= most, f"{len(sent)} statements:\n{told}"
