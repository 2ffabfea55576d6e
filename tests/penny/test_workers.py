"""`penny serve --workers`: several processes behind one socket."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from pathlib import Path
from typing import Any

import psutil
import pytest


@pytest.fixture
def scripted(home: Path) -> str:
    """PENNY_MODEL for a model that says hello."""
    path = home / "script.json"
    path.write_text(json.dumps([{"text": "Hello."}]))
    return f"scripted:{path}"


async def two_serve(parent: psutil.Process, other_than: int = 0) -> list[int]:
    """The ids of two workers, once both listen."""
    async with asyncio.timeout(60):
        while True:
            ids = []
            for child in parent.children():
                with contextlib.suppress(psutil.NoSuchProcess):  # a zombie among them
                    ids += [child.pid] * ("--descriptor" in child.cmdline())
            if len(ids) == 2 and other_than not in ids:
                return ids
            await asyncio.sleep(0.05)


async def test_two_workers_answer_and_one_that_dies_is_replaced(serve: Any, scripted: str) -> None:
    """Every message is answered by either; after a kill there are two again, and SIGTERM ends all with 0."""
    server = await serve("--workers", "2", PENNY_MODEL=scripted)
    parent = psutil.Process(server.process.pid)
    first = (await two_serve(parent))[0]
    session = await server.new_session()
    for _ in range(4):
        assert (await server.ask(session, "hi"))["reply"] == "Hello."
    os.kill(first, signal.SIGKILL)
    both = await two_serve(parent, other_than=first)
    async with asyncio.timeout(60):
        while sum("ready:" in line for line in server.said) < 3:  # noqa: ASYNC110 -- nobody tells
            await asyncio.sleep(0.05)
    assert (await server.ask(await server.new_session(), "hi"))["reply"] == "Hello."
    assert await server.stop() == 0
    assert not any(psutil.pid_exists(pid) for pid in both)


async def test_workers_metrics_go_where_their_log_goes(serve: Any, scripted: str) -> None:
    """Nobody reads a worker's standard output once it serves; a pipe that fills would stop it."""
    server = await serve("--workers", "2", PENNY_MODEL=scripted, PENNY_METRICS="emf")
    assert (await server.ask(await server.new_session(), "hi"))["reply"] == "Hello."
    assert await server.stop() == 0
    async with asyncio.timeout(60):
        while sum('"RunsFinished":1' in line for line in server.said) < 1:  # noqa: ASYNC110 -- nobody tells
            await asyncio.sleep(0.05)


async def test_workers_do_not_outlive_a_killed_parent(serve: Any, scripted: str) -> None:
    """kill -9 of the parent has them drain and end."""
    server = await serve("--workers", "2", PENNY_MODEL=scripted)
    both = [psutil.Process(pid) for pid in await two_serve(psutil.Process(server.process.pid))]
    await server.stop(signal.SIGKILL)
    gone, alive = await asyncio.to_thread(psutil.wait_procs, both, 30)
    assert len(gone) == 2
    assert not alive


async def test_a_worker_that_cannot_start_ends_all(penny: Any) -> None:
    """A wrong setting is said, and the exit code is the worker's; nothing is tried for ever."""
    done = await penny("serve", "--port", "0", "--workers", "2", PENNY_MODEL="nonsense")
    assert done.code == 1
    assert "nonsense" in done.err
