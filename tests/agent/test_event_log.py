"""Events over time: how long they are kept, who may follow, what is counted."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from agent.followers import Followers
from agent.scripted import ScriptedModel
from db.engine import Database
from memory import events as run_events
from memory import sessions
from memory.events import EventsGone


@pytest.fixture
async def admin(admin_url: str):
    """A superuser's connection, to make time pass."""
    connection = await asyncpg.connect(admin_url, server_settings={"search_path": "penny"})
    yield connection
    await connection.close()


async def age(admin: asyncpg.Connection, run_id: UUID, days: int) -> None:
    """Makes the run and its events so many days old."""
    created = await admin.fetchval("SELECT created_at FROM run WHERE id = $1", run_id)
    then = created - timedelta(days=days)
    await admin.execute("SELECT add_run_event_day($1)", then.date())
    await admin.execute("UPDATE run SET created_at = $2 WHERE id = $1", run_id, then)
    await admin.execute("UPDATE run_event SET day = $2 WHERE run_id = $1", run_id, then.date())


async def test_events_are_dropped_after_their_days_and_the_reply_stays(
    start, collect, admin, worker, database: Database, user, session
):
    """Past retention a reader is told 410 and which message the reply is; the day before, events are still there."""
    async with start([{"text": "Hello."}]) as runner:
        old, kept = [await runner.submit(user, session, "hi") for _ in range(2)]
        for accepted in (old, kept):
            await collect(runner, user, accepted.run_id)
        await age(admin, old.run_id, 33)
        await age(admin, kept.run_id, 30)
        assert await run_events.keep(worker, 30) == 1
        with pytest.raises(EventsGone) as gone:
            await collect(runner, user, old.run_id)
        assert gone.value.status == 410
        assert gone.value.details == {"message_id": str(old.message_id)}
        assert (await collect(runner, user, kept.run_id))[-1][1] == "run.finished"


async def test_events_of_a_run_that_is_not_over_are_kept(start, collect, admin, worker, database, user, session):
    """However old a waiting run is, its day stays."""
    async with start([{"text": "Hello."}]) as runner:
        accepted = await runner.submit(user, session, "hi")
        await collect(runner, user, accepted.run_id)
    await age(admin, accepted.run_id, 50)
    await admin.execute("UPDATE run SET status = 'queued' WHERE id = $1", accepted.run_id)
    await run_events.keep(worker, 40)
    assert await admin.fetchval("SELECT count(*) FROM run_event WHERE run_id = $1", accepted.run_id) > 0
    await admin.execute("UPDATE run SET status = 'finished' WHERE id = $1", accepted.run_id)
    assert await run_events.keep(worker, 40) >= 1


async def test_the_worker_chooses_days_and_nothing_else(worker: asyncpg.Connection):
    """Less than a day is refused, and the partitions themselves are out of its reach."""
    with pytest.raises(asyncpg.RaiseError, match="one day at least"):
        await run_events.keep(worker, 0)
    for statement in ("SELECT add_run_event_day(current_date)", "DROP TABLE run_event", "SELECT * FROM run_event"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await worker.execute(statement)


async def test_deleting_a_session_deletes_its_events(start, collect, admin, database: Database, user, session):
    """The cascade reaches into the partitions."""
    async with start([{"text": "Hello."}]) as runner:
        accepted = await runner.submit(user, session, "hi")
        await collect(runner, user, accepted.run_id)
        async with database.transaction(user) as tx:
            await sessions.delete(tx, session)
    assert await admin.fetchval("SELECT count(*) FROM run_event WHERE run_id = $1", accepted.run_id) == 0


async def test_fifty_slow_readers_are_let_go_and_resume(start, collect, user, session):
    """A reader who stops taking events is dropped once 256 KiB wait for it; asking again from its last event gives
    exactly the rest."""
    words = " ".join("x" * 4000 for _ in range(150))
    async with start(ScriptedModel([{"text": words}], delay=0.01)) as runner:
        accepted = await runner.submit(user, session, "talk")
        slow = [runner.events(user, accepted.run_id) for _ in range(50)]
        taken = [[await anext(reader)] for reader in slow]
        async for frame in runner.events(user, accepted.run_id):
            if frame.seq > 1 and runner._live.get(accepted.run_id).run.stream.bytes_shown > 300_000:
                break
        for have, reader in zip(taken, slow, strict=True):
            have += [frame async for frame in reader]
            assert have[-1].type != "run.finished"
        assert runner.metrics().dropped_readers == 50
        everything = await collect(runner, user, accepted.run_id)
        rest = await collect(runner, user, accepted.run_id, taken[0][-1].seq)
        assert rest == everything[taken[0][-1].seq :]


async def test_one_query_serves_all_who_follow_from_afar(start, collect, worker, user, session):
    """Readers of a run elsewhere are woken by a single look; nobody waits for what is there already."""
    async with start([{"text": "Hello."}]) as runner:
        accepted = await runner.submit(user, session, "hi")
        events = await collect(runner, user, accepted.run_id)
        async with runner._agent.db.read(user) as tx:
            day = await run_events.day_of(tx, accepted.run_id)
    followers = Followers(run_events.positions)
    with followers.follow(accepted.run_id, day) as one, followers.follow(accepted.run_id, day) as other:
        assert one is other
        waiting = asyncio.create_task(one.beyond(0, one.news))
        await followers.poll(worker)
        async with asyncio.timeout(10):
            await waiting
            await other.beyond(0, other.news)
        assert one.last_seq == len(events)


async def test_news_during_a_look_is_not_missed():
    """Who noted what to wait for before it looked does not wait when something came meanwhile, such as the server's
    stopping."""
    followers = Followers(run_events.positions)
    with followers.follow(uuid4()) as followed:
        news = followed.news
        followers.nudge_all()
        async with asyncio.timeout(10):
            await followed.beyond(0, news)


async def test_metrics_tell_what_the_process_does(start, collect, user, session):
    """Flushes are counted and timed; no reader is left at the end."""
    async with start([{"text": "Hello."}]) as runner:
        accepted = await runner.submit(user, session, "hi")
        await collect(runner, user, accepted.run_id)
        metrics = runner.metrics()
    assert metrics.flushes >= 1
    assert 0 < metrics.flush_seconds_mean <= metrics.flush_seconds_longest
    assert (metrics.readers, metrics.dropped_readers, metrics.takeovers) == (0, 0, 0)
