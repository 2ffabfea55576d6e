"""A prompt version on its way to the users: who gets it, on which server, and what ends it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import asyncpg
import pytest
from structlog.testing import capture_logs

from agent.scripted import ScriptedModel
from db.engine import Database
from domain.errors import NotFound
from memory import acceptance, runs, sessions
from memory.acceptance import Terms
from prompts import library, store
from prompts.library import Prompt
from prompts.rollout import judge
from prompts.store import OtherRollout

BASE = library.load()
NEW = Prompt("v3", BASE.text + "\n\nBe briefer still.")


@pytest.fixture
async def worker(database: Database) -> AsyncIterator[asyncpg.Connection]:
    """An operator's connection; no rollout is left behind for other tests."""
    connection = await database.worker_connection()
    yield connection
    await connection.execute("UPDATE prompt_rollout SET status = 'rolled_back' WHERE status = 'running'")
    await connection.close()


async def version_of(database: Database, user: UUID, run_id: UUID) -> str:
    async with database.read(user) as tx:
        return str((await runs.get(tx, run_id))["prompt_version"])


async def test_a_server_that_runs_takes_a_rollout_up_and_lets_go_of_it(
    start, collect, database: Database, user, session, worker
):
    """The model reads the new text, the run and its first event name the version; after the rollback all is as before.
    Nothing is restarted."""
    model = ScriptedModel([{"text": "Hi."}])
    async with start(model) as runner:

        async def reply() -> tuple[str, str]:
            accepted = await runner.submit(user, session, "hi")
            events = await collect(runner, user, accepted.run_id)
            version = await version_of(database, user, accepted.run_id)
            assert events[0][2]["prompt_version"] == version
            return version, f"{model.requests[-1].system} {model.requests[-1].aside}"

        async def comes(version: str) -> str:
            async with asyncio.timeout(60):
                said = await reply()
                while said[0] != version:
                    await asyncio.sleep(0.2)
                    said = await reply()
            return said[1]

        assert (await reply())[0] == BASE.version
        await store.roll_out(worker, NEW, BASE.version, users=[user], least=20)
        assert "Be briefer still." in await comes(NEW.version)
        assert await store.roll_back(worker) == NEW.version
        assert "Be briefer still." not in await comes(BASE.version)


async def test_only_users_of_the_rollout_get_it(start, collect, database: Database, user, session, worker):
    """A user by name has it; another, with a share of none, has the base."""
    other = await database.resolve_user("test", "", uuid4().hex)
    async with database.transaction(other) as tx:
        theirs = (await sessions.create(tx)).id
    await store.roll_out(worker, NEW, BASE.version, users=[user], least=20)
    async with start([{"text": "Hi."}]) as runner:
        versions = []
        for who, where in ((user, session), (other, theirs)):
            accepted = await runner.submit(who, where, "hi")
            await collect(runner, who, accepted.run_id)
            versions.append(await version_of(database, who, accepted.run_id))
    assert versions == [NEW.version, BASE.version]


async def test_a_run_that_another_server_takes_over_keeps_its_prompt(
    start, collect, database: Database, user, session, worker
):
    """The text comes from the database: the rollout is over, and the server that goes on never had that file."""
    once = Prompt("v9", BASE.text + f"\n\nOnce upon a time {uuid4()}.")
    async with database.transaction(user) as tx:
        await store.keep(tx.pg, once)
        accepted = await acceptance.accept(tx, session, "hi", Terms("dead", -1, "scripted", once.version))
    model = ScriptedModel([{"text": "Hi."}])
    async with start(model, owner="b") as runner:
        events = await collect(runner, user, accepted.run_id)
    assert events[-1][1] == "run.finished"
    assert "Once upon a time" in model.requests[-1].aside
    assert await version_of(database, user, accepted.run_id) == once.version


async def test_a_text_this_code_cannot_render_is_left_to_servers_that_can(
    start, collect, database: Database, user, session, worker
):
    """A version with an unknown variable reaches nobody here; replies go on with the base, and the log says so once."""
    future = Prompt("v8", BASE.text + "\n\nThe moon is {{moon}}.")
    await store.roll_out(worker, future, BASE.version, share=10_000, least=20)
    with capture_logs() as logs:
        async with start([{"text": "Hi."}]) as runner:
            accepted = await runner.submit(user, session, "hi")
            assert (await collect(runner, user, accepted.run_id))[-1][1] == "run.finished"
    assert await version_of(database, user, accepted.run_id) == BASE.version
    assert [entry["event"] for entry in logs].count("prompt.rollout_not_usable") == 1


async def test_there_is_one_rollout_at_a_time(worker, user):
    """Another version has to wait; the same one is widened, and keeps its users; ended, it cannot be ended again."""
    first = await store.roll_out(worker, NEW, BASE.version, share=500, users=[user], least=20)
    wider = await store.roll_out(worker, NEW, BASE.version, share=2_000, least=20)
    assert (wider.id, wider.share, wider.users) == (first.id, 2_000, frozenset({user}))
    with pytest.raises(OtherRollout, match="rollback"):
        await store.roll_out(worker, Prompt("v4", BASE.text + "\n\nx"), BASE.version, share=1, least=20)
    await store.roll_back(worker)
    with pytest.raises(NotFound):
        await store.roll_back(worker)


@pytest.fixture
def replies(database: Database, user: UUID):
    """Makes replies of a version that ended so: `await replies(version, failed=3, unverified=2, well=10)`."""

    async def make(version: str, **ends: int) -> None:
        async with database.transaction(user) as tx:
            session = (await sessions.create(tx)).id
            for end, count in ends.items():
                figure = f'{{"figures": [{{"verified": {"false" if end == "unverified" else "true"}}}]}}'
                await tx.pg.execute(
                    """
                    WITH s AS (UPDATE session SET last_turn = last_turn + $5 WHERE id = $2
                               RETURNING last_turn - $5 AS t),
                    r AS (
                        INSERT INTO run (user_id, id, session_id, turn, message_id, text_hash, status, prompt_version,
                                         finished_at)
                        SELECT $1, uuidv7(), $2, t + n, uuidv7(), '', $3, $4, clock_timestamp()
                          FROM s, generate_series(1, $5::int) AS n RETURNING *)
                    INSERT INTO message (user_id, session_id, turn, pos, id, run_id, role, body)
                    SELECT user_id, session_id, turn, 0, message_id, id, 'assistant', $6::text::jsonb FROM r
                    """,
                    user, session, "failed" if end == "failed" else "finished", version, count, figure,
                )  # fmt: skip

    return make


@pytest.mark.parametrize("end", ["failed", "unverified"])
async def test_a_rollout_stops_when_its_replies_get_worse(worker, replies, end: str):
    """Twelve bad replies of thirty against two of sixty: it is stopped, with the figures as the reason, and logged."""
    made = await store.roll_out(worker, Prompt("v5", f"{BASE.text}\n\n{uuid4()}"), f"b-{uuid4()}", share=100, least=20)
    await replies(made.version, **{end: 12, "well": 18})
    await replies(made.base, **{end: 2, "well": 58})
    with capture_logs() as logs:
        reason = await judge(worker, made.id)
    what = "failed" if end == "failed" else "had unverified figures"
    assert reason is not None
    assert reason.startswith(f"12 of 30 replies {what}, with the base 2 of 60")
    assert [(e["event"], e["version"]) for e in logs] == [("prompt.rollout_stopped", made.version)]
    past = (await store.history(worker, 1))[0]
    assert (past.status, past.reason) == ("stopped", reason)
    assert await store.running(worker) is None


async def test_a_rollout_that_is_no_worse_goes_on(worker, replies):
    """As many failures as the base's: there is a look, and nothing happens; not again before there are more replies."""
    made = await store.roll_out(worker, Prompt("v5", f"{BASE.text}\n\n{uuid4()}"), f"b-{uuid4()}", share=100, least=20)
    await replies(made.version, failed=2, well=18)
    await replies(made.base, failed=2, well=18)
    assert await judge(worker, made.id) is None
    seen = await store.outcomes(worker, made.id)
    assert seen is not None
    assert (seen.looks, seen.candidate.failed) == (1, 2)
    assert (await store.running(worker)) is not None


async def test_two_servers_that_look_at_once_stop_it_once(database: Database, worker, replies):
    """One takes the look; the rollout is ended and logged once."""
    made = await store.roll_out(worker, Prompt("v5", f"{BASE.text}\n\n{uuid4()}"), f"b-{uuid4()}", share=100, least=20)
    await replies(made.version, failed=20)
    await replies(made.base, well=40)
    other = await database.worker_connection()
    with capture_logs() as logs:
        reasons = await asyncio.gather(judge(worker, made.id), judge(other, made.id))
    await other.close()
    assert sum(reason is not None for reason in reasons) == 1
    assert len(logs) == 1
