"""`penny import` and `penny export` at the terminal."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from api.auth import DEV_ISSUER
from db.embedded import Server
from db.engine import Database

Penny = Callable[..., "asyncio.Future[subprocess.CompletedProcess[str]]"]

FILE = "Date,Payee,Amount\n2026-11-20,Shell,-40.00\n2026-11-19,Cafe,-3.50\n"


@pytest.fixture
async def name(database: Database, request: pytest.FixtureRequest) -> str:
    """A person of the test's own, with an account."""
    name = request.node.name
    user = await database.resolve_user(DEV_ISSUER, "", name)
    async with database.transaction(user) as tx:
        await tx.pg.execute(
            "INSERT INTO account (user_id, name, kind, currency) VALUES ($1, 'Checking', 'checking', 'USD')", user
        )
    return str(name)


@pytest.fixture
def penny(postgres: Server, name: str, tmp_path: Path) -> Callable[..., object]:
    """Runs the command as that person: `await penny("export", "--format", "csv")`."""
    root = Path(__file__).parents[2]
    environment = {
        "PENNY_DATABASE_URL": postgres.admin_url,
        "PENNY_HOME": str(tmp_path),
        "PYTHONPATH": ":".join([str(root), *(path for path in sys.path if path)]),
        "PATH": "/usr/bin:/bin",
        "HOME": str(tmp_path),
    }

    async def run(*args: str) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, "-m", "penny", *args, "--user", name]
        return await asyncio.to_thread(
            subprocess.run, argv, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )

    return run


async def test_a_file_is_imported_once_and_taken_back(penny: Penny, tmp_path: Path) -> None:
    """It prints what it did and how to undo it; `--json` gives the counts; `penny undo` empties the account again."""
    file = tmp_path / "bank.csv"
    file.write_text(FILE)
    dry = await penny("import", str(file), "--account", "Checking", "--dry-run")
    assert "2 of 2 transactions would be added" in dry.stdout, dry.stderr
    done = await penny("import", str(file), "--account", "checking")
    assert "2 of 2 transactions added, 0 there already" in done.stdout
    assert "penny undo" in done.stdout
    again = await penny("import", str(file), "--account", "Checking", "--json")
    assert (json.loads(again.stdout)["added"], json.loads(again.stdout)["duplicates"]) == (0, 2)
    assert "Cafe" in (await penny("export", "--format", "csv")).stdout
    undone = await penny("undo")
    assert "Import of bank.csv into Checking: transactions 2 -> (none)" in undone.stdout, undone.stderr
    assert json.loads((await penny("export", "--format", "json")).stdout)["transactions"] == []


async def test_what_stands_in_the_way_is_told(penny: Penny, tmp_path: Path) -> None:
    """Errors are on standard error with their lines, exit 1; wrong usage exits with 2."""
    file, mapping = tmp_path / "bank.csv", tmp_path / "map.json"
    file.write_text("Date,Payee,Amount\n03/04/2026,Shell,-40.00\n")
    open_ = await penny("import", str(file), "--account", "Checking")
    assert (open_.returncode, open_.stdout) == (1, "")
    assert "mapping" in open_.stderr
    mapping.write_text('{"date_order": "dmy"}')
    assert (await penny("import", str(file), "--account", "Checking", "--map", str(mapping))).returncode == 0
    file.write_text(FILE + "2026-11-31,a,-1\n2026-11-01,b,x\n")
    refused = await penny("import", str(file), "--account", "Checking")
    assert refused.returncode == 1
    assert "Line 4" in refused.stderr
    assert "line 5" in refused.stderr
    assert (await penny("import", str(tmp_path / "none.csv"), "--account", "Checking")).returncode == 1
    assert (await penny("export", "--format", "xls")).returncode == 2
