"""A ledger set up, filled and taken along from the terminal, each command in a process of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from db.embedded import Server
from db.engine import Database

FILE = "Date,Payee,Amount\n2026-11-20,Market,-40.00\n2026-11-19,Cafe,-3.50\n"


@pytest.fixture
def run(penny: Any, postgres: Server, database: Database, request: pytest.FixtureRequest) -> Any:
    """Runs a command as a person of the test's own, and gives its output; it has to end with `code`."""

    async def running(*arguments: str, code: int = 0) -> str:
        done = await penny(*arguments, "--user", request.node.name, PENNY_DATABASE_URL=postgres.admin_url)
        assert done.code == code, done.err
        return str(done.out if code == 0 else done.err)

    return running


async def test_accounts_and_rates_make_a_net_worth(run: Any) -> None:
    """A missing rate is asked for; with it the total is in the user's currency, with the rate and its day."""
    assert "Added the account Checking" in await run("accounts", "add", "Checking", "--opening", "100.50")
    made = json.loads(await run("accounts", "add", "Reise", "--currency", "EUR", "--opening", "10", "--json"))
    assert made["balance"] == {"minor": 1000, "currency": "EUR"}
    assert "penny rates add EUR USD" in await run("accounts", "list")
    assert "is not a rate" in await run("rates", "add", "EUR", "USD", "much", code=1)
    await run("rates", "add", "EUR", "USD", "1.25", "--source", "mine")
    assert "1 EUR = 1.25 USD  (mine)" in await run("rates", "list")
    assert "$113.00  net worth" in await run("accounts", "list")
    await run("undo")
    assert "no rates yet" in await run("rates", "list")


async def test_categories_and_preferences_are_kept(run: Any) -> None:
    """What was set is shown again; what cannot be set is said, exit 1."""
    await run("categories", "add", "Pets", "--group", "Home")
    assert "Pets  (Home)" in await run("categories", "list")
    assert "already" in await run("categories", "add", "pets", code=1)
    assert "currency = EUR" in await run("preferences", "--set", "currency=EUR")
    kept = json.loads(await run("preferences", "--json"))
    assert (kept["currency"], kept["locale"]) == ("EUR", "en-US")
    assert "cannot be set here" in await run("preferences", "--set", "color=red", code=1)


async def test_a_file_goes_in_and_the_ledger_goes_out(run: Any, tmp_path: Path) -> None:
    """The rollups hold after an import and after its undoing, and are made anew by a command."""
    file = tmp_path / "bank.csv"
    file.write_text(FILE)
    await run("accounts", "add", "Checking")
    assert "2 of 2 transactions added" in await run("import", str(file), "--account", "Checking")
    assert "Every sum is what" in await run("rollups", "verify")
    assert "Made 1 monthly sums and 2 merchants anew." in await run("rollups", "rebuild")
    assert (await run("export", "--format", "csv")).count("\n") == 3
    assert "Assets:Checking  -40.00 USD" in await run("export", "--format", "beancount")
    await run("undo")
    assert "Every sum is what" in await run("rollups", "verify")
    assert json.loads(await run("export", "--format", "json"))["transactions"] == []
