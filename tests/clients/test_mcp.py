"""The TypeScript SDK of the Model Context Protocol, as hosts that are written in it use Penny's tools."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tools.catalog import CATALOG

SCENARIOS = Path(__file__).parent / "mcp" / "scenarios.mjs"

Play = Callable[..., Awaitable[Any]]


@pytest.fixture
def play(penny: Any, node: Any, record_property: Any) -> Play:
    """Plays a scenario; its result."""
    version = node.version("@modelcontextprotocol/sdk")
    record_property("@modelcontextprotocol/sdk", version)

    async def played(scenario: str, **env: str) -> Any:
        ran = await node(SCENARIOS, scenario, PENNY_URL=penny.url, **env)
        print(f"@modelcontextprotocol/sdk {version}: {scenario}")  # noqa: T201
        return json.loads(ran.out.splitlines()[-1])

    return played


async def test_a_host_lists_asks_and_proposes(penny: Any, play: Play) -> None:
    """The client, which checks results against the tools' output schemas, uses tools and resources; nothing changes."""
    person = await penny.person()
    seen = await play("use", TOKEN=person.token)
    assert [tool["name"] for tool in seen["tools"]] == [tool.name for tool in CATALOG]
    assert seen["server"]["name"] == "penny"
    assert "only" in seen["wanted"]["structuredContent"]["how_to_apply"]
    assert seen["asked"]["structuredContent"]["ok"] is True
    assert seen["wrong"]["isError"] is True
    assert "amount is needed" in seen["wrong"]["content"][0]["text"]
    assert seen["missing"] == -32602
    (waiting,) = seen["pending"]["items"]
    assert waiting["id"] == seen["wanted"]["structuredContent"]["proposal"]["id"]
    budgets = (await person.client.get("/v1/budgets")).json()["items"]
    assert all(item["budget"] is None for item in budgets)


async def test_two_users_at_once_see_their_own(penny: Any, play: Play) -> None:
    """Interleaved requests of two users never meet."""
    one, two = await penny.person(), await penny.person()
    assert await play("together", TOKENS=f"{one.token} {two.token}") == [1, 0] * 10


async def test_a_stranger_does_not_get_in(penny: Any, play: Play) -> None:
    """A token that does not count is refused at the first message."""
    assert "401" in await play("stranger") or "Unauthorized" in await play("stranger")
