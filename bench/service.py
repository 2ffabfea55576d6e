"""The whole service beside the raw relay: what signing, parsing, the graph, the log and the ledger add.

`python -m bench.service`. The emulator, the relay and `penny serve` have a process each; everything is persisted.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import resource
import shutil
import statistics
import sys
import tempfile
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp

from bench.first_token import started
from bench.record import quick, record
from bench.relay import MODEL

ROUNDS = 30
TOKENS = 20
STREAMS = 100
READY = r"ready: (http://\S+)"
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}

Once = Callable[[], Awaitable[tuple[float, float]]]
"""One reply read to its end; the seconds to its first text and to its end."""


async def until(stream: asyncio.StreamReader, pattern: str) -> str:
    """The first group of the first line that matches."""
    while line := (await stream.readline()).decode():
        if found := re.search(pattern, line):
            return found[1]
    raise SystemExit(f"the process ended before it said {pattern}")


async def relay(stack: AsyncExitStack, upstream: str) -> str:
    """A running relay's URL."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "uvicorn", "bench.relay:app", "--port", "0", "--no-access-log",
        env={**os.environ, "UPSTREAM": upstream}, stderr=PIPE, stdout=DEVNULL,
    )  # fmt: skip
    return await stack.enter_async_context(told(process, r"running on (http://\S+)"))


def environment(upstream: str, home: Path) -> dict[str, str]:
    """What a service is started with: the emulator as its Bedrock, no limits on the one user that sends all of it."""
    return {
        **os.environ,
        **KEYS,
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": upstream,
        "PENNY_HOME": str(home),
        "PENNY_MODEL": f"bedrock:{MODEL}",
        "PENNY_DRAIN_SECONDS": "5",  # a silent model would have its end waited for
        "PENNY_LIMITS_RUNS": "1000",
        "PENNY_LIMITS_RUNS_PER_USER": "1000",
        "PENNY_LIMITS_TOKENS_DAY": "0",
        "PENNY_LIMITS_REQUESTS_PER_USER": "0",
        "PENNY_LIMITS_REQUESTS_PER_ADDRESS": "0",
        "PENNY_LIMITS_OPEN_PER_USER": "0",
        "PENNY_LIMITS_OPEN_PER_ADDRESS": "0",
    }


async def penny(stack: AsyncExitStack, upstream: str, home: Path) -> str:
    """A running service's URL."""
    return (await served(stack, upstream, home))[1]


async def served(stack: AsyncExitStack, upstream: str, home: Path) -> tuple[Process, str]:
    """A running service and its URL."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "penny", "serve", "--port", "0", "--sample",
        env=environment(upstream, home), stderr=PIPE, stdout=DEVNULL,
    )  # fmt: skip
    return process, await stack.enter_async_context(told(process, READY))


@asynccontextmanager
async def told(process: Process, pattern: str) -> AsyncIterator[str]:
    """What the process says of itself in a line of that pattern; at last it is ended. What it logs is read until then:
    with a full pipe it would wait for us, and we for the end of that pipe."""
    assert process.stderr is not None
    reading = None
    try:
        said = await until(process.stderr, pattern)
        reading = asyncio.create_task(process.stderr.read())
        yield said
    finally:
        await end(process)
        if reading is not None:
            await reading


async def end(process: Process) -> None:
    """Ends a process and waits for it."""
    if process.returncode is None:
        process.terminate()
    await process.wait()


async def read(http: aiohttp.ClientSession, url: str, **request: object) -> tuple[float, float]:
    """Posts and reads events to the end."""
    began, first = time.perf_counter(), 0.0
    async with http.post(url, **request) as response:  # type: ignore[arg-type]
        assert response.status == 200, await response.text()
        async for data in response.content.iter_any():
            if not first and b"event: text.delta" in data:
                first = time.perf_counter() - began
    return first, time.perf_counter() - began


def open_files() -> None:
    """Raises the limit of open files as far as it goes, for this process and those that it starts."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def new_home() -> Path:
    """A PENNY_HOME that PostgreSQL's account can reach, when this runs as root too."""
    home = Path(tempfile.mkdtemp(prefix="penny-bench-"))
    home.chmod(0o755)
    return home


async def main() -> None:
    """Prints the table."""
    script = {"then": "repeat_last", "turns": [{"text": "word " * TOKENS, "token_delay": 0.02}]}
    home = new_home()
    async with AsyncExitStack() as stack:
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        path = home / "script.json"
        path.write_text(json.dumps(script))
        emulator, upstream = await started(path)
        stack.push_async_callback(end, emulator)
        http = await stack.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
        relay_url, penny_url = await relay(stack, upstream), await penny(stack, upstream, home)
        async with http.get(f"{penny_url}/dev/token") as answer:
            token = (await answer.json())["token"]
        headers = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream"}

        async def through_relay() -> tuple[float, float]:
            return await read(http, relay_url)

        async def through_penny() -> tuple[float, float]:
            async with http.post(f"{penny_url}/v1/sessions", json={}, headers=headers) as made:
                session = (await made.json())["id"]
            return await read(
                http, f"{penny_url}/v1/sessions/{session}/messages", json={"text": "talk"}, headers=headers
            )

        print(f"{'replies':>10}{'':>8}{'relay ms':>10}{'penny ms':>10}{'added ms':>10}{'ratio':>8}")
        for streams, rounds in ((1, ROUNDS // 3 if quick() else ROUNDS), (STREAMS, 1 if quick() else 2)):
            seen: dict[Once, list[tuple[float, float]]] = {through_relay: [], through_penny: []}
            for once in seen:
                await once()
            for _ in range(rounds):  # turn by turn, so that a busy machine disturbs both alike
                for once, figures in seen.items():
                    figures += await asyncio.gather(*(once() for _ in range(streams)))
            for n, what in enumerate(("first", "whole")):
                base, full = (statistics.median(f[n] for f in figures) * 1000 for figures in seen.values())
                print(f"{streams:>10}{what:>8}{base:>10.1f}{full:>10.1f}{full - base:>10.1f}{full / base:>8.2f}")
                if streams == 1 and what == "first":
                    record("service.added_ms", full - base)


if __name__ == "__main__":
    asyncio.run(main())
