"""Whether a service that is used for long keeps what it does not need: memory, open files and threads over many turns.

`python -m bench.soak --minutes 30`. A few people talk all the time, with look-ups and plain replies; now and then one
leaves in the middle, begins a new session, lists or exports. What the process holds is looked at every few seconds.
The first third is warming up; over the rest a line is laid through memory (least squares), and the program ends with 1
when it climbs more than the bound, or when files or threads do.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import statistics
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass

import aiohttp
import psutil

from bench.first_token import started
from bench.service import end, new_home, served
from bench.turns import SCRIPTS

PEOPLE, PAUSE_SECONDS = 6, 0.2
SECONDS_BETWEEN_LOOKS = 5.0
LEAVES_EVERY, EXPORTS_EVERY, STAYS = 7, 25, 40
"""Every so manyeth turn of a person ends early or comes with an export; so many turns before the next session."""

MEGABYTES_A_THOUSAND = 3.0
"""How much memory may climb in a thousand turns. A leak of one message of a few kilobytes a turn is more."""

MORE_FILES, MORE_THREADS = 20, 8


@dataclass(frozen=True, slots=True)
class Look:
    """What the service holds after so many turns: megabytes, open files, threads."""

    turns: int
    memory: float
    files: int
    threads: int


@dataclass
class Soak:
    """One service under use."""

    http: aiohttp.ClientSession
    url: str
    headers: dict[str, str]
    process: psutil.Process
    turns: int = 0
    left: int = 0

    async def person(self, until_: float) -> None:
        """Talks until then; every turn is a whole one or is left in its middle."""
        mine = 0
        while time.monotonic() < until_:
            async with self.http.post(f"{self.url}/v1/sessions", json={}, headers=self.headers) as made:
                session = (await made.json())["id"]
            for _ in range(STAYS):
                if time.monotonic() >= until_:
                    return
                mine += 1
                await self._turn(session, leaves=mine % LEAVES_EVERY == 0)
                if mine % EXPORTS_EVERY == 0:
                    for path in ("/v1/export?format=csv", "/v1/sessions", f"/v1/sessions/{session}/messages"):
                        async with self.http.get(self.url + path, headers=self.headers) as answer:
                            await answer.read()

    async def _turn(self, session: str, *, leaves: bool) -> None:
        url, body = f"{self.url}/v1/sessions/{session}/messages", {"text": "what did I spend on groceries?"}
        stream = {**self.headers, "Accept": "text/event-stream"}
        async with self.http.post(url, json=body, headers=stream) as reply:
            assert reply.status == 200, await reply.text()
            if leaves:
                await reply.content.readany()
                reply.close()
                self.left += 1
            else:
                await reply.read()
        self.turns += 1
        await asyncio.sleep(PAUSE_SECONDS)

    def look(self) -> Look:
        """The process and what it started, as they are now."""
        held = [self.process, *self.process.children(recursive=True)]
        held = [one for one in held if "postgres" not in one.name()]
        return Look(
            self.turns,
            sum(one.memory_info().rss for one in held) / 1e6,
            sum(one.num_fds() for one in held),
            sum(one.num_threads() for one in held),
        )


async def soak(minutes: float) -> list[Look]:
    """So many minutes of use, and what was held meanwhile."""
    home = new_home()
    async with AsyncExitStack() as stack:
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        script = home / "script.json"
        script.write_text(json.dumps({"then": "cycle", "turns": SCRIPTS["with a tool"]}))
        emulator, upstream = await started(script)
        stack.push_async_callback(end, emulator)
        process, url = await served(stack, upstream, home)
        http = await stack.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
        async with http.get(f"{url}/dev/token") as answer:
            headers = {"Authorization": f"Bearer {(await answer.json())['token']}"}
        used = Soak(http, url, headers, psutil.Process(process.pid))
        ends = time.monotonic() + minutes * 60
        people = [asyncio.create_task(used.person(ends)) for _ in range(PEOPLE)]
        looks = []
        while time.monotonic() < ends:
            await asyncio.sleep(SECONDS_BETWEEN_LOOKS)
            looks.append(used.look())
            if len(looks) % 12 == 0:
                now = looks[-1]
                print(
                    f"{now.turns:>8} turns {now.memory:8.1f} MB {now.files:>5} files {now.threads:>4} threads",
                    flush=True,
                )
        await asyncio.gather(*people)
        print(f"{used.turns} turns, {used.left} of them left in their middle; load {os.getloadavg()[0]:.1f}")
    return looks


def judged(looks: list[Look]) -> list[str]:
    """What grew that must not, in words."""
    settled = looks[len(looks) // 3 :]
    slope = (
        statistics.linear_regression([look.turns for look in settled], [look.memory for look in settled]).slope * 1000
    )
    middle = len(settled) // 2
    files, threads = (
        max(getattr(look, what) for look in settled[middle:]) - max(getattr(look, what) for look in settled[:middle])
        for what in ("files", "threads")
    )
    print(f"memory {slope:+.2f} MB in a thousand turns, {files:+d} files, {threads:+d} threads")
    grew = []
    if slope > MEGABYTES_A_THOUSAND:
        grew.append(f"memory climbs {slope:.2f} MB in a thousand turns; {MEGABYTES_A_THOUSAND} is the bound")
    if files > MORE_FILES:
        grew.append(f"{files} more files are open in the second half than in the first")
    if threads > MORE_THREADS:
        grew.append(f"there are {threads} more threads in the second half than in the first")
    return grew


def main() -> None:
    """Prints what is held, and ends with 1 when it grew."""
    parser = argparse.ArgumentParser(prog="bench.soak")
    parser.add_argument("--minutes", type=float, default=30.0)
    grew = judged(asyncio.run(soak(parser.parse_args().minutes)))
    if grew:
        raise SystemExit("; ".join(grew))


if __name__ == "__main__":
    main()
