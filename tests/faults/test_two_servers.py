"""Two servers on one database: readers that leave, owners that stall, messages at both, cancelling from the other."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest
from trials import times

from lab.bedrock_emulator import BedrockEmulator

MANY = {"PENNY_LIMITS_RUNS_PER_USER": "100"}
PATIENT = {"PENNY_LEASE_SECONDS": "10"}
"""Where a busy machine must not look like a dead owner."""


async def test_a_hundred_disconnects_and_resumes_see_every_event_once(
    serve: Any, reader: Any, chance: random.Random
) -> None:
    """Readers who leave at random events and come back to either server see dense ids, none changed, and the final
    text."""
    servers = await asyncio.gather(serve(**MANY), serve(**MANY))
    left = 0

    async def follow() -> None:
        nonlocal left
        session = await servers[0].new_session()
        at = chance.choice(servers)
        following = reader(await at.say(session, f"budget {chance.randint(400, 999)} say 40 0.03"))
        for _ in range(5):
            await following.read(chance.choice(servers), until=len(following.seen) + chance.randint(1, 5))
            left += not following.ended
        await following.read_to_end(servers)
        following.check()
        for _ in range(3):  # and long after, from any event
            after = chance.randrange(len(following.seen))
            await following.read(chance.choice(servers), after=after)

    for _ in range(times(1)):
        await asyncio.gather(*(follow() for _ in range(20)))
    print(f"20 runs, {left} readers that left in the middle, 60 late readers")  # noqa: T201
    assert left + 60 >= 100


async def test_an_owner_stopped_past_its_lease_writes_nothing_more(
    serve: Any, reader: Any, sql: asyncpg.Pool, chance: random.Random
) -> None:
    """Ten replies of a server that is stopped and continued are finished by the other; what the first says meanwhile
    reaches nobody, while a reply it is making then is logged as ever."""
    for _ in range(times(2)):
        stalled, other = await asyncio.gather(serve(**MANY), serve(**MANY))
        sessions = [await stalled.new_session() for _ in range(6)]
        readers = [reader(await stalled.say(s, f"budget {chance.randint(400, 999)} say 40 0.05")) for s in sessions[:5]]
        await asyncio.gather(*(r.read(stalled, until=chance.randint(2, 6)) for r in readers))
        stalled.signal(signal.SIGSTOP)
        ends = [asyncio.create_task(r.read_to_end([other])) for r in readers]
        await asyncio.sleep(chance.uniform(1.6, 2.2))
        stalled.signal(signal.SIGCONT)
        fresh = reader(await stalled.say(sessions[5], "say 20 0.02"))
        await fresh.read_to_end([stalled])
        fresh.check()
        await asyncio.gather(*ends)
        for following in readers:
            following.check()
            attempts = await sql.fetch(
                "SELECT attempt FROM run_event WHERE run_id = $1::uuid ORDER BY seq", following.run
            )
            order = [row["attempt"] for row in attempts]
            assert order == sorted(order), "an earlier owner wrote after a later one"
            made = await sql.fetchval("SELECT count(*) FROM proposal WHERE run_id = $1::uuid", following.run)
            assert made == 1, list(following.seen.values())
        assert (
            await sql.fetchval(
                "SELECT min(attempt) FROM run WHERE id = ANY($1::text[]::uuid[])", [r.run for r in readers]
            )
            > 1
        )
        await asyncio.gather(stalled.kill(), other.kill())
    print("10 replies of a stopped owner")  # noqa: T201


async def test_messages_at_both_servers_are_answered_in_order(
    serve: Any, reader: Any, sql: asyncpg.Pool, chance: random.Random
) -> None:
    """Messages to one session at two servers, whose own clocks are ten minutes slow and fast: one runs at a time, none
    twice, each in its turn."""
    servers = await asyncio.gather(serve(skew=-600, **PATIENT), serve(skew=600, **PATIENT))

    async def talk() -> None:
        session = await servers[0].new_session()
        sent = [await chance.choice(servers).say(session, "say 3 0.02") for _ in range(4)]
        readers = [reader(run) for run in sent]
        await asyncio.gather(*(r.read_to_end([chance.choice(servers)]) for r in readers))
        for following in readers:
            following.check()
        rows = await sql.fetch(
            "SELECT id, attempt, finished_at FROM run WHERE session_id = $1::uuid ORDER BY turn", session
        )
        assert [str(row["id"]) for row in rows] == sent
        assert {row["attempt"] for row in rows} == {1}
        assert [row["finished_at"] for row in rows] == sorted(row["finished_at"] for row in rows)

    await asyncio.gather(*(talk() for _ in range(12)))
    print("12 sessions, 48 messages")  # noqa: T201


async def test_cancelling_from_the_other_server_closes_the_model_and_keeps_the_order(
    serve: Any, reader: Any, emulator: BedrockEmulator, chance: random.Random
) -> None:
    """Twenty times: a message behind a running one, the running one cancelled at either server; the upstream is closed,
    long before it would end by itself, what was said is kept, the next is answered."""
    servers = await asyncio.gather(serve(**MANY, **PATIENT), serve(**MANY, **PATIENT))

    async def talk() -> None:
        session = await servers[0].new_session()
        first = reader(await servers[0].say(session, "say 2000 0.05"))
        second = reader(await chance.choice(servers).say(session, "say 3 0"))
        await first.read(servers[0], until=chance.randint(2, 4))
        assert (await chance.choice(servers).client.post(f"/v1/runs/{first.run}/cancel")).status_code == 202
        async with asyncio.timeout(60):
            await first.read_to_end(servers)
        assert first.end[0] == "run.cancelled"
        await second.read_to_end(servers)
        second.check()
        items = (await servers[0].client.get(f"/v1/sessions/{session}/messages")).json()["items"]
        told = [item.get("status") for item in items if item["role"] == "assistant"]
        assert told == ["cancelled", "finished"], items
        assert items[1]["text"] == first.text()
        third = reader(await servers[1].say(session, "say 2 0"))
        await third.read_to_end(servers)
        third.check()

    await asyncio.gather(*(talk() for _ in range(20)))
    await emulator.state.wait_for(lambda state: state.open_streams == 0, 60.0)
    print("20 cancelled")  # noqa: T201


async def test_one_client_id_is_one_run_on_two_servers(serve: Any, reader: Any, sql: asyncpg.Pool) -> None:
    """Twenty messages, each sent ten times at once to both servers: twenty runs; another text is refused."""
    servers = await asyncio.gather(serve(**MANY), serve(**MANY))

    async def repeat() -> None:
        session, client_id = await servers[0].new_session(), uuid4().hex
        runs = await asyncio.gather(*(servers[n % 2].say(session, "say 2 0", client_id) for n in range(10)))
        assert len(set(runs)) == 1
        other = await servers[1].send(session, "another", client_id)
        assert other.status_code == 409
        following = reader(runs[0])
        await following.read_to_end(servers)
        following.check()
        assert await sql.fetchval("SELECT count(*) FROM run WHERE session_id = $1::uuid", session) == 1

    await asyncio.gather(*(repeat() for _ in range(20)))
    print("20 messages sent 200 times")  # noqa: T201


async def test_a_busy_user_waits_and_another_does_not(serve: Any, reader: Any, sql: asyncpg.Pool) -> None:
    """Of eight replies asked for at once by one user on two servers two are made at a time, and all are made."""
    servers = await asyncio.gather(*(serve(PENNY_LIMITS_RUNS_PER_USER="2") for _ in range(2)))
    sessions = [await servers[0].new_session() for _ in range(8)]
    runs = await asyncio.gather(*(servers[n % 2].say(s, "say 10 0.03") for n, s in enumerate(sessions)))
    readers = [reader(run) for run in runs]
    reading = asyncio.gather(*(r.read_to_end(servers) for r in readers))
    most = 0
    running = "SELECT count(*) FROM run WHERE status = 'running' AND session_id = ANY($1::text[]::uuid[])"
    while not reading.done():
        most = max(most, await sql.fetchval(running, sessions))
        await asyncio.sleep(0.02)
    await reading
    for following in readers:
        following.check()
    assert 1 <= most <= 3  # two servers may each start one in the same instant


@pytest.mark.parametrize(("trial", "drain"), [(1, 20), (2, 20), (3, 2)])
async def test_sigterm_with_twenty_replies_loses_none(
    serve: Any, reader: Any, sql: asyncpg.Pool, chance: random.Random, trial: int, drain: int
) -> None:
    """Readiness turns 503 and new messages are refused with Retry-After while replies go on; they finish here, or are
    handed over with their lease when the time is up, and the server ends in time."""
    leaving, other = await asyncio.gather(
        serve(PENNY_DRAIN_SECONDS=str(drain), **MANY, **PATIENT), serve(**MANY, **PATIENT)
    )
    sessions = [await leaving.new_session() for _ in range(20)]
    length = 100 if drain == 2 else 40
    runs = await asyncio.gather(*(leaving.say(s, f"say {length} 0.05") for s in sessions))
    readers = [reader(run) for run in runs]
    await asyncio.gather(*(r.read(leaving, until=2) for r in readers))
    reading = [asyncio.create_task(r.read_to_end([leaving, other])) for r in readers]
    leaving.signal(signal.SIGTERM)
    started = asyncio.get_running_loop().time()
    async with asyncio.timeout(60):
        while (await leaving.client.get("/readyz")).status_code != 503:  # noqa: ASYNC110 -- nobody tells
            await asyncio.sleep(0.01)
    refused = await leaving.client.post(f"/v1/sessions/{sessions[0]}/messages", json={"text": "say 2 0"})
    assert refused.status_code == 503
    assert refused.headers["Retry-After"]
    assert (await leaving.client.get("/healthz")).status_code == 200
    await leaving.gone(drain + 60)  # the promise is 5 s more on a machine of its own
    took = asyncio.get_running_loop().time() - started
    await asyncio.gather(*reading)
    for following in readers:
        following.check()
    attempts = [await sql.fetchval("SELECT attempt FROM run WHERE id = $1::uuid", run) for run in runs]
    assert set(attempts) == ({2} if drain == 2 else {1})
    print(f"trial {trial}: 20 replies, drain {drain} s: exit after {took:.1f} s, attempts {sorted(set(attempts))}")  # noqa: T201


async def test_sigint_twice_ends_at_once_and_the_other_server_goes_on(
    serve: Any, reader: Any, sql: asyncpg.Pool
) -> None:
    """Ctrl-C twice does not wait for replies or readers; the replies are handed over."""
    leaving, other = await asyncio.gather(serve(**MANY), serve(**MANY))
    following = reader(await leaving.say(await leaving.new_session(), "say 400 0.05"))
    await following.read(leaving, until=2)
    reading = asyncio.create_task(following.read_to_end([leaving, other]))
    leaving.signal(signal.SIGINT)
    await asyncio.sleep(0.2)
    with contextlib.suppress(ProcessLookupError):  # it may have been quick
        leaving.signal(signal.SIGINT)
    await leaving.gone()
    await reading
    following.check()
    assert await sql.fetchval("SELECT attempt FROM run WHERE id = $1::uuid", following.run) > 1


async def test_a_message_refused_by_a_draining_server_is_taken_by_another(serve: Any) -> None:
    """The same client_id goes through at the other server."""
    leaving, other = await asyncio.gather(serve(**MANY), serve(**MANY))
    session, client_id = await leaving.new_session(), uuid4().hex
    await leaving.say(session, "say 30 0.05")
    leaving.signal(signal.SIGTERM)
    refused = 0
    for _ in range(100):
        try:
            sent = await leaving.client.post(
                f"/v1/sessions/{session}/messages",
                json={"text": "say 2 0", "client_id": client_id},
                headers={"Prefer": "respond-async"},
            )
        except httpx.TransportError:
            break
        if sent.status_code == 503:
            refused += 1
            break
    assert refused
    await other.say(session, "say 2 0", client_id)
