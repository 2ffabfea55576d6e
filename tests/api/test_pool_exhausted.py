"""Five connections and a hundred requests: those that cannot be served are told so, and nothing stays behind."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from db.embedded import Server
from db.engine import Database

CONNECTIONS = 5
REQUESTS = 100


@pytest.fixture
async def narrow(parts: Any, postgres: Server, admin_url: str) -> AsyncIterator[Database]:
    """The application's database, with five connections."""
    opened = await Database.connect(
        postgres.app_url, worker_url=postgres.worker_url, pool_size=CONNECTIONS, application="narrow"
    )
    parts.db = parts.runner.db = opened
    yield opened
    await opened.close()


async def test_a_hundred_requests_on_five_busy_connections(
    client: httpx.AsyncClient, narrow: Database, my_id: UUID, session_id: str, admin_url: str
) -> None:
    """While all are held, each request, to read or to say something, gets 503 with Retry-After after the two seconds
    that it may wait; as soon as they are free all are served, and no connection, seat or half-made run is left."""
    free = asyncio.Event()

    async def hold(held: asyncio.Event) -> None:
        async with narrow.transaction(my_id):
            held.set()
            await free.wait()

    async def ask(n: int) -> tuple[int, str, str | None, float]:
        began = time.monotonic()
        if n % 2:
            answer = await client.get(f"/v1/sessions/{session_id}/messages")
        else:
            answer = await client.post(
                f"/v1/sessions/{session_id}/messages",
                json={"text": "hello", "client_id": f"message {n}"},
                headers={"prefer": "respond-async"},
            )
        code = answer.json().get("code", "")
        return answer.status_code, code, answer.headers.get("Retry-After"), time.monotonic() - began

    held = [asyncio.Event() for _ in range(CONNECTIONS)]
    async with asyncio.TaskGroup() as holders:
        for one in held:
            holders.create_task(hold(one))
        await asyncio.gather(*(one.wait() for one in held))
        refused = await asyncio.gather(*(ask(n) for n in range(REQUESTS)))
        free.set()
    assert Counter((status, code, after) for status, code, after, _ in refused) == {(503, "pool_exhausted", "1"): 100}
    began = time.monotonic()
    served = await asyncio.gather(*(ask(n) for n in range(REQUESTS)))
    took = time.monotonic() - began
    assert {status for status, *_ in served} == {200, 202}
    async with contextlib.AsyncExitStack() as all_at_once:
        for _ in range(CONNECTIONS):
            await all_at_once.enter_async_context(narrow.transaction(my_id))
    admin = await asyncpg.connect(admin_url, server_settings={"search_path": "penny"})
    mine = await admin.fetch("SELECT state FROM pg_stat_activity WHERE application_name = 'narrow'")
    said = await admin.fetchval("SELECT count(*) FROM message WHERE session_id = $1::text::uuid", session_id)
    await admin.close()
    assert len(mine) <= CONNECTIONS
    assert {row["state"] for row in mine} == {"idle"}
    assert said == REQUESTS // 2
    slowest = max(waited for *_, waited in refused)
    print(f"{REQUESTS} requests on {CONNECTIONS} busy connections: refused after {slowest:.1f} s at most; "  # noqa: T201
          f"all served {took:.1f} s after they were free")  # fmt: skip
