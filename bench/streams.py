"""Many streams at once, against `penny serve` in a process of its own: idle readers, silent models, replies that arrive
at a rate or at one instant.

`python -m bench.streams` measures all three, `python -m bench.streams idle` (or `silent`, `replies`) the ones that are
named. The counts are STREAMS_IDLE (10,000), STREAMS_SILENT (500) and STREAMS_REPLIES (300). The limit of open files is
raised as far as it goes: 10,000 readers take as many at either end.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import time
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import psutil

from api.auth import mint
from bench.first_token import started
from bench.record import record
from bench.service import end, new_home, open_files, penny
from domain.clock import SystemClock
from penny.keys import dev_key

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

IDLE = int(os.environ.get("STREAMS_IDLE", "10000"))
SILENT = int(os.environ.get("STREAMS_SILENT", "500"))
REPLIES = int(os.environ.get("STREAMS_REPLIES", "300"))
TOKENS, TOKEN_SECONDS = 200, 0.02
SETTLE_SECONDS = 3.0


class Service:
    """The service, as its users; `refused` counts answers that said to come again, which was done."""

    def __init__(self, http: aiohttp.ClientSession, url: str, upstream: str, key: bytes) -> None:
        self.http, self.url, self.upstream, self.key = http, url, upstream, key
        self.refused = 0

    def headers(self, user: int) -> dict[str, str]:
        """The token of a user of this number."""
        token = mint(self.key, f"bench {user}", 3600, audience="penny", clock=SystemClock())
        return {"Authorization": f"Bearer {token}", "Accept": "text/event-stream"}

    async def session(self, user: int) -> str:
        """A new session's id."""
        async with self.http.post(f"{self.url}/v1/sessions", json={}, headers=self.headers(user)) as made:
            assert made.status == 201, await made.text()
            return str((await made.json())["id"])

    async def reply(self, user: int, session: str) -> tuple[float, float]:
        """Says something and reads the reply; the seconds to its first text and to its end."""
        began, first, headers = time.perf_counter(), 0.0, self.headers(user)
        while True:
            async with self.http.post(
                f"{self.url}/v1/sessions/{session}/messages", json={"text": "talk"}, headers=headers
            ) as response:
                if response.status == 503:
                    self.refused += 1
                    await asyncio.sleep(float(response.headers["Retry-After"]))
                    continue
                assert response.status == 200, await response.text()
                async for data in response.content.iter_any():
                    if not first and b"event: text.delta" in data:
                        first = time.perf_counter() - began
            return first, time.perf_counter() - began

    def memory(self) -> float:
        """MB that the server's processes hold."""
        port = int(self.url.rpartition(":")[2])
        owner = next(c.pid for c in psutil.net_connections("tcp") if c.status == "LISTEN" and c.laddr.port == port)
        assert owner is not None
        return psutil.Process(owner).memory_info().rss / 1e6


@asynccontextmanager
async def service(turn: dict[str, Any]) -> AsyncIterator[Service]:
    """A service whose model always plays this turn."""
    home = new_home()
    async with AsyncExitStack() as stack:
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        path = Path(home) / "script.json"
        path.write_text(json.dumps({"then": "repeat_last", "turns": [turn]}))
        emulator, upstream = await started(path)
        stack.push_async_callback(end, emulator)
        url = await penny(stack, upstream, home)
        http = await stack.enter_async_context(
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=None))
        )
        yield Service(http, url, upstream, dev_key(home))


async def idle(count: int) -> None:
    """Readers of feeds in which nothing happens: memory for each, and how a probe fares meanwhile."""
    async with service({"text": "word"}) as to:
        sessions = [await to.session(n) for n in range(50)]
        await to.reply(0, sessions[0])
        before = to.memory()
        open_: list[aiohttp.ClientResponse] = []

        async def follow(n: int) -> None:
            url, headers = f"{to.url}/v1/sessions/{sessions[n % 50]}/events", to.headers(n % 50)
            while (response := await to.http.get(url, headers=headers)).status == 503:  # noqa: ASYNC110
                await asyncio.sleep(float(response.headers["Retry-After"]))
            assert response.status == 200, await response.text()
            open_.append(response)

        for start in range(0, count, 100):
            await asyncio.gather(*(follow(n) for n in range(start, min(start + 100, count))))
        await asyncio.sleep(SETTLE_SECONDS)
        more, probes = to.memory() - before, []
        for _ in range(40):
            began = time.perf_counter()
            async with to.http.get(f"{to.url}/healthz"):
                probes.append((time.perf_counter() - began) * 1000)
            await asyncio.sleep(0.05)
        if count == 10_000:
            record("streams.idle.mb", more)
        print(f"{count:,} idle streams: {more:.0f} MB more, {more * 1000 / count:.0f} KB each; "
              f"a probe's p95 {sorted(probes)[-2]:.0f} ms")  # fmt: skip
        for response in open_:
            response.close()


async def silent(count: int) -> None:
    """Replies whose model says nothing: how many reach it."""
    async with service({"text": "word", "fault": {"kind": "hang"}}) as to:
        sessions = [await to.session(n) for n in range(count)]
        before, began = to.memory(), time.perf_counter()
        waiting = [asyncio.create_task(to.reply(n, session)) for n, session in enumerate(sessions)]
        reached = 0
        while reached < count and time.perf_counter() - began < 60:
            await asyncio.sleep(0.1)
            async with to.http.get(f"{to.upstream}/emulator/state") as state:
                reached = int((await state.json())["open_streams"])
        took, each = time.perf_counter() - began, (to.memory() - before) * 1000 / count
        print(f"{count} silent streams: {reached} reached the model, {took:.1f} s after they began; {each:.0f} KB each")
        record("streams.silent.reached", reached)
        record("streams.silent.kb", each)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def replies(count: int) -> None:
    """Replies of 200 tokens, 20 ms apart: arriving at 30 a second, and at one instant."""
    ideal = TOKENS * TOKEN_SECONDS
    async with service({"text": "word " * TOKENS, "token_delay": TOKEN_SECONDS}) as to:
        sessions = [await to.session(n) for n in range(count)]
        await to.reply(0, sessions[0])
        for name, rate in (("at 30 a second", 30.0), ("at one instant", 0.0)):

            async def arrive(n: int, rate: float = rate) -> tuple[float, float]:
                await asyncio.sleep(n / rate if rate else 0)
                return await to.reply(n, sessions[n])

            to.refused = 0
            seen = await asyncio.gather(*(arrive(n) for n in range(count)))
            first, whole = (sorted(column) for column in zip(*seen, strict=True))
            p95 = int(count * 0.95)
            record(f"streams.{'paced' if rate else 'burst'}.first", first[p95])
            record(f"streams.{'paced' if rate else 'burst'}.of_ideal", whole[p95] / ideal)
            print(f"{count} replies {name}: first text p50 {first[count // 2]:.2f} s, p95 {first[p95]:.2f} s; "
                  f"whole p95 {whole[p95]:.2f} s, {whole[p95] / ideal:.2f} of ideal; "
                  f"{to.refused} refused and repeated")  # fmt: skip


PARTS = {
    "silent": lambda: silent(SILENT),
    "replies": lambda: replies(REPLIES),
    "idle": lambda: idle(IDLE),
}


async def main(parts: list[str]) -> None:
    """Prints the figures of these parts."""
    open_files()
    for part in parts:
        await PARTS[part]()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.streams", description=__doc__.partition("\n\n")[0])
    parser.add_argument("parts", nargs="*", metavar="part", help=f"{', '.join(PARTS)}; without any all of them")
    chosen = parser.parse_args().parts or list(PARTS)
    if unknown := [part for part in chosen if part not in PARTS]:
        parser.error(f"there is no part {unknown[0]}; the parts are {', '.join(PARTS)}")
    asyncio.run(main(chosen))
