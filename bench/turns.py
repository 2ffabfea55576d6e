"""What one turn costs `penny serve`: CPU of its process and of its database, plain and with a tool that looks.

`python -m bench.turns`; `--beside DIR` measures another checkout in the same run, turn about, which a busy machine does
not mislead. Turns come one after another, over HTTP, from the emulator's model; servers, emulators and the client
are processes of their own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import statistics
import sys
from asyncio.subprocess import DEVNULL, PIPE
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import psutil

from bench.first_token import started
from bench.relay import MODEL
from bench.service import KEYS, end, new_home, until

ROUNDS = 12
TURNS = 25
"""Turns of one kind in a row, in one session."""

WORDS = "You spent $412.30 on groceries in November so far, a little less than in the same days of October."
LOOK = {"name": "get_spending", "input": {"by": "category", "category": "Groceries"}}
SCRIPTS: dict[str, list[dict[str, Any]]] = {
    "plain": [{"text": WORDS}],
    "with a tool": [{"tools": [LOOK]}, {"text": WORDS}],
}


@dataclass
class Served:
    """A running service of one checkout and one kind of turn; its process, and the milliseconds seen so far."""

    name: str
    kind: str
    process: psutil.Process
    postmaster: psutil.Process
    url: str
    token: str
    own: list[float] = field(default_factory=list)
    database: list[float] = field(default_factory=list)

    def cpu(self) -> tuple[float, float]:
        """Seconds that the process has used, and those of its database."""
        own = self.process.cpu_times()
        backends = [child.cpu_times() for child in self.postmaster.children()]
        return own.user + own.system, sum(t.user + t.system for t in backends)

    async def several(self, http: aiohttp.ClientSession) -> None:
        """So many turns in a new session, counted."""
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "text/event-stream"}
        async with http.post(f"{self.url}/v1/sessions", json={}, headers=headers) as made:
            session = (await made.json())["id"]
        before = self.cpu()
        for _ in range(TURNS):
            body = {"text": "what did I spend on groceries?"}
            async with http.post(f"{self.url}/v1/sessions/{session}/messages", json=body, headers=headers) as reply:
                told = await reply.read()
                assert b"event: run.finished" in told, told
        own, database = (now - then for now, then in zip(self.cpu(), before, strict=True))
        self.own.append(own / TURNS * 1000)
        self.database.append(database / TURNS * 1000)


async def served(stack: AsyncExitStack, http: aiohttp.ClientSession, checkout: Path, kind: str) -> Served:
    """A service from this checkout's code, with a home, a database and an emulator of its own."""
    home = new_home()
    stack.callback(shutil.rmtree, home, ignore_errors=True)
    script = home / "script.json"
    script.write_text(json.dumps({"then": "cycle", "turns": SCRIPTS[kind]}))
    emulator, upstream = await started(script)
    stack.push_async_callback(end, emulator)
    env = {**os.environ, **KEYS, "PENNY_HOME": str(home), "PENNY_MODEL": f"bedrock:{MODEL}"}
    env |= {
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": upstream,
        "PYTHONPATH": str(checkout),
        "PENNY_LIMITS_TOKENS_DAY": str(10**9),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "penny",
        "serve",
        "--port",
        "0",
        "--sample",
        env=env,
        cwd=home,
        stderr=PIPE,
        stdout=DEVNULL,
    )
    stack.push_async_callback(end, process)
    assert process.stderr is not None
    url = await until(process.stderr, r"ready: (http://\S+)")
    async with http.get(f"{url}/dev/token") as answer:
        token = (await answer.json())["token"]
    postmaster = int((home / "postgres" / "data" / "postmaster.pid").read_text().split()[0])
    return Served(checkout.name, kind, psutil.Process(process.pid), psutil.Process(postmaster), url, token)


async def main(checkouts: list[Path], kinds: list[str], rounds: int) -> None:
    """Prints the medians of the rounds, with the fastest round beside them."""
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession())
        services = [await served(stack, http, checkout, kind) for kind in kinds for checkout in checkouts]
        for service in services:
            await service.several(http)
            service.own.clear(), service.database.clear()
        for _ in range(rounds):
            for service in services:
                await service.several(http)
        print(f"load {os.getloadavg()[0]:.1f} at the end; CPU ms a turn, median (least) of {rounds} rounds of {TURNS}")
        print(f"{'a turn':<12}{'of':>12}{'service':>16}{'its database':>16}")
        for s in services:
            own, database = (f"{statistics.median(seen):.2f} ({min(seen):.2f})" for seen in (s.own, s.database))
            print(f"{s.kind:<12}{s.name:>12}{own:>16}{database:>16}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.turns", description=__doc__)
    parser.add_argument("--beside", type=Path, action="append", default=[])
    parser.add_argument("--kinds", nargs="*", default=list(SCRIPTS), choices=list(SCRIPTS))
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    here = Path(__file__).resolve().parents[1]
    asyncio.run(main([here, *(path.resolve() for path in options.beside)], options.kinds, options.rounds))
