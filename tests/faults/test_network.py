"""The network between the service and PostgreSQL, and between the service and Bedrock: slow, cut, half-open."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest
from fault_proxy import FaultProxy
from trials import times

from db.embedded import Server as Cluster
from lab.bedrock_emulator import BedrockEmulator


@pytest.fixture
async def to_postgres(cluster: Cluster) -> AsyncIterator[FaultProxy]:
    async with FaultProxy("127.0.0.1", cluster.port) as proxy:
        yield proxy


@pytest.fixture
async def to_bedrock(emulator: BedrockEmulator) -> AsyncIterator[FaultProxy]:
    parts = urlsplit(emulator.url)
    async with FaultProxy(parts.hostname or "127.0.0.1", parts.port or 80) as proxy:
        yield proxy


async def answered(server: Any, reader: Any, session: str, said: str, seconds: float = 120) -> Any:
    """A message sent until it is taken, and its reply read to the end; the reader."""
    async with asyncio.timeout(seconds):
        while True:
            try:
                run = await server.say(session, said)
                break
            except (AssertionError, httpx.TransportError):
                await asyncio.sleep(0.2)
    following = reader(run)
    await following.read_to_end([server], seconds)
    return following


async def test_a_slow_database_slows_replies_and_breaks_none(
    serve: Any, reader: Any, cluster: Cluster, to_postgres: FaultProxy
) -> None:
    """40 ms to the database and 40 back: every reply ends with its text."""
    server = await serve(PENNY_DATABASE_URL=to_postgres.instead(cluster.admin_url), PENNY_LEASE_SECONDS="10")
    sessions = [await server.new_session() for _ in range(times(5))]
    to_postgres.weather.latency = 0.04
    replies = [answered(server, reader, session, "say 10 0.02") for session in sessions]
    for following in await asyncio.gather(*replies):
        following.check()
    to_postgres.weather.latency = 0.0


async def test_cut_connections_to_the_database_lose_no_reply(
    serve: Any, reader: Any, cluster: Cluster, to_postgres: FaultProxy, sql: asyncpg.Pool, chance: random.Random,
    tell: Callable[[str], None],
) -> None:  # fmt: skip
    """All connections reset at a random moment of ten replies, again and again: every reply ends with its text, every
    change is proposed once, and the session takes the next message."""
    server = await serve(PENNY_DATABASE_URL=to_postgres.instead(cluster.admin_url), PENNY_LIMITS_RUNS_PER_USER="100")
    cut = 0
    for _ in range(times(4)):
        sessions = [await server.new_session() for _ in range(5)]
        runs = [await server.say(s, f"budget {chance.randint(400, 999)} say 20 0.03") for s in sessions]
        readers = [reader(run) for run in runs]
        reading = [asyncio.create_task(each.read_to_end([server])) for each in readers]
        await asyncio.sleep(chance.uniform(0.05, 0.8))
        cut += to_postgres.cut()
        await asyncio.gather(*reading)
        for each in readers:
            each.check()
            assert await sql.fetchval("SELECT count(*) FROM proposal WHERE run_id = $1::uuid", each.run) == 1
        (await answered(server, reader, sessions[0], "say 2 0")).check()
    tell(f"database connections cut: {cut}, in {times(4)} rounds of 5 replies, none lost")


async def test_a_silent_database_is_told_of_and_forgotten(
    serve: Any, reader: Any, cluster: Cluster, to_postgres: FaultProxy
) -> None:
    """Half-open connections: /readyz says so instead of hanging, and once the network is back so is everything else."""
    server = await serve(PENNY_DATABASE_URL=to_postgres.instead(cluster.admin_url))
    session = await server.new_session()
    to_postgres.weather.silent = True
    async with asyncio.timeout(60):
        while (await server.client.get("/readyz")).status_code != 503:  # noqa: ASYNC110 -- nobody tells
            await asyncio.sleep(0.1)
    assert (await server.client.get("/healthz")).status_code == 200
    to_postgres.cut()
    to_postgres.weather.silent = False
    (await answered(server, reader, session, "say 3 0.01")).check()
    async with asyncio.timeout(60):
        while (await server.client.get("/readyz")).status_code != 200:  # noqa: ASYNC110 -- nobody tells
            await asyncio.sleep(0.1)


async def test_lost_connections_to_the_database_are_replaced(
    serve: Any, reader: Any, cluster: Cluster, to_postgres: FaultProxy
) -> None:
    """Connections that a router forgot, so that nobody ever closes them: a reply under way ends with its text, and the
    next one too."""
    server = await serve(PENNY_DATABASE_URL=to_postgres.instead(cluster.admin_url))
    session = await server.new_session()
    following = reader(await server.say(session, "say 20 0.05"))
    await following.read(server, until=3)
    to_postgres.lose()
    await following.read_to_end([server])
    following.check()
    (await answered(server, reader, session, "say 2 0")).check()


async def test_a_dripping_model_is_waited_for(
    serve: Any, reader: Any, emulator: BedrockEmulator, to_bedrock: FaultProxy
) -> None:
    """Seven bytes at a time, so that every frame comes in many pieces: the text is whole."""
    server = await serve(AWS_ENDPOINT_URL_BEDROCK_RUNTIME=to_bedrock.instead(emulator.url))
    session = await server.new_session()
    to_bedrock.weather.drip = 64
    (await answered(server, reader, session, "say 5 0")).check()


async def test_cut_and_silent_connections_to_the_model_end_once(
    serve: Any, reader: Any, emulator: BedrockEmulator, to_bedrock: FaultProxy, chance: random.Random,
    tell: Callable[[str], None],
) -> None:  # fmt: skip
    """Reset or half-open at a random moment of the reply: one terminal event that says the model failed and that trying
    again may help, within the idle timeout; and then the next reply is whole."""
    server = await serve(
        AWS_ENDPOINT_URL_BEDROCK_RUNTIME=to_bedrock.instead(emulator.url), PENNY_MODEL_IDLE_SECONDS="2"
    )
    ends: list[str] = []
    for n in range(times(6)):
        session = await server.new_session()
        following = reader(await server.say(session, "say 40 0.05"))
        reading = asyncio.create_task(following.read_to_end([server], 90))
        while to_bedrock.taken <= n and not following.seen:  # noqa: ASYNC110 -- nobody tells
            await asyncio.sleep(0.01)
        await asyncio.sleep(chance.uniform(0.2, 1.2))
        if n % 2:
            to_bedrock.weather.silent = True
        else:
            to_bedrock.cut()
        await reading
        to_bedrock.weather.silent = False
        to_bedrock.cut()
        kind, data = following.end
        ends.append(kind)
        assert kind == "run.failed", data
        assert data["retryable"] is True
        assert not {"Traceback", "127.0.0.1", "aiohttp"} & set(data["message"].split())
        (await answered(server, reader, session, "say 2 0")).check()
    tell(f"model connections cut or silent: {len(ends)}, each ended once with run.failed")
