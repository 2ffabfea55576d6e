"""The official Python client drives the MCP endpoint, in the newest revision and in the one before it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import httpx
import pytest
from mcp.shared.exceptions import MCPError

from db.engine import Database
from tools.catalog import CATALOG

MODES = pytest.mark.parametrize("mode", ["auto", "legacy"])


@MODES
async def test_the_whole_catalog_is_listed(connect: Callable[..., Any], mode: str) -> None:
    """Every tool comes with its schemas, and says whether it only reads."""
    async with connect(mode=mode) as client:
        listed = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert list(listed) == [tool.name for tool in CATALOG]
    for tool in CATALOG:
        shown = listed[tool.name]
        assert shown.input_schema == tool.spec()["input_schema"]
        assert shown.output_schema["required"] == ["ok", "summary", "facts"]
        assert shown.annotations.read_only_hint is not tool.writes
        assert shown.annotations.destructive_hint is False
        assert shown.annotations.open_world_hint is False
        assert ("only the user applies it" in shown.description) is tool.writes


@MODES
async def test_a_question_is_answered_with_typed_figures(
    connect: Callable[..., Any], resident: UUID, mode: str
) -> None:
    """The result is a sentence, and data that the client has checked against the tool's schema."""
    async with connect(mode=mode) as client:
        await client.list_tools()
        result = await client.call_tool("get_spending", {"by": "category", "period": "last month"})
    assert not result.is_error
    data = result.structured_content
    assert data["ok"] is True
    assert result.content[0].text == data["summary"]
    assert "October" in data["summary"]
    assert data["facts"][0].keys() == {"id", "label", "value", "unit"}
    assert data["chart"]["series"][0]["points"]
    assert json.loads(result.content[1].text)["facts"] == data["facts"]
    assert result.content[1].annotations.audience == ["assistant"]


@MODES
async def test_a_write_is_a_proposal_that_only_the_user_applies(
    connect: Callable[..., Any], client: httpx.AsyncClient, resident: UUID, database: Database, mode: str
) -> None:
    """Nothing changes by the call; the user's confirm over HTTP does it, once."""
    async with connect(mode=mode) as mcp:
        result = await mcp.call_tool("set_budget", {"category": "Dining", "amount": 261})
        made = result.structured_content["proposal"]
        assert made["status"] == "pending"
        assert "Nothing has changed yet: only the user applies it" in result.content[0].text
        assert made["id"] in result.content[0].text
        pending = await mcp.read_resource("penny://proposals/pending")
        assert [item["id"] for item in json.loads(pending.contents[0].text)["items"]] == [made["id"]]
    async with database.read(resident) as tx:
        assert not await tx.pg.fetchval("SELECT count(*) FROM budget WHERE amount_minor = 26100")
        assert not await tx.pg.fetchval("SELECT count(*) FROM journal")
    done = await client.post(f"/v1/proposals/{made['id']}/confirm", json={"hash": made["hash"]})
    assert done.json()["status"] == "applied"
    async with connect(mode=mode) as mcp:
        after = await mcp.read_resource(f"penny://proposals/{made['id']}")
        assert json.loads(after.contents[0].text)["status"] == "applied"
        budgets = json.loads((await mcp.read_resource("penny://budgets/2026-11")).contents[0].text)
    dining = next(item for item in budgets["items"] if item["category"] == "Dining")
    assert dining["budget"] == {"minor": 26100, "currency": "USD"}


@MODES
async def test_what_cannot_be_done_says_what_can(connect: Callable[..., Any], resident: UUID, mode: str) -> None:
    """Wrong arguments, names nobody knows and nonsense are results with an error, for the model to mend."""
    async with connect(mode=mode) as client:
        await client.list_tools()
        for name, arguments, said in (
            ("get_spending", {}, "by is needed"),
            ("get_spending", {"by": "category", "user_id": "x"}, "'user_id' is not an argument"),
            ("get_spending", {"by": "category", "period": "banana"}, "not a period I know"),
            ("set_budget", {"category": "Dining", "amount": -1}, "amount:"),
            ("set_budget", {"category": "x" * 200, "amount": 1}, "category:"),
            ("set_budget", {"category": "\u0000", "amount": 1}, "category"),
        ):
            result = await client.call_tool(name, arguments)
            assert result.is_error, name
            assert result.structured_content["ok"] is False
            assert said in result.content[0].text


@MODES
async def test_what_does_not_exist_is_an_error_of_the_protocol(
    connect: Callable[..., Any], resident: UUID, mode: str
) -> None:
    """A tool, resource or prompt that is not there is named as invalid, with what there is."""
    async with connect(mode=mode) as client:
        for asked, said in (
            (client.call_tool("drop_tables", {}), "set_budget"),
            (client.read_resource("penny://nothing"), "penny://accounts"),
            (client.read_resource("file:///etc/passwd"), "penny://accounts"),
            (client.read_resource("penny://budgets/2026-13"), "2026-13"),
            (client.read_resource("penny://proposals/0197b1e2-0000-7000-8000-000000000000"), "There is no proposal"),
            (client.get_prompt("nothing", {}), "monthly_review"),
            (client.get_prompt("monthly_review", {"month": "x" * 100}), "at most 40"),
            (client.list_tools(cursor="next"), "leave the cursor out"),
        ):
            with pytest.raises(MCPError) as refused:
                await asked
            assert refused.value.code == -32602
            assert said in refused.value.message


@MODES
async def test_resources_and_prompts_are_there_to_be_picked(
    connect: Callable[..., Any], resident: UUID, mode: str
) -> None:
    """Each listed resource can be read; a prompt takes a month."""
    async with connect(mode=mode) as client:
        for resource in (await client.list_resources()).resources:
            (contents,) = (await client.read_resource(resource.uri)).contents
            assert isinstance(json.loads(contents.text)["items"], list), resource.uri
        templates = (await client.list_resource_templates()).resource_templates
        assert {t.uri_template for t in templates} == {"penny://budgets/{month}", "penny://proposals/{id}"}
        assert {p.name for p in (await client.list_prompts()).prompts} == {"monthly_review", "find_savings"}
        prompt = await client.get_prompt("monthly_review", {"month": "October"})
    assert prompt.messages[0].content.text.startswith("Review October with me.")


@MODES
async def test_two_users_at_once_see_their_own(
    connect: Callable[..., Any], resident: UUID, another_token: str, mode: str
) -> None:
    """The user comes from the token of each request, also while calls of another user run in between."""
    async with connect(mode=mode) as mine, connect(another_token, mode) as theirs:
        made = await mine.call_tool("set_budget", {"category": "Dining", "amount": 240})
        proposal = made.structured_content["proposal"]["id"]
        both = await asyncio.gather(
            *(client.read_resource("penny://accounts") for _ in range(10) for client in (mine, theirs))
        )
        accounts = [len(json.loads(one.contents[0].text)["items"]) for one in both]
        assert accounts[::2] == [accounts[0]] * 10
        assert accounts[0] > 0
        assert accounts[1::2] == [0] * 10
        assert json.loads((await theirs.read_resource("penny://proposals/pending")).contents[0].text)["items"] == []
        with pytest.raises(MCPError, match="There is no proposal"):
            await theirs.read_resource(f"penny://proposals/{proposal}")
        asked = await theirs.call_tool("get_spending", {"by": "category", "period": "last month"})
        assert asked.structured_content["facts"] == [] or asked.structured_content["facts"][0]["value"] == "0.00"


async def test_undecided_proposals_do_not_pile_up(connect: Callable[..., Any], resident: UUID) -> None:
    """After twenty that wait, the next has to wait for a decision; asking at once does not get around it."""
    async with connect() as client:
        results = await asyncio.gather(
            *(client.call_tool("set_budget", {"category": "Dining", "amount": 300 + n}) for n in range(24))
        )
    refused = [r for r in results if r.is_error]
    assert len(refused) == 4
    assert "decided on first" in refused[0].content[0].text
