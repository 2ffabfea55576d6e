"""What every test may ask for: one embedded PostgreSQL for the session, a migrated database on it, a new user per
test."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from uuid import UUID

import asyncpg
import hypothesis
import psutil
import pytest
from log_scan import LogScan

from db.embedded import Server, embedded, stop
from db.engine import Database
from db.migrate import migrate
from db.sealing.keys import Keys
from domain.errors import PennyError
from penny.encryption.file import FileWrapper

PREFIX = "penny-pytest-"

pytest_plugins = ["log_scan_plugin"]

# A slow machine fails nothing: time is measured in bench/. What fails prints how to come again; on CI it always does.
hypothesis.settings.register_profile(
    "suite",
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
    print_blob=True,
    derandomize=os.environ.get("CI") == "true",
)
hypothesis.settings.load_profile("suite")


COUNTED = pytest.StashKey[list[str]]()


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Says what a test counted, and its seed, at the end of the run."""
    return request.config.stash.setdefault(COUNTED, []).append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for line in config.stash.get(COUNTED, []):
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def postgres_home() -> Iterator[Path]:
    """The home of the session's cluster; open to the account that runs PostgreSQL when the tests run as root."""
    home = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
    home.chmod(0o755)
    yield home
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def abandoned_homes() -> list[Path]:
    """This user's homes whose test session, which is in their name, is no more: it was killed."""
    found = []
    for home in Path(tempfile.gettempdir()).glob(PREFIX + "*-*"):
        session = home.name.removeprefix(PREFIX).partition("-")[0]
        if home.stat().st_uid == os.geteuid() and session.isdecimal() and not psutil.pid_exists(int(session)):
            found.append(home)
    return found


@pytest.fixture(scope="session")
async def postgres(postgres_home: Path, abandoned_homes: list[Path], log_scan: LogScan) -> AsyncIterator[Server]:
    """The session's running server. What a killed session left behind is stopped and removed first."""
    for home in abandoned_homes:
        with contextlib.suppress(PennyError):  # another session that starts now is clearing the same one away
            await stop(home)
        shutil.rmtree(home, ignore_errors=True)
    async with embedded(postgres_home, durable=False) as server:
        yield server
        await log_scan.learn(server.admin_url)


@pytest.fixture(scope="session")
async def admin_url(postgres: Server) -> str:
    """The superuser's URL of the migrated database."""
    await migrate(
        postgres.admin_url, passwords={"app": postgres.credentials.app, "worker": postgres.credentials.worker}
    )
    return postgres.admin_url


SEALED_TOO = (
    "agent/test_forking.py",
    "agent/test_round_trips.py",
    "agent/test_summaries.py",
    "api/test_with_the_runner.py",
    "tools/writes/test_undoing_imports.py",
)
"""What runs twice: with texts stored as they are, and with encryption on. `pytest --sealed` has all that asks for
`database` run with it on."""

SEALED_ONLY = ("agent/test_nothing_in_the_clear.py", "penny/test_sealing_again.py")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--sealed", action="store_true", help="run with encryption on")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "sealing" in metafunc.fixturenames:
        module = str(metafunc.module.__file__)
        ways = (
            ["plain", "sealed"] if module.endswith(SEALED_TOO) else ["sealed"] if module.endswith(SEALED_ONLY) else []
        )
        if ways:
            metafunc.parametrize("sealing", ways, indirect=True, scope="session")


@pytest.fixture(scope="session")
def sealing(request: pytest.FixtureRequest) -> str:
    """Whether texts are stored "sealed" or "plain"."""
    chosen: str = getattr(request, "param", "sealed" if request.config.getoption("--sealed") else "plain")
    return chosen


@pytest.fixture(scope="session")
def key_file(postgres_home: Path) -> Path:
    """A key in a file, which wraps users' keys."""
    path = postgres_home / "encryption.key"
    path.write_text("11" * 32)
    return path


@pytest.fixture(scope="session")
def users_keys(sealing: str, key_file: Path) -> Keys:
    """Users' keys, if texts are sealed."""
    return Keys(FileWrapper(key_file)) if sealing == "sealed" else Keys()


@pytest.fixture(scope="session")
async def database(postgres: Server, admin_url: str, users_keys: Keys) -> AsyncIterator[Database]:
    """The migrated database, with a pool of ten connections."""
    opened = await Database.connect(
        postgres.app_url, worker_url=postgres.worker_url, pool_size=10, application="test", keys=users_keys
    )
    yield opened
    await opened.close()


@pytest.fixture
async def user(database: Database) -> UUID:
    """A user whom nobody has seen before."""
    return await database.resolve_user("test", "", uuid.uuid4().hex)


@pytest.fixture
async def nothing_waits(admin_url: str) -> None:
    """What earlier tests left in the queue is over: a runner of this test would take it up, and its model answer it."""
    connection = await asyncpg.connect(admin_url, server_settings={"search_path": "penny"})
    await connection.execute("UPDATE run SET status = 'cancelled' WHERE status IN ('queued', 'running')")
    await connection.close()


@pytest.fixture
async def worker(database: Database) -> AsyncIterator[asyncpg.Connection]:
    """A connection as penny_worker."""
    connection = await database.worker_connection()
    yield connection
    await connection.close()
