"""What a streamed token costs the service's process, beside the raw relay and the stock stack in the same run.

`python -m bench.tokens` measures 100 and 500 streams at 50 tokens a second; `--streams 100` fewer, `--without stock`
without the stock stack, whose streams wait for each other in six threads. CPU is that of the serving process, with its
database's beside it; pace is how long a reply took beside the time its tokens are sent in.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import statistics
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import psutil

from bench.first_token import started
from bench.relay import MODEL
from bench.service import KEYS, end, new_home, read, until

DELAY = 0.02
ARRIVE = 30
"""Replies that begin in a second."""

SHORT = 100
"""Tokens of a reply of the stock stack: its streams wait for each other."""

ROUNDS = 2

Once = Callable[[], Awaitable[tuple[float, float]]]


@dataclass(frozen=True)
class Server:
    """A service under test: its process, and one reply from it."""

    name: str
    process: psutil.Process
    once: Once
    tokens: int

    def cpu(self) -> tuple[float, float]:
        """Seconds that the process has used, and those of its database."""
        own = self.process.cpu_times()
        children = 0.0
        for child in self.process.children(recursive=True):
            try:
                times = child.cpu_times()
            except psutil.NoSuchProcess:
                continue
            children += times.user + times.system
        return own.user + own.system, children


@dataclass(frozen=True)
class Seen:
    """Microseconds of CPU a token, of the process and of its database; seconds to the first text (p95) and to the end
    beside the time its tokens are sent in."""

    cpu: float
    database: float
    first: float
    pace: float


async def measured(server: Server, streams: int) -> Seen:
    """`streams` replies that begin one after another, read to their end."""

    async def after(delay: float) -> tuple[float, float]:
        await asyncio.sleep(delay)
        return await server.once()

    before = server.cpu()
    took = await asyncio.gather(*(after(n / ARRIVE) for n in range(streams)))
    used = [now - then for now, then in zip(server.cpu(), before, strict=True)]
    firsts = sorted(first for first, _ in took)
    each = 1e6 / (streams * server.tokens)
    pace = statistics.median(whole for _, whole in took) / (server.tokens * DELAY)
    return Seen(used[0] * each, used[1] * each, firsts[int(len(firsts) * 0.95)], pace)


async def uvicorn(stack: AsyncExitStack, app: str, upstream: str) -> tuple[psutil.Process, str]:
    """A running ASGI application, and its URL."""
    env = {**os.environ, **KEYS, "UPSTREAM": upstream, "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": upstream}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "uvicorn", app, "--port", "0", "--no-access-log", env=env, stderr=PIPE, stdout=DEVNULL
    )
    stack.push_async_callback(end, process)
    assert process.stderr is not None
    url = await until(process.stderr, r"running on (http://\S+)")
    stack.callback(_drained(process).cancel)
    return psutil.Process(process.pid), url


async def penny(stack: AsyncExitStack, upstream: str, home: Path) -> tuple[psutil.Process, str]:
    """A running `penny serve`, and its URL."""
    env = {**os.environ, **KEYS, "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": upstream, "PENNY_HOME": str(home)}
    env |= {"PENNY_MODEL": f"bedrock:{MODEL}", "PENNY_LIMITS_RUNS_PER_USER": "1000", "PENNY_LIMITS_RUNS": "1000"}
    env |= {"PENNY_LIMITS_TOKENS_DAY": "0"}  # one user sends all of it
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "penny", "serve", "--port", "0", "--sample", env=env, stderr=PIPE, stdout=DEVNULL
    )
    stack.push_async_callback(end, process)
    assert process.stderr is not None
    url = await until(process.stderr, r"ready: (http://\S+)")
    stack.callback(_drained(process).cancel)
    return psutil.Process(process.pid), url


def _drained(process: Process) -> asyncio.Task[bytes]:
    """Reads what the process logs, so that it never waits for us."""
    assert process.stderr is not None
    return asyncio.create_task(process.stderr.read())


async def main(counts: list[int], without: list[str]) -> None:
    """Prints the table, the median of the rounds."""
    print(f"{'streams':>8}{'':>8}{'us a token':>12}{'of relay':>10}{'database':>10}{'first p95':>11}{'pace':>7}")
    for streams in counts:
        async with AsyncExitStack() as stack:
            servers = await _servers(stack, max(300, 2 * streams))
            seen: dict[str, list[Seen]] = {}
            for round_ in range(ROUNDS):
                for server in servers:  # in turn, so that a busy machine disturbs all alike
                    if server.name in without or (server.name == "stock" and (round_ or streams > 100)):
                        continue  # stock takes a minute, and its figure a token hardly moves
                    await server.once()
                    seen.setdefault(server.name, []).append(await measured(server, streams))
                    print(".", end="", file=sys.stderr, flush=True)
        for name, figures in seen.items():
            _print(streams, name, figures, statistics.median(s.cpu for s in seen["relay"]))


async def emulating(stack: AsyncExitStack, home: Path, tokens: int) -> str:
    """The URL of an emulator of its own process whose replies have so many tokens."""
    path = home / f"{tokens}.json"
    turn = {"text": "word " * tokens, "token_delay": DELAY}
    path.write_text(json.dumps({"then": "repeat_last", "turns": [turn]}))
    emulator, url = await started(path)
    stack.push_async_callback(end, emulator)
    return url


def _print(streams: int, name: str, figures: list[Seen], relay: float) -> None:
    cpu, database, first, pace = (
        statistics.median(getattr(each, what) for each in figures) for what in ("cpu", "database", "first", "pace")
    )
    print(
        f"{streams:>8}{name:>8}{cpu:>12.1f}{cpu / relay:>10.2f}{database:>10.1f}{first:>10.2f}s{pace:>7.2f}", flush=True
    )


async def _servers(stack: AsyncExitStack, tokens: int) -> list[Server]:
    """The relay, the stock stack and Penny, on emulators whose replies are long enough for all streams to overlap."""
    home = new_home()
    stack.callback(shutil.rmtree, home, ignore_errors=True)
    http = await stack.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
    upstream, brief = await emulating(stack, home, tokens), await emulating(stack, home, SHORT)
    relay_process, relay_url = await uvicorn(stack, "bench.relay:app", upstream)
    stock_process, stock_url = await uvicorn(stack, "bench.stock:app", brief)
    penny_process, penny_url = await penny(stack, upstream, home)
    async with http.get(f"{penny_url}/dev/token") as answer:
        token = (await answer.json())["token"]
    headers = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream"}

    async def post(path: str, body: object) -> aiohttp.ClientResponse:
        while True:
            answer = await http.post(f"{penny_url}{path}", json=body, headers=headers)
            if answer.status != 503:
                assert answer.ok, await answer.text()
                return answer
            answer.release()
            await asyncio.sleep(1)  # as Retry-After says: a machine that others use may be that slow

    async def through_penny() -> tuple[float, float]:
        began, first = time.perf_counter(), 0.0
        async with await post("/v1/sessions", {}) as made:
            session = (await made.json())["id"]
        async with await post(f"/v1/sessions/{session}/messages", {"text": "talk"}) as reply:
            async for data in reply.content.iter_any():
                if not first and b"event: text.delta" in data:
                    first = time.perf_counter() - began
        return first, time.perf_counter() - began

    return [
        Server("relay", relay_process, lambda: read(http, relay_url), tokens),
        Server("stock", stock_process, lambda: read(http, stock_url), SHORT),
        Server("penny", penny_process, through_penny, tokens),
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.tokens", description=__doc__)
    parser.add_argument("--streams", type=int, nargs="*", default=[100, 500])
    parser.add_argument("--without", nargs="*", default=[], choices=["stock", "penny"])
    options = parser.parse_args()
    asyncio.run(main(options.streams, options.without))
