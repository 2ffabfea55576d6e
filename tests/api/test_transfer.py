"""Importing and exporting over HTTP."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import httpx
import pytest

from db.engine import Database

FILE = b"Date,Payee,Amount\n2026-11-20,Shell,-40.00\n2026-11-19,Cafe,-3.50\n"


@pytest.fixture
async def checking(database: Database, my_id: UUID) -> str:
    """An account of `client`'s user, by name."""
    async with database.transaction(my_id) as tx:
        await tx.pg.execute(
            "INSERT INTO account (user_id, name, kind, currency) VALUES ($1, 'Checking', 'checking', 'USD')", my_id
        )
    return "Checking"


async def send(client: httpx.AsyncClient, data: bytes, account: str = "Checking", **form: str) -> httpx.Response:
    return await client.post(
        "/v1/imports", files={"file": ("bank.csv", data, "text/csv")}, data={"account": account, **form}
    )


async def test_a_file_comes_in_once_and_can_be_undone(client: httpx.AsyncClient, checking: str) -> None:
    """Counts say what was done; a dry run does nothing; the journal entry undoes it."""
    dry = (await send(client, FILE, dry_run="true")).json()
    assert (dry["added"], dry["journal_id"]) == (2, None)
    answer = await send(client, FILE)
    assert answer.status_code == 200, answer.text
    done = answer.json()
    assert (done["added"], done["duplicates"], done["format"]) == (2, 0, "csv")
    assert (await send(client, FILE)).json()["duplicates"] == 2
    assert (await client.get("/v1/transactions")).json()["count"] == 2
    undone = await client.post(f"/v1/journal/{done['journal_id']}/undo")
    assert undone.status_code == 200, undone.text
    assert (await client.get("/v1/transactions")).json()["count"] == 0


async def test_row_errors_come_by_line(client: httpx.AsyncClient, checking: str) -> None:
    """422 with every row that cannot be taken, and nothing was added."""
    answer = await send(client, FILE + b"2026-13-01,x,1\n2026-11-01,y,z\n2026-11-01,y,1\n")
    body = answer.json()
    assert (answer.status_code, body["code"], body["row_errors"]) == (422, "rows_refused", 2)
    assert [row["line"] for row in body["rows"]] == [4, 5]
    assert (await client.get("/v1/transactions")).json()["count"] == 0


async def test_a_mapping_decides_what_the_data_leaves_open(client: httpx.AsyncClient, checking: str) -> None:
    """422 ambiguous_file names the field; with `map` the file comes in."""
    data = b"Date,Payee,Amount\n03/04/2026,Shell,-40.00\n"
    body = (await send(client, data)).json()
    assert (body["code"], body["field"]) == ("ambiguous_file", "date_order")
    assert (await send(client, data, map='{"date_order": "dmy"}')).json()["first_day"] == "2026-04-03"
    assert (await send(client, data, map='{"x": 1}')).json()["code"] == "invalid_input"


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"", 422, "unreadable_file"),
        (b"PK\x03\x04", 422, "unreadable_file"),
        (b"a" * (10 * 1024 * 1024 + 1), 413, "too_large"),
        (b"a" * (11 * 1024 * 1024), 413, "too_large"),
        (b"\x00" * 1000, 422, "unreadable_file"),
        (b"=cmd|' /C calc'!A0,\xe2\x80\xae,1\n" * 10, 422, "ambiguous_file"),
    ],
)
async def test_hostile_files_are_problems(
    client: httpx.AsyncClient, checking: str, data: bytes, status: int, code: str
) -> None:
    """4xx with a code, whatever is sent."""
    answer = await send(client, data)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"


async def test_forms_that_are_none_are_problems(client: httpx.AsyncClient, checking: str) -> None:
    """A missing file or account, an unknown field, JSON instead of a form, a form cut short."""
    url = "/v1/imports"
    file = {"file": ("x.csv", FILE)}
    for answer in (
        await client.post(url),
        await client.post(url, files=file),
        await client.post(url, data={"account": "Checking"}),
        await client.post(url, data={"account": "Checking", "file": "text"}),
        await client.post(url, files=file, data={"account": "Check\x00ing"}),
        await client.post(url, files=file, data={"account": "Checking", "colour": "red"}),
        await client.post(url, json={"account": "Checking"}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input"), answer.text
    cut = await client.post(url, content=b"--x\r\nbroken", headers={"content-type": "multipart/form-data; boundary=x"})
    assert cut.status_code in (400, 422), cut.text
    assert (await send(client, FILE, "Savings")).json()["code"] == "not_found"


async def test_another_users_account_is_not_found(
    client: httpx.AsyncClient, stranger: httpx.AsyncClient, checking: str
) -> None:
    """By name and by id."""
    account = (await client.get("/v1/accounts")).json()["items"][0]["id"]
    for name in (account, "Checking"):
        assert (await send(stranger, FILE, name)).status_code == 404
    assert (await send(client, FILE, account)).json()["added"] == 2


async def test_everything_is_exported(client: httpx.AsyncClient, checking: str, session_id: str) -> None:
    """JSON with the conversations, CSV, beancount; each a file to save."""
    await send(client, FILE)
    document: dict[str, Any] = json.loads((await client.get("/v1/export")).text)
    assert [session["id"] for session in document["sessions"]] == [session_id]
    assert [entry["kind"] for entry in document["journal"]] == ["import"]
    assert [item["amount"]["minor"] for item in document["transactions"]] == [-350, -4000]
    table = await client.get("/v1/export", params={"format": "csv"})
    assert table.headers["content-type"] == "text/csv; charset=utf-8"
    assert "attachment" in table.headers["content-disposition"]
    assert "Shell" in table.text
    assert "open Assets:Checking USD" in (await client.get("/v1/export", params={"format": "beancount"})).text
    assert (await client.get("/v1/export", params={"format": "xls"})).status_code == 422
