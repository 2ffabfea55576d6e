"""Servers in processes of their own on one database, the wire of Bedrock behind them, and a person who reads."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import random
import re
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import psutil
import pytest
from log_scan import LogScan, python_path

from db.embedded import Server as Cluster
from db.embedded import embedded
from db.migrate import migrate
from lab.bedrock_emulator import BedrockEmulator
from lab.bedrock_emulator.script import Hang, ToolUse, Turn

ROOT = Path(__file__).parents[2]
MODEL = "bedrock:anthropic.claude-sonnet-4-20250514-v1:0"
TERMINAL = ("run.finished", "run.failed", "run.cancelled")


@pytest.fixture(scope="session")
def home() -> Iterator[Path]:
    """The PENNY_HOME of all servers: the development key, the cluster, the logs."""
    path = Path(tempfile.mkdtemp(prefix="penny-test-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
async def cluster(home: Path, log_scan: LogScan) -> AsyncIterator[Cluster]:
    """A PostgreSQL of these tests' own, for they restart it."""
    async with embedded(home, durable=False) as running:
        await migrate(running.admin_url)
        yield running
        with contextlib.suppress(OSError, asyncpg.PostgresError):  # a test that failed may have left it stopped
            await log_scan.learn(running.admin_url)


@pytest.fixture
async def sql(cluster: Cluster) -> AsyncIterator[asyncpg.Pool]:
    """A superuser's connections, to look at everything."""
    pool = await asyncpg.create_pool(
        cluster.admin_url, min_size=1, max_size=4, server_settings={"search_path": "penny"}
    )
    yield pool
    pool.terminate()


@pytest.fixture
def chance(request: pytest.FixtureRequest) -> random.Random:
    """Seeded randomness; the seed is printed, and PYTEST_SEED repeats it."""
    seed = int(os.environ.get("PYTEST_SEED", random.SystemRandom().randrange(10**6)))
    print(f"{request.node.name}: seed {seed}")  # noqa: T201
    return random.Random(seed)


def answer(request: Any) -> Turn:
    """Claude, differently each time it is asked: "say 20 0.01" is twenty words ten milliseconds apart, "budget 123 ..."
    calls set_budget first and then goes on with "say"."""
    last = request["messages"][-1]["content"]
    results = [block["toolResult"] for block in last if "toolResult" in block]
    turns = [m for m in request["messages"] if m["role"] == "user" and any("text" in b for b in m["content"])]
    said = " ".join(block["text"] for block in turns[-1]["content"] if "text" in block).split("\n\n")[-1]
    budget = re.search(r"budget (\d+)", said)
    if budget and not results:
        call = ToolUse("set_budget", {"category": "dining", "amount": int(budget[1])})
        return Turn(f"Let me see {next(_calls)}.", (call,), token_delay=0.01)
    if said == "silence":
        return Turn("x", fault=Hang())
    count, delay = re.search(r"say (\d+) ([\d.]+)", said).groups()  # type: ignore[union-attr]
    call_no = next(_calls)
    return Turn(" ".join(f"{n}.{call_no}" for n in range(int(count))), token_delay=float(delay))


_calls = itertools.count()


@pytest.fixture(scope="session")
async def emulator() -> AsyncIterator[BedrockEmulator]:
    """Bedrock's wire."""
    async with BedrockEmulator(answer) as running:
        yield running


@dataclass
class Server:
    """A server process, and a client with the demo user's token."""

    pid: int
    url: str
    client: httpx.AsyncClient
    log: Path

    @property
    def alive(self) -> bool:
        """It runs, and is not merely waiting to be reaped; it may vanish between any two looks."""
        try:
            return psutil.Process(self.pid).status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    def signal(self, sig: int) -> None:
        os.kill(self.pid, sig)

    async def kill(self) -> None:
        if self.alive:
            self.signal(signal.SIGKILL)
        await self.gone()

    async def gone(self, seconds: float = 90.0) -> None:
        """Waits for the process to end."""
        async with asyncio.timeout(seconds):
            while self.alive:  # noqa: ASYNC110 -- it is no child of ours
                await asyncio.sleep(0.02)

    async def new_session(self) -> str:
        made = await self.client.post("/v1/sessions", json={})
        assert made.status_code == 201, made.text
        return str(made.json()["id"])

    async def send(self, session: str, text: str, client_id: str | None = None, **more: str) -> httpx.Response:
        """What the server says to a message; one that is too busy is asked again."""
        body = {"text": text, "client_id": client_id or uuid4().hex, **more}
        while True:
            sent = await self.client.post(
                f"/v1/sessions/{session}/messages", json=body, headers={"Prefer": "respond-async"}
            )
            if sent.status_code != 503 or sent.json()["code"] != "pool_exhausted":
                return sent
            await asyncio.sleep(float(sent.headers["Retry-After"]))

    async def say(self, session: str, text: str, client_id: str | None = None, **more: str) -> str:
        """The id of the run that answers."""
        sent = await self.send(session, text, client_id, **more)
        assert sent.status_code == 202, sent.text
        return str(sent.json()["run_id"])


Start = Callable[..., Awaitable[Server]]


async def _client(url: str, known: str | None = None) -> httpx.AsyncClient:
    """A client of the server, once it answers; of one that dies before it does, with the `known` token."""
    client = httpx.AsyncClient(base_url=url, timeout=60, limits=httpx.Limits(max_connections=None))
    try:
        token = f"Bearer {(await client.get('/dev/token')).json()['token']}"
    except httpx.TransportError:
        if known is None:
            raise
        token = known
    client.headers["Authorization"] = token
    return client


def environment(home: Path, cluster: Cluster, emulator: BedrockEmulator, given: dict[str, str]) -> dict[str, str]:
    """What every server is told; leases are short."""
    return {
        "PENNY_HOME": str(home),
        "PENNY_DATABASE_URL": cluster.admin_url,
        "PENNY_MODEL": MODEL,
        "PENNY_LEASE_SECONDS": "1",
        "PENNY_LIMITS_TOKENS_DAY": "0",  # all these tests are one user's
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": emulator.url,
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "us-east-1",
        **given,
    }


@pytest.fixture(scope="session")
async def forks(home: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """The program that forks servers."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PENNY_", "AWS_"))}
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(Path(__file__).with_name("servers.py")),
        env={**kept, "PYTHONPATH": python_path(ROOT)}, cwd=home,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    yield process
    assert process.stdin is not None
    process.stdin.close()
    await process.wait()


@pytest.fixture
async def serve(
    home: Path, cluster: Cluster, emulator: BedrockEmulator, forks: asyncio.subprocess.Process
) -> AsyncIterator[Start]:
    """Starts a server as a fork: `await serve(crash=("end.stored", 1), PENNY_LEASE_SECONDS="2")`."""
    servers: list[Server] = []
    ordering = asyncio.Lock()

    async def start(*, crash: tuple[str, int] | None = None, skew: float = 0, **env: str) -> Server:
        assert forks.stdin is not None
        assert forks.stdout is not None
        log = home / f"{uuid4().hex}.log"
        told = environment(home, cluster, emulator, env)
        order = {"env": told, "log": str(log), "crash": crash, "skew": skew, "sample": True}
        async with ordering:
            forks.stdin.write(json.dumps(order).encode() + b"\n")
            made = json.loads(await forks.stdout.readline())
        url = f"http://127.0.0.1:{made['port']}"
        known = servers[0].client.headers["Authorization"] if servers else None
        server = Server(made["pid"], url, await _client(url, known), log)
        servers.append(server)
        return server

    yield start
    for server in servers:
        with contextlib.suppress(ProcessLookupError):
            server.signal(signal.SIGCONT)
        await server.kill()
        await server.client.aclose()


@pytest.fixture
async def penny_serve(home: Path, cluster: Cluster, emulator: BedrockEmulator) -> AsyncIterator[Start]:
    """Starts the real command, `penny serve`; its exit code is what `exits` gives."""
    started: list[tuple[Server, asyncio.subprocess.Process]] = []

    async def start(*arguments: str, **env: str) -> Server:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PENNY_", "AWS_"))}
        log = home / f"{uuid4().hex}.log"
        with log.open("wb") as out:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "penny", "serve", "--port", "0", "--sample", *arguments,
                env={**kept, "PYTHONPATH": python_path(ROOT), **environment(home, cluster, emulator, env)}, cwd=home,
                stderr=out, stdout=asyncio.subprocess.DEVNULL,
            )  # fmt: skip
        async with asyncio.timeout(90):
            while not (found := re.search(r"ready: (http://\S+)", log.read_text())):
                assert process.returncode is None, log.read_text()
                await asyncio.sleep(0.05)
        server = Server(process.pid, found[1], await _client(found[1]), log)
        started.append((server, process))
        return server

    yield start
    for server, process in started:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await server.client.aclose()


@dataclass
class Reader:
    """Follows one run from wherever it is served, resuming after the last event it saw."""

    run: str
    seen: dict[int, tuple[str, str]] = field(default_factory=dict)

    @property
    def ended(self) -> bool:
        return bool(self.seen) and self.seen[max(self.seen)][0] in TERMINAL

    @property
    def end(self) -> tuple[str, dict[str, Any]]:
        kind, data = self.seen[max(self.seen)]
        return kind, json.loads(data)

    async def read(self, server: Server, until: int = 10**9, after: int | None = None) -> None:
        """Reads on until so many events are known or the stream ends. Ids are dense, and none changes its content."""
        start = max(self.seen, default=0) if after is None else after
        expected = start + 1
        async with server.client.stream("GET", f"/v1/runs/{self.run}/events", params={"after": start}) as response:
            if response.status_code == 503:
                return  # busy: the caller asks again
            assert response.status_code == 200, await response.aread()
            seq, kind = 0, ""
            async for line in response.aiter_lines():
                if line.startswith("id: "):
                    seq = int(line[4:])
                elif line.startswith("event: "):
                    kind = line[7:]
                elif line.startswith("data: "):
                    assert seq == expected, f"{seq} came where {expected} was due"
                    expected += 1
                    assert self.seen.setdefault(seq, (kind, line[6:])) == (kind, line[6:]), "an id was used again"
                    if len(self.seen) >= until:
                        return

    async def read_to_end(self, servers: Sequence[Server], seconds: float = 150.0) -> None:
        """Reads on, at the next server whenever one fails, until the terminal event."""
        async with asyncio.timeout(seconds):
            for server in itertools.cycle(servers):
                with contextlib.suppress(httpx.TransportError):
                    await self.read(server)
                if self.ended:
                    return
                await asyncio.sleep(0.02)

    def text(self) -> str:
        """What a client that applies the events shows at the end."""
        shown = ""
        for seq in sorted(self.seen):
            kind, data = self.seen[seq]
            if kind == "text.delta":
                shown += json.loads(data)["text"]
            elif kind == "text.retracted":
                shown = shown[: json.loads(data)["keep"]]
        return shown

    def check(self) -> None:
        """The run finished, and its events fold to exactly the final text."""
        kind, data = self.end
        assert kind == "run.finished", data
        assert self.text() == data["text"]
        assert sorted(self.seen) == list(range(1, len(self.seen) + 1))


@pytest.fixture
def reader() -> type[Reader]:
    return Reader
