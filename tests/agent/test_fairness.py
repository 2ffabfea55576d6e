"""Whose run is next, and what one user's burst leaves to the others."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from db.connection import PoolExhausted
from db.embedded import Server
from db.engine import Database
from memory import acceptance, queue, runs, sessions
from memory.acceptance import Terms


async def test_servers_that_claim_at_one_instant_keep_to_the_cap_together(database: Database, user):
    """Twelve waiting replies of one user and six servers: three run, however the claims fall."""
    async with database.transaction(user) as tx:
        for _ in range(12):
            terms = Terms("a", 60, "", "", queue_only=True)
            await acceptance.accept(tx, (await sessions.create(tx)).id, "hi", terms)
    servers = [await database.worker_connection() for _ in range(6)]

    async def claim_all(worker: asyncpg.Connection, owner: str) -> list[runs.Claim]:
        claimed = []
        while (claim := await queue.claim_next(worker, owner, 60, 3)) is not None:
            claimed.append(claim)
        return claimed

    for _ in range(4):
        claimed = await asyncio.gather(*(claim_all(worker, f"server {n}") for n, worker in enumerate(servers)))
        mine = [claim for of_server in claimed for claim in of_server if claim.user == user]
        assert len(mine) == 3
        async with database.transaction(user) as tx:
            await tx.pg.execute("UPDATE run SET status = 'cancelled' WHERE status = 'running'")
    for worker in servers:
        await worker.close()


async def test_claims_alternate_between_users_who_compete(database: Database, user):
    """Of one user with six waiting replies and another who came later with two, neither waits for all of the other's;
    a user's own are taken oldest first, and no more than the limit at once."""
    other = await database.resolve_user("test", "", uuid4().hex)
    waiting: dict[UUID, list[UUID]] = {user: [], other: []}
    for owner, count in ((user, 6), (other, 2)):
        for _ in range(count):
            async with database.transaction(owner) as tx:
                terms = Terms("a", 60, "", "", queue_only=True)
                accepted = await acceptance.accept(tx, (await sessions.create(tx)).id, "hi", terms)
                waiting[owner].append(accepted.run_id)
    worker = await database.worker_connection()
    claimed = []
    while (claim := await queue.claim_next(worker, "b", 60, 3)) is not None:
        claimed.append(claim)
    await worker.close()
    mine = [claim for claim in claimed if claim.user in waiting]
    assert [claim.user for claim in mine] == [user, other, user, other, user]
    for owner, made in waiting.items():
        taken = [claim.run_id for claim in mine if claim.user == owner]
        assert taken == made[: len(taken)]


async def test_one_users_burst_leaves_connections_to_others(start, database: Database, user: UUID) -> None:
    """While a user's message waits for that user's lock, thirty more of theirs wait without a connection."""
    async with database.transaction(user) as tx:
        mine = [(await sessions.create(tx)).id for _ in range(31)]
    other = await database.resolve_user("test", "", uuid4().hex)
    async with database.transaction(other) as tx:
        theirs = (await sessions.create(tx)).id
    async with start([{"text": "Hello."}]) as runner:
        async with database.transaction(user) as tx:
            await acceptance.lock(tx)
            burst = [asyncio.create_task(runner.submit(user, session, "hi")) for session in mine]
            await asyncio.sleep(0.2)
            accepted = await runner.submit(other, theirs, "hi")
            assert not any(task.done() for task in burst)
        assert len({(await task).run_id for task in burst}) == 31
        assert accepted.run_id


async def test_a_users_burst_at_an_exhausted_pool_is_refused_together(
    postgres: Server, start: Any, user: UUID, session: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twenty messages of one user while every connection is held: one of them waits as long as a request may, and the
    others are told with it, rather than waiting as long again each in its turn; then the user is served."""
    narrow = await Database.connect(
        postgres.app_url, worker_url=postgres.worker_url, pool_size=1, pool_seconds=0.5, application="narrow"
    )
    async with start([{"text": "Here."}]) as runner:
        monkeypatch.setattr(runner._intake, "_db", narrow)
        waited: list[float] = []
        take = narrow._seats.take

        async def counted(patience: float) -> None:
            waited.append(patience)
            await take(patience)

        async with narrow.transaction(user):
            monkeypatch.setattr(narrow._seats, "take", counted)
            burst = [runner.submit(user, session, f"message {n}") for n in range(20)]
            told = await asyncio.gather(*burst, return_exceptions=True)
        assert {type(each) for each in told} == {PoolExhausted}
        assert {each.details["retry_after"] for each in told} == {1}  # type: ignore[union-attr]
        assert len(waited) == 1
        assert (await runner.submit(user, session, "now")).run_id
    await narrow.close()
