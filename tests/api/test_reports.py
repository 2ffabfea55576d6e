"""Reports are read from the replica where there is one; everything else sees what was just written."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest

from db.embedded import Server
from db.engine import Database
from db.migrate import migrate


@pytest.fixture
async def behind(postgres: Server, admin_url: str) -> AsyncIterator[Database]:
    """A replica that nothing has reached yet: an empty database of the same schema."""
    admin = await asyncpg.connect(admin_url)
    await admin.execute("CREATE DATABASE behind")
    owner, app, worker = (
        urlsplit(url)._replace(path="/behind").geturl() for url in (admin_url, postgres.app_url, postgres.worker_url)
    )
    await migrate(owner)
    replica = await Database.connect(app, worker_url=worker, pool_size=2, application="behind")
    yield replica
    await replica.close()
    await admin.execute("DROP DATABASE behind")
    await admin.close()


async def test_reports_come_from_the_replica_and_nothing_else_does(
    parts: Any, client: httpx.AsyncClient, behind: Database
) -> None:
    """The export and the insights are as far behind as the replica; what was just made is there for every other
    route."""
    account = {"name": "Checking", "kind": "checking", "currency": "USD"}
    assert (await client.post("/v1/accounts", json=account)).status_code == 201
    assert [a["name"] for a in json.loads((await client.get("/v1/export")).text)["accounts"]] == ["Checking"]

    parts.db = parts.db.patient(2.0)
    parts.db.read_reports_from(behind)

    assert json.loads((await client.get("/v1/export")).text)["accounts"] == []
    assert (await client.get("/v1/insights")).status_code == 200
    assert [a["name"] for a in (await client.get("/v1/accounts")).json()["items"]] == ["Checking"]
