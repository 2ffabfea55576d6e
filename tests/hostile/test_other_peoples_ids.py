"""Another user's ids wherever a client may put an id: on every wire, in bodies, queries and headers. Nothing of theirs
is in any answer, and nothing of theirs changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

SSE = {"Accept": "text/event-stream"}


def ai_sdk(ids: dict[str, str]) -> list[tuple[str, str, dict[str, Any]]]:
    approved = {"id": f"{ids['proposal']}.{ids['hash']}", "approved": True}
    part = {"type": "tool-set_budget", "toolCallId": "c", "state": "approval-responded", "input": {}}
    user = {"id": "u", "role": "user", "parts": [{"type": "text", "text": "hi"}]}
    return [
        ("POST", "/ai-sdk/chat", {"id": ids["session"], "messages": [user]}),
        ("POST", "/ai-sdk/chat", {"id": ids["run"], "messages": [user]}),
        (
            "POST",
            "/ai-sdk/chat",
            {"id": "c", "messages": [user, {"id": "a", "role": "assistant", "parts": [part | {"approval": approved}]}]},
        ),
        ("GET", f"/ai-sdk/chat/{ids['session']}/stream", {}),
        ("GET", f"/ai-sdk/chat/{ids['session']}", {}),
        ("DELETE", f"/ai-sdk/chat/{ids['session']}/stream", {}),
    ]


def ag_ui(ids: dict[str, str]) -> list[tuple[str, str, dict[str, Any]]]:
    def run(**more: Any) -> dict[str, Any]:
        given = {"threadId": ids["session"], "runId": ids["run"], "state": {}, "tools": [], "context": []}
        return given | {"messages": [], "forwardedProps": {}, **more}

    decision = {"interruptId": f"{ids['proposal']}.{ids['hash']}", "status": "resolved", "payload": {"approved": True}}
    return [
        ("POST", "/ag-ui", run()),
        ("POST", "/ag-ui", run(messages=[{"id": "m", "role": "user", "content": "hi"}])),
        ("POST", "/ag-ui", run(resume=[decision])),
    ]


def openai(ids: dict[str, str]) -> list[tuple[str, str, dict[str, Any]]]:
    said = [{"role": "user", "content": "hi"}]
    return [
        (
            "POST",
            "/openai/v1/chat/completions",
            {"model": "penny", "messages": said, "metadata": {"session_id": ids["session"]}},
        ),
        ("POST", "/openai/v1/chat/completions", {"model": "penny", "messages": said, "user": ids["user"]}),
        (
            "POST",
            "/openai/v1/responses",
            {"model": "penny", "input": "hi", "previous_response_id": f"resp_{ids['run']}"},
        ),
        ("POST", "/openai/v1/responses", {"model": "penny", "input": "hi", "conversation": ids["session"]}),
    ]


def native(ids: dict[str, str]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        ("POST", "/v1/sessions/{mine}/messages", {"text": "hi", "edit_of": ids["session"]}),
        ("POST", "/v1/sessions/{mine}/messages", {"text": "hi", "client_id": ids["run"]}),
        ("GET", f"/v1/transactions?account={ids['account']}", {}),
        ("GET", f"/v1/transactions?category={ids['category']}", {}),
        ("GET", f"/v1/transactions?cursor={ids['txn']}", {}),
        ("GET", f"/v1/sessions?cursor={ids['session']}", {}),
        ("GET", f"/v1/proposals?cursor={ids['proposal']}", {}),
        ("GET", f"/v1/journal?cursor={ids['journal']}", {}),
        ("POST", f"/v1/proposals/{ids['proposal']}/confirm", {"hash": ids["hash"]}),
        ("PATCH", f"/v1/facts/{ids['fact']}", {"text": "mine now"}),
        ("DELETE", f"/v1/facts/{ids['fact']}", {}),
        ("DELETE", f"/v1/sessions/{ids['session']}", {}),
    ]


@pytest.mark.parametrize("wire", [native, ai_sdk, ag_ui, openai])
async def test_no_wire_reaches_another_users_things(
    wire: Callable[..., Any], stage: Any, target: Any, bystander: Any, tell: Callable[[str], None]
) -> None:
    """Whatever the answer is, it has none of their words, is no 5xx, and every row of theirs is as it was, their
    conversations included."""
    everything = ("session", "message", "run", "proposal")
    before = await stage.rows(bystander.user, everything)
    calls = wire(bystander.ids)
    for method, path, body in calls:
        stage.model.play([{"text": "Hello."}])
        answer = await target.client.request(
            method, path.replace("{mine}", target.ids["session"]), json=body or None, headers=SSE
        )
        assert answer.status_code < 500, (method, path, answer.text)
        assert not any(secret in answer.text for secret in bystander.secrets), (method, path)
    assert await stage.rows(bystander.user, everything) == before
    tell(f"another's ids on {wire.__name__}: {len(calls)} requests, nothing seen, nothing changed")


async def test_tools_over_mcp_reach_nothing_of_anothers(
    stage: Any, target: Any, bystander: Any, mcp: Callable[..., Any]
) -> None:
    """Every tool is called over MCP with another user's ids as each of its text arguments."""
    from tools.catalog import CATALOG

    before = await stage.rows(bystander.user, ("proposal",))
    calls = 0
    for tool in CATALOG:
        properties = tool.spec()["input_schema"]["properties"]
        for name in ("account", "txn", "proposal", "user"):
            arguments = {
                key: bystander.ids[name] if shape.get("type") == "string" and "enum" not in shape else 1
                for key, shape in properties.items()
            }
            answer: httpx.Response = await mcp(target.client, tool.name, arguments)
            calls += 1
            assert answer.status_code < 500, (tool.name, answer.text)
            assert not any(secret in answer.text for secret in bystander.secrets), tool.name
    assert await stage.rows(bystander.user, ("proposal",)) == before
    assert calls >= 100
