"""The embedded PostgreSQL: one server per home, shared by every process that needs it, stopped by the last one out.

Each process that uses it holds a shared lock on `users.lock`, which the kernel lets go when the process dies, however
it dies. Coming and going happen under an exclusive lock on `start.lock`. Whoever leaves and can then take
`users.lock` for itself alone was the last one and stops the server. If all were killed, the server stays up and the
next process finds it.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import json
import os
import secrets
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg

from db.placement import Placement, place, wheel_binaries
from db.server_process import ADMIN, START_SECONDS, PidFile, halt, initialise, launch, read_pid_file
from domain.errors import SetupError

DATABASE = "penny"
LOCK_SECONDS = 90.0


@dataclass(frozen=True)
class Credentials:
    """The passwords of the three login roles, kept in `credentials.json` (0600) and nowhere else."""

    admin: str = field(repr=False)
    app: str = field(repr=False)
    worker: str = field(repr=False)


@dataclass(frozen=True)
class Server:
    """A running embedded server. The URLs hold passwords: never log them."""

    home: Path
    pid: int
    port: int
    credentials: Credentials

    def url(self, role: str, password: str, database: str = DATABASE) -> str:
        return f"postgresql://{role}:{password}@127.0.0.1:{self.port}/{database}?sslmode=disable"

    @property
    def admin_url(self) -> str:
        """For migrations and `penny db psql` only: row-level security does not bind a superuser."""
        return self.url(ADMIN, self.credentials.admin)

    @property
    def app_url(self) -> str:
        return self.url("penny_app", self.credentials.app)

    @property
    def worker_url(self) -> str:
        return self.url("penny_worker", self.credentials.worker)

    def psql(self) -> tuple[list[str], dict[str, str]]:
        """The arguments and the environment additions that open psql as the superuser; the password is in the
        latter."""
        argv = [str(wheel_binaries() / "psql"), "-h", "127.0.0.1", "-p", str(self.port), "-U", ADMIN, "-d", DATABASE]
        return argv, {"PGPASSWORD": self.credentials.admin, "PGOPTIONS": "-c search_path=penny"}


@dataclass(frozen=True)
class Status:
    """`running` says whether a server runs; `users` whether any process is attached to it; `pid` and `port` while it
    runs."""

    running: bool
    users: bool
    pid: int | None
    port: int | None
    data: Path


class EmbeddedPostgres:
    """One process's hold on its home's server. `acquire` and `release` come in pairs; several holds in a process are
    fine.

    `durable=False` leaves out fsync, for tests whose data may go when the machine does.
    """

    def __init__(self, home: Path, *, durable: bool = True) -> None:
        self._home = home
        self._durable = durable
        self._hold: int | None = None

    async def acquire(self) -> Server:
        """Attach to the server, started and initialised as needed. Raises SetupError that says what stands in the
        way."""
        assert self._hold is None, "acquire was called twice without release"
        placement = await asyncio.to_thread(place, self._home)
        async with _explained(placement), _locked(placement.base / "start.lock"):
            hold = _open_lock(placement.base / "users.lock")
            try:
                fcntl.flock(hold, fcntl.LOCK_SH)  # never waits: only a leaver holding start.lock takes it exclusively
                server = await self._find(placement) or await self._start(placement)
            except BaseException:
                await asyncio.shield(_leave(placement, hold))
                raise
        self._hold = hold
        return server

    async def release(self) -> None:
        """Detach; the last one out stops the server. Calling it again does nothing."""
        if self._hold is None:
            return
        placement = await asyncio.to_thread(place, self._home)
        async with _explained(placement), _locked(placement.base / "start.lock"):
            hold, self._hold = self._hold, None
            await _leave(placement, hold)

    async def _find(self, placement: Placement) -> Server | None:
        """The server that already runs on this home, once it is ready."""
        deadline = time.monotonic() + START_SECONDS
        while (found := read_pid_file(placement)) and time.monotonic() < deadline:
            if found.state == "ready":
                return await self._connected(placement, found)
            await asyncio.sleep(0.01)
        if found:
            raise SetupError(f"The embedded database (process {found.pid}) is {found.state} and does not get ready.")
        return None

    async def _start(self, placement: Placement) -> Server:
        credentials = read_credentials(placement)
        if credentials is None:
            if placement.initialised:
                raise SetupError(
                    f"{placement.base}/credentials.json is missing, and with it the way into the database beside it; "
                    "put the file back, or move that folder away to begin anew."
                )
            credentials = _make_credentials(placement)
        if not placement.initialised:
            await initialise(placement, credentials.admin, durable=self._durable)
        found = await launch(placement, _remembered_port(placement), durable=self._durable)
        _remember_port(placement, found.port)
        return await self._connected(placement, found)

    async def _connected(self, placement: Placement, found: PidFile) -> Server:
        """The server, proven by a connection with our password, its database made when it is not there."""
        credentials = read_credentials(placement)
        if credentials is None:
            raise SetupError(
                f"{placement.base}/credentials.json is missing while its database runs; put the file back."
            )
        server = Server(self._home, found.pid, found.port, credentials)
        try:
            try:
                connection = await asyncpg.connect(server.admin_url, timeout=10)
            except asyncpg.InvalidCatalogNameError:
                connection = await asyncpg.connect(server.url(ADMIN, credentials.admin, "postgres"), timeout=10)
                await connection.execute(f"CREATE DATABASE {DATABASE}")
            await connection.close()
        except asyncpg.InvalidPasswordError:
            raise SetupError(
                f"The passwords in {placement.base}/credentials.json are not those of the database beside it; "
                "put the right file back, or move that folder away to begin anew."
            ) from None
        except (OSError, asyncpg.PostgresError) as error:
            raise SetupError(f"The embedded database on port {found.port} does not answer: {error}") from error
        return server


@contextlib.asynccontextmanager
async def embedded(home: Path, *, durable: bool = True) -> AsyncIterator[Server]:
    """The server of `home` for as long as the block lasts."""
    postgres = EmbeddedPostgres(home, durable=durable)
    server = await postgres.acquire()
    try:
        yield server
    finally:
        await postgres.release()


def status(home: Path) -> Status:
    """Whether the home's server runs and is used, without starting it."""
    placement = place(home)
    found = read_pid_file(placement)
    lock = _open_lock(placement.base / "users.lock")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        used = False
    except BlockingIOError:
        used = True
    finally:
        os.close(lock)
    if found is None:
        return Status(False, used, None, None, placement.data)
    return Status(True, used, found.pid, found.port, placement.data)


async def stop(home: Path) -> bool:
    """Stop the home's server even when processes use it; they get DatabaseUnavailable. False when none ran."""
    placement = await asyncio.to_thread(place, home)
    async with _locked(placement.base / "start.lock"):
        found = read_pid_file(placement)
        if found:
            await halt(placement, found.pid)
    return found is not None


def url(home: Path) -> str:
    """The superuser's URL of the home's running server. Raises SetupError when none runs."""
    placement = place(home)
    found, credentials = read_pid_file(placement), read_credentials(placement)
    if not found or not credentials:
        raise SetupError("The embedded database is not running; `penny serve` or `penny db psql` starts it.")
    return Server(home, found.pid, found.port, credentials).admin_url


def read_credentials(placement: Placement) -> Credentials | None:
    """The home's passwords, or None when there are none yet. Raises SetupError for a damaged file."""
    path = placement.base / "credentials.json"
    try:
        return Credentials(**json.loads(path.read_text()))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError):
        raise SetupError(
            f"{path} is damaged; put the right file back, or move its folder away to begin anew."
        ) from None


def _make_credentials(placement: Placement) -> Credentials:
    made = Credentials(*(secrets.token_urlsafe(24) for _ in range(3)))
    path = placement.base / "credentials.json"
    making = path.with_suffix(".new")
    making.unlink(missing_ok=True)
    with open(os.open(making, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump({"admin": made.admin, "app": made.app, "worker": made.worker}, file)
        file.flush()
        os.fsync(file.fileno())
    making.rename(path)
    return made


def _remembered_port(placement: Placement) -> int | None:
    """The port of the last start, so that a person's own clients find the database again."""
    try:
        return int((placement.base / "port").read_text())
    except (FileNotFoundError, ValueError):
        return None


def _remember_port(placement: Placement, port: int) -> None:
    (placement.base / "port").write_text(f"{port}\n")


async def _leave(placement: Placement, hold: int) -> None:
    """Let go of the shared lock, under start.lock, and stop the server when nobody else holds one."""
    try:
        try:
            fcntl.flock(hold, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        found = read_pid_file(placement)
        if found:
            await halt(placement, found.pid)
    finally:
        os.close(hold)


@contextlib.asynccontextmanager
async def _explained(placement: Placement) -> AsyncIterator[None]:
    """Turn what the file system refuses into a sentence that says what to do."""
    try:
        yield
    except OSError as error:
        where = error.filename or placement.base
        if error.errno == errno.ENOSPC:
            why = "the disk is full; free some space"
        elif error.errno in (errno.EACCES, errno.EPERM):
            why = f"{where} is not open to this user; give it to you"
        else:
            why = f"{where}: {error.strerror or error}; mend it"
        raise SetupError(
            f"The embedded database cannot be used: {why}, or choose another folder with PENNY_HOME."
        ) from error


def _open_lock(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


@contextlib.asynccontextmanager
async def _locked(path: Path) -> AsyncIterator[None]:
    """An exclusive file lock, waited for without holding a thread."""
    lock = _open_lock(path)
    deadline = time.monotonic() + LOCK_SECONDS
    try:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError as error:
                if error.errno not in (errno.EWOULDBLOCK, errno.EINTR):
                    raise SetupError(
                        f"{path} cannot be locked ({error.strerror}); PENNY_HOME must be a local disk."
                    ) from error
            if time.monotonic() > deadline:
                raise SetupError(
                    f"Another process has been starting or stopping the embedded database for {LOCK_SECONDS:.0f} s; "
                    "end it and try again."
                )
            await asyncio.sleep(0.02)
        yield
    finally:
        os.close(lock)
