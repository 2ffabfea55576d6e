"""The real program in processes of its own, and a person who talks to it over HTTP."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from log_scan import python_path

ROOT = Path(__file__).parents[2]
START_SECONDS = 90


@pytest.fixture
def home() -> AsyncIterator[Path]:
    """A PENNY_HOME that PostgreSQL's account can reach, when the tests run as root too."""
    path = Path(tempfile.mkdtemp(prefix="penny-home-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


def environment(home: Path, given: Mapping[str, str]) -> dict[str, str]:
    """This shell's environment without its PENNY_ and AWS_ names, with these."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PENNY_", "AWS_"))}
    return {**kept, "PENNY_HOME": str(home), "PYTHONPATH": python_path(ROOT), **given}


@pytest.fixture
def environment_of(home: Path) -> Callable[..., dict[str, str]]:
    """The environment of a process on this home: `environment_of(PENNY_MODEL=...)`."""
    return lambda **given: environment(home, given)


@dataclass
class Done:
    """A command that ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def penny(home: Path, tmp_path: Path) -> Callable[..., Awaitable[Done]]:
    """Runs the command line: `await penny("ask", "hi", PENNY_MODEL=...)`."""

    async def run(*arguments: str, stdin: str = "", **env: str) -> Done:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "penny", *arguments,
            env=environment(home, env), cwd=tmp_path,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, err = await process.communicate(stdin.encode())
        assert process.returncode is not None
        return Done(process.returncode, out.decode(), err.decode())

    return run


@dataclass
class Server:
    """A running `penny serve`, and a client with the demo user's token."""

    process: asyncio.subprocess.Process
    url: str
    client: httpx.AsyncClient
    said: list[str] = field(default_factory=list)

    async def new_session(self) -> str:
        made = await self.client.post("/v1/sessions", json={})
        assert made.status_code == 201, made.text
        return str(made.json()["id"])

    async def ask(self, session: str, text: str) -> dict[str, Any]:
        """One message, waited for: `{run_id, reply, figures, proposals, usage}`."""
        answer = await self.client.post(
            f"/v1/sessions/{session}/messages", json={"text": text}, headers={"Accept": "application/json"}
        )
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    async def stream(self, session: str, text: str) -> list[tuple[str, dict[str, Any]]]:
        """One message's events, as they come over the wire."""
        events: list[tuple[str, dict[str, Any]]] = []
        async with self.client.stream(
            "POST", f"/v1/sessions/{session}/messages", json={"text": text}, headers={"Accept": "text/event-stream"}
        ) as response:
            assert response.status_code == 200
            kind = ""
            async for line in response.aiter_lines():
                if line.startswith("event: "):
                    kind = line[7:]
                elif line.startswith("data: "):
                    events.append((kind, json.loads(line[6:])))
        return events

    async def stop(self, sig: int = signal.SIGTERM) -> int:
        """Ends the server; its exit code."""
        await self.client.aclose()
        if self.process.returncode is None:
            self.process.send_signal(sig)
        return await asyncio.wait_for(self.process.wait(), 60)


@pytest.fixture
async def serve(home: Path, tmp_path: Path) -> AsyncIterator[Callable[..., Awaitable[Server]]]:
    """Starts servers on free ports: `await serve(PENNY_MODEL=...)`; those still running are stopped at the end."""
    servers: list[Server] = []

    async def start(*arguments: str, **env: str) -> Server:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "penny", "serve", "--port", "0", "--sample", *arguments,
            env=environment(home, env), cwd=tmp_path, stderr=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        assert process.stderr is not None
        said: list[str] = []
        async with asyncio.timeout(START_SECONDS):
            while line := (await process.stderr.readline()).decode():
                said.append(line)
                if found := re.search(r"ready: (http://\S+)", line):
                    break
            else:
                raise AssertionError(f"penny serve ended: {''.join(said)}")
        drain = asyncio.create_task(_drain(process.stderr, said))
        url = found[1]
        client = httpx.AsyncClient(base_url=url, timeout=60)
        token = (await client.get("/dev/token")).json()["token"]
        client.headers["Authorization"] = f"Bearer {token}"
        server = Server(process, url, client, said)
        servers.append(server)
        drain.add_done_callback(lambda _: None)
        return server

    yield start
    for server in servers:
        if server.process.returncode is None:
            await server.stop(signal.SIGKILL)


async def _drain(stderr: asyncio.StreamReader, said: list[str]) -> None:
    while line := (await stderr.readline()).decode():
        said.append(line)
