"""Limits on requests: on one server and on several, in every wire's shape, and what they cost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from api.address import Proxies
from api.app import create_app
from api.limits import Gate, Limit, Limits, RateLimited, TooManyOpen
from db.engine import Database
from domain.errors import SetupError

Entering = Callable[[Gate, str], Awaitable[int]]


@asynccontextmanager
async def opened(database: Database, limits: Limits, **options: Any) -> AsyncIterator[Gate]:
    gate = Gate(limits, uuid4().hex, database.worker_connection, **options)
    await gate.start()
    try:
        yield gate
    finally:
        await gate.stop()


async def entered(gate: Gate, subject: str, times: int, *, stay: bool = False) -> int:
    """How many of so many requests at once were let in; with `stay` they do not end."""

    async def one() -> bool:
        try:
            leave = await gate.enter("user", subject)
        except (RateLimited, TooManyOpen):
            return False
        if not stay:
            leave()
        return True

    return sum(await asyncio.gather(*(one() for _ in range(times))))


async def test_no_more_than_the_limit_on_all_servers_together(database: Database) -> None:
    """Two servers that are asked a hundred times at once let in exactly as many as the limit says."""
    limits = Limits(user=Limit(per_minute=30))
    async with opened(database, limits) as one, opened(database, limits) as two:
        subject = uuid4().hex
        count = sum(await asyncio.gather(entered(one, subject, 50), entered(two, subject, 50)))
    assert 27 <= count <= 31  # a handful may be left on the other server; a token may come back meanwhile


async def test_subjects_do_not_share(database: Database) -> None:
    """What one user has used up is there for another."""
    async with opened(database, Limits(user=Limit(per_minute=10))) as gate:
        first, second = uuid4().hex, uuid4().hex
        assert await entered(gate, first, 30) <= 11
        assert await entered(gate, second, 10) == 10


async def test_a_refusal_says_when_to_come_back(database: Database) -> None:
    """`retry_after` is the time until the next token is there."""
    async with opened(database, Limits(user=Limit(per_minute=6))) as gate:
        subject = uuid4().hex
        await entered(gate, subject, 6)
        with pytest.raises(RateLimited) as refused:
            await gate.enter("user", subject)
    assert 1 <= refused.value.details["retry_after"] <= 10


async def test_tokens_come_back_with_time(database: Database, admin_url: str) -> None:
    """After a minute (here: moved back in the database) the whole quota is there again, and not more."""
    async with opened(database, Limits(user=Limit(per_minute=10))) as gate:
        subject = uuid4().hex
        assert await entered(gate, subject, 30) <= 11
        admin = await asyncpg.connect(admin_url)
        await admin.execute("UPDATE penny.quota SET at = at - interval '5 minutes'")
        await admin.close()
        assert 10 <= await entered(gate, subject, 30) <= 11


async def test_nobody_is_refused_below_the_cap(database: Database) -> None:
    """Ninety come one after another and stay, under a cap of a hundred: who waits for an answer is let in, though what
    was given went to others that came while it was on its way."""
    async with opened(database, Limits(user=Limit(per_minute=10_000, at_once=100))) as gate:
        subject, coming = uuid4().hex, []
        for one in range(90):
            coming.append(asyncio.create_task(gate.enter("user", subject)))
            for _ in range(one % 7):
                await asyncio.sleep(0)
            if one % 5 == 0:
                await asyncio.sleep(0.002)
        await asyncio.gather(*coming)


async def test_open_requests_are_counted_on_all_servers(database: Database) -> None:
    """With a cap of 4, two servers have 4 open; as one ends another may begin, on either."""
    limits = Limits(user=Limit(at_once=4))
    async with opened(database, limits) as one, opened(database, limits) as two:
        subject = uuid4().hex
        leave = await one.enter("user", subject)
        assert await entered(one, subject, 2, stay=True) + await entered(two, subject, 5, stay=True) == 3
        with pytest.raises(TooManyOpen):
            await one.enter("user", subject)
        leave()
        leave()  # again does no harm
        assert await entered(one, subject, 2, stay=True) == 1


async def test_the_permits_of_a_server_that_died_are_free_again(database: Database, admin_url: str) -> None:
    """A server that no longer renews its permits (here: their time is moved back) holds nothing up."""
    limits = Limits(user=Limit(at_once=2))
    subject = uuid4().hex
    async with opened(database, limits) as dead:
        assert await entered(dead, subject, 2, stay=True) == 2
    async with opened(database, limits) as alive:
        assert await entered(alive, subject, 1) == 0
        admin = await asyncpg.connect(admin_url)
        await admin.execute("UPDATE penny.quota_open SET until = until - interval '10 minutes'")
        await admin.close()
        assert await entered(alive, subject, 1) == 1


async def test_most_requests_cost_no_round_trip(database: Database) -> None:
    """A hundred requests of a user one after the other ask the database for ten handfuls; fifty users at once ask
    together."""
    limits = Limits(user=Limit(per_minute=1000, at_once=10))
    async with opened(database, limits) as gate:
        subject = uuid4().hex
        for _ in range(100):
            (await gate.enter("user", subject))()
        assert gate.round_trips <= 2
        before = gate.round_trips
        await asyncio.gather(*(entered(gate, uuid4().hex, 1) for _ in range(50)))
        assert gate.round_trips - before <= 3


async def test_nobody_is_refused_while_the_database_is_away() -> None:
    """Without an answer, requests go on: what they need of the database says so itself."""

    async def nobody() -> asyncpg.Connection:
        raise OSError

    gate = Gate(Limits(user=Limit(per_minute=1)), "owner", nobody)
    await gate.start()
    assert await entered(gate, "u", 20) == 20
    await gate.stop()


async def test_quiet_subjects_are_forgotten(database: Database) -> None:
    """What nobody uses any more is given back, and takes no memory."""
    now = [0.0]
    async with opened(database, Limits(user=Limit(100, 2)), now=lambda: now[0]) as gate:
        await entered(gate, "quiet", 1)
        for later in (100.0, 200.0, 300.0):
            now[0] = later
            await entered(gate, uuid4().hex, 1)
        assert len(gate._held) <= 3


@pytest.fixture
async def limited(parts: Any, database: Database) -> AsyncIterator[FastAPI]:
    """The application with three requests a minute for a user, four for a tenant, nine for an address."""
    limits = Limits(Limit(3), Limit(4), Limit(9))
    async with opened(database, limits) as gate:
        yield create_app(parts, gate=gate, trusted_proxies=["127.0.0.1"])


def reached(app: FastAPI, address: str, token: str = "") -> httpx.AsyncClient:
    headers = {"X-Forwarded-For": address} | ({"Authorization": f"Bearer {token}"} if token else {})
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://penny", headers=headers)


async def test_users_tenants_and_addresses_are_limited(limited: FastAPI, make_token: Callable[..., str]) -> None:
    """Each has its own limit; the answer is a problem with Retry-After, and health is told whatever happens."""
    tenant, address = uuid4().hex, f"2001:db8:{uuid4().hex[:4]}::1"
    tokens = [make_token(uuid4().hex, tenant=tenant) for _ in range(3)]
    answers = []
    for token in (tokens[0],) * 4 + (tokens[1],) * 2 + (tokens[2],):
        async with reached(limited, address, token) as client:
            answers.append(await client.get("/v1/sessions"))
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 200, 429, 429]
    assert answers[3].json()["code"] == "rate_limited"
    assert [("user" in a.json()["detail"], "tenant" in a.json()["detail"]) for a in (answers[3], answers[5])] == [
        (True, False),
        (False, True),
    ]
    assert int(answers[3].headers["retry-after"]) >= 1
    async with reached(limited, address.replace("::1", "::2")) as neighbour:
        statuses = [(await neighbour.get("/v1/sessions")).status_code for _ in range(4)]
        assert statuses == [401, 401, 429, 429]
        assert (await neighbour.get("/healthz")).status_code == 200


async def test_every_wire_says_it_in_its_own_shape(limited: FastAPI, make_token: Callable[..., str]) -> None:
    """OpenAI's error object, JSON-RPC's, a problem; each with Retry-After."""
    token = make_token(uuid4().hex)
    async with reached(limited, f"2001:db8:{uuid4().hex[:4]}::1", token) as client:
        for _ in range(3):
            await client.get("/v1/sessions")
        openai = await client.get("/openai/v1/models")
        chat = await client.post("/ai-sdk/chat", json={"id": "c", "messages": [{}]})
        mcp = await client.post("/mcp", json={"jsonrpc": "2.0", "id": 1, "method": "ping"})
    assert openai.json()["error"]["type"] == "rate_limit_error"
    assert chat.json()["code"] == "rate_limited"
    assert mcp.json()["error"]["data"]["code"] == "rate_limited"
    assert {answer.status_code for answer in (openai, chat, mcp)} == {429}
    assert all(answer.headers["retry-after"] for answer in (openai, chat, mcp))


@pytest.mark.parametrize(
    ("trusted", "peer", "forwarded", "client"),
    [
        ((), "10.0.0.1", "1.2.3.4", "10.0.0.1"),
        (("10.0.0.0/8",), "10.0.0.1", "1.2.3.4", "1.2.3.4"),
        (("10.0.0.0/8",), "10.0.0.1", "6.6.6.6, 1.2.3.4, 10.0.0.9", "1.2.3.4"),
        (("10.0.0.0/8",), "9.9.9.9", "1.2.3.4", "9.9.9.9"),
        (("10.0.0.0/8",), "10.0.0.1", "1.2.3.4, nonsense", "10.0.0.1"),
        (("10.0.0.0/8",), "10.0.0.1", "", "10.0.0.1"),
        (("::ffff:10.0.0.0/104", "10.0.0.0/8"), "::ffff:10.0.0.1", "2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ((), "", "", ""),
    ],
)
def test_only_trusted_proxies_say_whose_request_it_is(
    trusted: tuple[str, ...], peer: str, forwarded: str, client: str
) -> None:
    """The last address that no trusted proxy has; a header from anybody else is nothing."""
    scope = {"type": "http", "client": (peer, 1), "headers": [(b"x-forwarded-for", forwarded.encode())]}
    assert Proxies(trusted).client(scope) == client


def test_a_proxy_that_is_none_is_a_set_up_error() -> None:
    """The message names the setting."""
    with pytest.raises(SetupError, match="PENNY_TRUSTED_PROXIES"):
        Proxies(["the load balancer"])
