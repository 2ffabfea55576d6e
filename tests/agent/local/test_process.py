"""There is one warm process for a model file, however many ask, whatever kills it; it ends when nobody asks."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import stat
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from agent.local.state import READY, Folder, State
from agent.local.warm import ABSENT, WarmProcess
from agent.model import ModelUnavailable
from domain.errors import SetupError

STUB = (sys.executable, str(Path(__file__).with_name("stub_runtime.py")))

ASKER = """
import asyncio, sys
from pathlib import Path
from agent.local.warm import WarmProcess
answer = asyncio.run(WarmProcess(Path(sys.argv[1]), Path(sys.argv[2]), command=sys.argv[3:]).complete({}))
print(answer["pid"])
"""


@pytest.fixture
def gguf(tmp_path: Path) -> Path:
    file = tmp_path / "model.gguf"
    file.write_bytes(b"GGUF")
    return file


@pytest.fixture
def folder(tmp_path: Path, gguf: Path) -> Folder:
    return Folder.of(tmp_path, gguf)


@pytest.fixture
async def warm(tmp_path: Path, gguf: Path, folder: Folder) -> AsyncIterator[WarmProcess]:
    process = WarmProcess(tmp_path, gguf, command=STUB, start_seconds=60)
    yield process
    process.stop()
    if folder.path.exists():
        await asyncio.to_thread(wait_until_gone, folder)


def wait_until_gone(folder: Folder) -> None:
    with (folder.path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)


def requests(folder: Folder) -> list[str]:
    return (folder.path / "requests").read_text().split()


async def test_five_processes_at_once_start_one(warm: WarmProcess, tmp_path: Path, gguf: Path) -> None:
    """All get their answer from the same process, which lives on when those that asked have ended."""
    askers = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", ASKER, str(tmp_path), str(gguf), *STUB),
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        )
        for _ in range(5)
    ]
    answers = {(await asker.communicate())[0].strip() for asker in askers}

    assert len(answers) == 1
    assert answers == {str((await warm.complete({}))["pid"]).encode()}


async def test_the_phases_of_the_start_are_told(warm: WarmProcess) -> None:
    """A caller sees what is being waited for, and another one can ask."""
    seen: list[str] = []
    assert warm.phase() == ABSENT

    await warm.ready(seen.append)

    assert seen[0] == "starting"
    assert seen[-1] == READY
    assert warm.phase() == READY


async def test_a_killed_process_is_replaced(warm: WarmProcess, folder: Folder) -> None:
    """After kill -9 the state that it left is not believed, and the next request is answered by a new process."""
    first = (await warm.complete({}))["pid"]
    os.kill(first, signal.SIGKILL)
    await asyncio.to_thread(wait_until_gone, folder)
    assert warm.phase() == ABSENT

    assert (await warm.complete({}))["pid"] != first


async def test_a_process_that_goes_away_before_the_request_is_replaced(warm: WarmProcess, folder: Folder) -> None:
    """A request that finds nobody at the address is sent again, to a new process."""
    state = await warm.ready()
    os.kill(state.pid, signal.SIGKILL)

    assert (await warm.complete({}))["pid"] != state.pid


async def test_cancelling_a_request_closes_its_connection(warm: WarmProcess, folder: Folder) -> None:
    """The process learns at once that nobody waits for the answer; the next request is answered."""
    await warm.ready()
    arrived, left = folder.path / "arrived", folder.path / "left"
    os.mkfifo(arrived)
    os.mkfifo(left)
    request = asyncio.create_task(warm.complete({"messages": "wait for the caller to leave"}))
    assert await asyncio.to_thread(arrived.read_text) == "yes"

    request.cancel()

    assert await asyncio.to_thread(left.read_text) == "left"
    assert "pid" in await warm.complete({})


async def test_a_state_left_behind_is_not_believed(warm: WarmProcess, folder: Folder) -> None:
    """A state file without a living process leads nobody to its address."""
    folder.make()
    folder.write(State(1, READY, address="http://127.0.0.1:1", token="old"))

    assert (await warm.ready()).address != "http://127.0.0.1:1"


async def test_only_the_owner_can_read_the_token(warm: WarmProcess, folder: Folder) -> None:
    """The state is for the user alone, and so is the folder."""
    await warm.ready()

    assert stat.S_IMODE((folder.path / "state.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700


async def test_an_unused_process_ends(tmp_path: Path, gguf: Path, folder: Folder) -> None:
    """When nobody has asked for a while it is gone, and its state with it."""
    warm = WarmProcess(tmp_path, gguf, command=STUB, idle_seconds=0.2)
    await warm.complete({})

    await asyncio.to_thread(wait_until_gone, folder)

    assert folder.read() is None
    assert warm.phase() == ABSENT


async def test_the_constant_prompt_is_read_once(warm: WarmProcess, folder: Folder) -> None:
    """The first start reads the prompt and saves its state; the next one gets it back."""
    await warm.ready()
    assert requests(folder) == ["/v1/chat/completions", "/slots/0?action=save"]
    warm.stop()
    await asyncio.to_thread(wait_until_gone, folder)
    (folder.path / "requests").unlink()

    await warm.ready()

    assert requests(folder) == ["/slots/0?action=restore"]


async def test_a_model_that_cannot_be_loaded_is_said_once(tmp_path: Path) -> None:
    """A process that fails is not started over and over: the error has the reason and the log."""
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF")

    with pytest.raises(ModelUnavailable, match=r"could not load broken.gguf \(the file is damaged\); its log is"):
        await WarmProcess(tmp_path, broken, command=STUB, start_seconds=60).ready()


async def test_a_model_file_that_has_gone_is_said(tmp_path: Path) -> None:
    """No process is started for a file that is not there."""
    with pytest.raises(SetupError, match="not there any more"):
        await WarmProcess(tmp_path, tmp_path / "gone.gguf", command=STUB).ready()
