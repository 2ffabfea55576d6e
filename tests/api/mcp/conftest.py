"""MCP clients of two users against a real server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from db.engine import Database
from ledger import household

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)

Connect = Callable[..., AbstractAsyncContextManager[Client]]

ENVELOPE = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
}


@pytest.fixture
def connect(served: httpx.AsyncClient, token: str) -> Connect:
    """Opens a client: `async with connect(token=..., mode="legacy") as client`."""

    @asynccontextmanager
    async def opened(token: str = token, mode: str = "auto") -> AsyncIterator[Client]:
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx2.AsyncClient(headers=headers, timeout=30) as http:
            transport = streamable_http_client(f"{served.base_url}/mcp".replace("//mcp", "/mcp"), http_client=http)
            async with Client(transport, mode=mode) as client:
                yield client

    return opened


@pytest.fixture
def another_token(make_token: Callable[..., str]) -> str:
    """A token of another user, whom nobody has seen before either."""
    return make_token(f"other-{uuid4().hex}")


@pytest.fixture
async def resident(database: Database, my_id: UUID) -> UUID:
    """`token`'s user has the sample household; their id."""
    async with database.transaction(my_id) as tx:
        await household.seed(tx, NOW.date())
    return my_id


@pytest.fixture
def rpc(client: httpx.AsyncClient) -> Callable[..., Any]:
    """Posts a message as the newest revision has it: `await rpc("tools/call", name=..., headers={...})`."""

    async def post(method: str, *, headers: dict[str, str] | None = None, **params: Any) -> httpx.Response:
        named = params.get("name") or params.get("uri")
        sent = {
            "Accept": "application/json",
            "MCP-Protocol-Version": "2026-07-28",
            "Mcp-Method": method,
            **({"Mcp-Name": named} if isinstance(named, str) else {}),
            **(headers or {}),
        }
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": ENVELOPE}}
        return await client.post("/mcp", json=body, headers=sent)

    return post
