"""Reports are read from the replica where there is one; everything else sees what was just written."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from own_database import create, named

from db.embedded import Server
from db.engine import Database


@pytest.fixture
async def behind(postgres: Server, admin_url: str) -> AsyncIterator[Database]:
    """A replica that nothing has reached yet: an empty database of the same schema."""
    await create(admin_url, "behind")
    app, worker = named(postgres.app_url, "behind"), named(postgres.worker_url, "behind")
    replica = await Database.connect(app, worker_url=worker, pool_size=2, application="behind")
    yield replica
    await replica.close()


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
