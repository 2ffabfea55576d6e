"""What a streamed token costs the service's process, beside the raw relay and the stock stack in the same run.

`python -m bench.tokens` measures 1 to 1,000 replies at 50 tokens a second; `--streams 100` fewer, `--without stock`
without the stock stack, whose streams wait for each other in six threads. CPU is that of the serving process for whole
replies, the turn around them included, with its database's beside it; pace is how long a reply took beside the time
its tokens are sent in; a stall is the pause between two texts that a client sees.
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
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import aiohttp
import psutil

from bench.first_token import started
from bench.record import quick, record
from bench.service import KEYS, end, new_home, open_files, served, told
from bench.targets import STREAMS
from bench.wires import WIRES

DELAY = 0.02
ARRIVE = 30
"""Replies that begin in a second."""

SHORT = 100
"""Tokens of a reply of the stock stack: its streams wait for each other."""

ROUNDS = 2

LONGEST = 1000
"""Tokens of a reply at most, however many there are."""


@dataclass(frozen=True)
class Reply:
    """Seconds to its first text and to its end, and between its texts."""

    first: float
    whole: float
    pauses: tuple[float, ...]


Once = Callable[[], Awaitable[Reply]]


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
    beside the time its tokens are sent in; milliseconds between its texts."""

    cpu: float
    database: float
    first: float
    pace: float
    stalls: dict[str, float]
    streaming: float | None
    """Microseconds a token while all replies are under way, none beginning or ending, if there is such a time."""


async def measured(server: Server, streams: int) -> Seen:
    """`streams` replies that begin one after another, read to their end."""

    async def after(delay: float) -> Reply:
        await asyncio.sleep(delay)
        return await server.once()

    before = server.cpu()
    *took, flowing = await asyncio.gather(*(after(n / ARRIVE) for n in range(streams)), _streaming(server, streams))
    used = [now - then for now, then in zip(server.cpu(), before, strict=True)]
    firsts = sorted(reply.first for reply in took)
    pauses = sorted(pause * 1000 for reply in took for pause in reply.pauses) or [0.0]
    stalls = {f"p{p}": pauses[min(len(pauses) * p // 100, len(pauses) - 1)] for p in (50, 95, 99)}
    each = 1e6 / (streams * server.tokens)
    pace = statistics.median(reply.whole for reply in took) / (server.tokens * DELAY)
    return Seen(used[0] * each, used[1] * each, firsts[int(len(firsts) * 0.95)], pace, stalls, flowing)


async def _streaming(server: Server, streams: int) -> float | None:
    """Microseconds a token between the last reply's beginning and the first one's end, at the pace of the model."""
    start, stop = streams / ARRIVE + 0.5, server.tokens * DELAY - 0.2
    if stop - start < 1:
        return None
    await asyncio.sleep(start)
    before, began = server.cpu()[0], time.perf_counter()
    await asyncio.sleep(stop - start)
    return (server.cpu()[0] - before) * 1e6 / (streams * (time.perf_counter() - began) / DELAY)


async def read(answer: aiohttp.ClientResponse, began: float, mark: bytes) -> Reply:
    """Reads a reply to its end; `mark` stands in each of its texts."""
    first = last = 0.0
    pauses = []
    async for data in answer.content.iter_any():
        if mark in data:
            now = time.perf_counter()
            first = first or now - began
            pauses += [now - last] if last else []
            last = now
    return Reply(first, time.perf_counter() - began, tuple(pauses))


async def uvicorn(stack: AsyncExitStack, app: str, upstream: str) -> tuple[psutil.Process, str]:
    """A running ASGI application, and its URL."""
    env = {**os.environ, **KEYS, "UPSTREAM": upstream, "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": upstream}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "uvicorn", app, "--port", "0", "--no-access-log", env=env, stderr=PIPE, stdout=DEVNULL
    )
    return psutil.Process(process.pid), await stack.enter_async_context(told(process, r"running on (http://\S+)"))


async def penny(stack: AsyncExitStack, upstream: str, home: Path) -> tuple[psutil.Process, str]:
    """A running `penny serve`, and its URL."""
    process, url = await served(stack, upstream, home)
    return psutil.Process(process.pid), url


async def main(counts: list[int], without: list[str]) -> None:
    """Prints the table, the median of the rounds."""
    open_files()
    print(
        f"{'streams':>8}{'':>8}{'us a token':>12}{'of relay':>10}{'database':>10}{'first p95':>11}{'pace':>7}  stalls"
    )
    for streams in counts:
        rounds = ROUNDS if streams <= 500 and not quick() else 1
        async with AsyncExitStack() as stack:
            servers = await _servers(stack, min(max(300, 2 * streams), LONGEST))
            seen: dict[str, list[Seen]] = {}
            for round_ in range(rounds):
                for server in servers:  # in turn, so that a busy machine disturbs all alike
                    if server.name in without or (streams != 100 and server.name in WIRES):
                        continue
                    if server.name == "stock" and (round_ or streams > 100 or quick()):
                        continue  # stock takes a minute, and its figure a token hardly moves
                    await server.once()
                    seen.setdefault(server.name, []).append(await measured(server, streams))
                    print(".", end="", file=sys.stderr, flush=True)
        print(file=sys.stderr)
        for name, figures in seen.items():
            _print(streams, name, figures, statistics.median(s.cpu for s in seen["relay"]))
        _record(streams, seen)


def _record(streams: int, seen: dict[str, list[Seen]]) -> None:
    """Notes each round's figures; ratios within the round, for both sides saw the same machine."""
    for name, figures in seen.items():
        for one in figures:
            record(f"tokens.cpu.{streams}.{name}", one.cpu)
            record(f"tokens.pace.{streams}.{name}", one.pace)
            record(f"tokens.first.{streams}.{name}", one.first)
            if one.streaming is not None:
                record(f"tokens.streaming.{streams}.{name}", one.streaming)
            for which, stall in one.stalls.items():
                record(f"tokens.stall.{which}.{streams}.{name}", stall)
    for ours, relay in zip(seen.get("penny", ()), seen["relay"], strict=False):
        record(f"tokens.of_relay.{streams}", ours.cpu / relay.cpu)
        if ours.streaming is not None and relay.streaming:
            record(f"tokens.streaming.of_relay.{streams}", ours.streaming / relay.streaming)
    for ours, stock in zip(seen.get("penny", ()), seen.get("stock", ()), strict=False):
        record(f"tokens.of_stock.{streams}", ours.cpu / stock.cpu)
    for wire in WIRES:
        for ours, native in zip(seen.get(wire, ()), seen.get("penny", ()), strict=False):
            record(f"tokens.of_native.{wire}", ours.cpu / native.cpu)


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
    flowing = [each.streaming for each in figures if each.streaming is not None]
    stalls = "/".join(f"{statistics.median(each.stalls[p] for each in figures):.0f}" for p in figures[0].stalls)
    print(
        f"{streams:>8}{name:>8}{cpu:>12.1f}{cpu / relay:>10.2f}{database:>10.1f}{first:>10.2f}s{pace:>7.2f}",
        f" {stalls} ms",
        *([f"; streaming alone {statistics.median(flowing):.1f} us"] if flowing else []),
        flush=True,
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

    async def through(url: str) -> Reply:
        began = time.perf_counter()
        async with http.post(url) as answer:
            assert answer.ok, await answer.text()
            return await read(answer, began, b"event: text.delta")

    async def through_penny() -> Reply:
        began = time.perf_counter()
        async with await post("/v1/sessions", {}) as made:
            session = (await made.json())["id"]
        async with await post(f"/v1/sessions/{session}/messages", {"text": "talk"}) as answer:
            return await read(answer, began, b"event: text.delta")

    async def through_wire(name: str) -> Reply:
        began, wire = time.perf_counter(), WIRES[name]
        async with await post(wire.path, wire.body("talk")) as answer:
            return await read(answer, began, wire.mark)

    return [
        Server("relay", relay_process, lambda: through(relay_url), tokens),
        Server("stock", stock_process, lambda: through(stock_url), SHORT),
        Server("penny", penny_process, through_penny, tokens),
        *(Server(name, penny_process, partial(through_wire, name), tokens) for name in WIRES),
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.tokens", description=__doc__)
    parser.add_argument("--streams", type=int, nargs="*", default=[100] if quick() else list(STREAMS))
    parser.add_argument("--without", nargs="*", default=[], choices=["stock", "penny", *WIRES])
    options = parser.parse_args()
    asyncio.run(main(options.streams, options.without))
