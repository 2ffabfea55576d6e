"""Many streams at once: models that say nothing, readers of sessions in which nothing happens. `make bench` has the
full counts; PENNY_TEST_STREAMS=10000 has these tests take so many, as far as the limit of open files goes."""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack
from typing import Any

import httpx
import psutil

from lab.bedrock_emulator import BedrockEmulator

IDLE = int(os.environ.get("PENNY_TEST_STREAMS", "300"))
SILENT = min(IDLE, 500) // 2
USED = 100
"""As many first, since a server grows when it is used for the first time."""

MEGABYTES_EACH = 300 / 10_000
SLACK_MEGABYTES = 3
"""Half of what they are to cost; a task or a frame more for each would not be seen in less."""

MANY = {
    "PENNY_LIMITS_RUNS_PER_USER": "1000",
    "PENNY_LIMITS_OPEN_PER_USER": "0",
    "PENNY_LIMITS_OPEN_PER_ADDRESS": "0",
    "PENNY_LIMITS_REQUESTS_PER_USER": "0",
    "PENNY_LIMITS_REQUESTS_PER_ADDRESS": "0",
    "PENNY_LEASE_SECONDS": "30",
}


async def test_every_silent_stream_reaches_the_model(serve: Any, emulator: BedrockEmulator) -> None:
    """No stream waits for another one's model (a thread for each would stop at six), and cancelling closes them all."""
    server = await serve(**MANY)
    await emulator.state.wait_for(lambda state: state.open_streams == 0, 60.0)
    few = asyncio.Semaphore(20)

    async def ask() -> str:
        async with few:
            return str(await server.say(await server.new_session(), "silence"))

    runs = await asyncio.gather(*(ask() for _ in range(SILENT)))
    await emulator.state.wait_for(lambda state: state.open_streams == SILENT, 120.0)

    async def cancel(run: str) -> None:
        async with few:
            assert (await server.client.post(f"/v1/runs/{run}/cancel")).status_code == 202

    await asyncio.gather(*(cancel(run) for run in runs))
    await emulator.state.wait_for(lambda state: state.open_streams == 0, 120.0)
    print(f"{SILENT} silent streams, all of them at the model")  # noqa: T201


async def test_idle_streams_cost_little_and_are_told_what_happens(serve: Any, reader: Any) -> None:
    """Server and client are two processes. Each stream of a feed costs at most 30 KB; all of one session are told of
    the message that comes at last."""
    server = await serve(**MANY)
    session, quiet = await server.new_session(), await server.new_session()
    warm = reader(await server.say(quiet, "say 2 0"))
    await warm.read_to_end([server])
    process = psutil.Process(server.pid)
    before = 0
    async with AsyncExitStack() as stack:
        open_: list[httpx.Response] = []
        for n in range(USED + IDLE):
            before = process.memory_info().rss if n == USED else before
            at = session if n < 20 else quiet
            response = await stack.enter_async_context(
                server.client.stream("GET", f"/v1/sessions/{at}/events", params={"after": 0 if at == session else 99})
            )
            assert response.status_code == 200, await response.aread()
            open_.append(response)
        more = (process.memory_info().rss - before) / 1e6
        assert (await server.client.get("/readyz")).status_code == 200
        await server.say(session, "say 2 0")

        async def told(response: httpx.Response) -> bool:
            async for line in response.aiter_lines():
                if line == "event: run.ended":
                    return True
            return False

        async with asyncio.timeout(120):
            assert all(await asyncio.gather(*(told(response) for response in open_[:20])))
    print(f"{IDLE} idle streams: {more:.0f} MB more")  # noqa: T201
    assert more < SLACK_MEGABYTES + IDLE * MEGABYTES_EACH
