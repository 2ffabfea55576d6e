"""Penny and a schema that a newer one left: a rolling deploy, a task that is replaced in it, a rollback."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace

import asyncpg
import own_database
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

import db
import domain
from db.compatibility import oldest_served
from db.embedded import Server
from db.engine import Database
from db.migrate import MIGRATIONS, current, head, migrate
from domain.errors import SetupError

MIGRATION = """
from alembic import op
revision, down_revision, branch_labels, depends_on = {revision!r}, {before!r}, None, None
expands = {expands}


def upgrade() -> None:
    op.execute({sql!r})
"""
ADDS = "ALTER TABLE penny.session ADD COLUMN mood text"
TAKES_AWAY = "ALTER TABLE penny.session DROP COLUMN title"

TAKING_AWAY = re.compile(
    r"\bDROP (TABLE|COLUMN|FUNCTION|VIEW|TYPE|SCHEMA)|\bRENAME\b|\bSET NOT NULL|\bALTER COLUMN \w+ (SET DATA )?TYPE\b"
    r"|\bREVOKE\b(?! ALL ON FUNCTION \w+ FROM PUBLIC)",
    re.IGNORECASE,
)


@pytest.fixture
async def name(admin_url: str) -> AsyncIterator[str]:
    """A new, empty database of the session's cluster."""
    async with own_database.empty(admin_url, "compatible") as made:
        yield made


@pytest.fixture
def url(postgres: Server, name: str) -> str:
    """The superuser's."""
    return postgres.url("penny_admin", postgres.credentials.admin, name)


@pytest.fixture
def newer(tmp_path: Path, url: str) -> Callable[..., None]:
    """Has a Penny of further migrations, each (what it does, whether it says that it only adds), migrate the
    database."""

    def migrated(*further: tuple[str, bool]) -> None:
        for package in (db, domain):
            folder = Path(str(package.__file__)).parent
            shutil.copytree(folder, tmp_path / folder.name, ignore=shutil.ignore_patterns("__pycache__"))
        before = head()
        for n, (sql, expands) in enumerate(further):
            revision = f"9{n:03}"
            text = MIGRATION.format(revision=revision, before=before, expands=expands, sql=sql)
            (tmp_path / "db" / "migrations" / "versions" / f"{revision}_of_tomorrow.py").write_text(text)
            before = revision
        schema = tmp_path / "db" / "schema.py"
        schema.write_text(schema.read_text().replace(f'HEAD = "{head()}"', f'HEAD = "{before}"'))
        program = "import asyncio, sys; from db.migrate import migrate; asyncio.run(migrate(sys.argv[1]))"
        subprocess.run([sys.executable, "-c", program, url], cwd=tmp_path, check=True, timeout=300)

    return migrated


async def test_older_code_runs_on_a_schema_that_was_only_added_to(
    newer: Callable[..., None], postgres: Server, name: str, url: str
) -> None:
    """A task of before the deploy starts anew and works; its `penny migrate`, as a rollback runs it, changes
    nothing."""
    newer((ADDS, True), (ADDS.replace("mood", "colour"), True))
    database = await Database.connect(postgres.url("penny_app", postgres.credentials.app, name))
    try:
        user = await database.resolve_user("test", "", "someone")
        async with database.transaction(user) as tx:
            assert await tx.pg.fetchval("SELECT count(*) FROM session") == 0
    finally:
        await database.close()
    assert await migrate(url) == []
    assert await current(url) == "9001"


@pytest.mark.parametrize("after", [(), ((ADDS, True),)], ids=["last", "before another"])
async def test_older_code_is_refused_by_a_schema_that_something_was_taken_from(
    newer: Callable[..., None], postgres: Server, name: str, url: str, after: tuple[tuple[str, bool], ...]
) -> None:
    """Starting and migrating say which schema it is, whom it serves, and what to do."""
    newer((TAKES_AWAY, False), *after)
    refusal = rf"schema 900{len(after)}, which serves Penny from 9000 on; this one is of {head()}: update it"
    with pytest.raises(SetupError, match=refusal):
        await Database.connect(postgres.url("penny_app", postgres.credentials.app, name))
    with pytest.raises(SetupError, match=refusal):
        await migrate(url)


async def test_newer_code_is_refused_by_an_older_schema(url: str, postgres: Server, name: str) -> None:
    """It says that `penny migrate` is to be run."""
    await migrate(url)
    admin = await asyncpg.connect(url)
    await admin.execute("UPDATE penny.alembic_version SET version_num = '0001'; ")
    await admin.close()
    with pytest.raises(SetupError, match=rf"schema 0001 and this Penny needs {head()}: run `penny migrate`"):
        await Database.connect(postgres.url("penny_app", postgres.credentials.app, name))


def test_a_migration_that_does_not_say_so_serves_no_older_code() -> None:
    """Saying nothing is the safe side."""

    def step(revision: str, **said: bool) -> SimpleNamespace:
        return SimpleNamespace(revision=revision, module=SimpleNamespace(**said))

    newest_first = [step("4", expands=True), step("3"), step("2", expands=True), step("1")]
    assert oldest_served(SimpleNamespace(walk_revisions=lambda: newest_first)) == "3"  # type: ignore[arg-type]


def test_a_migration_that_says_it_only_adds_takes_nothing_away() -> None:
    """No statement of its upgrade drops, renames, narrows or revokes what older code may use."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    for step in ScriptDirectory.from_config(config).walk_revisions():
        if getattr(step.module, "expands", False):
            text = Path(str(step.module.__file__)).read_text().partition("def downgrade(")[0]
            assert not TAKING_AWAY.search(text), step.revision
    assert TAKING_AWAY.search(TAKES_AWAY)
    assert not TAKING_AWAY.search(ADDS)
