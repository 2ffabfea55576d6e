"""The wires that others designed when a server dies in the middle of a reply: their own clients go on at another."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import pytest

CLIENTS = Path(__file__).parents[1] / "clients"
WORDS = 60


@pytest.fixture(scope="session")
def node() -> Any:
    """Runs Node scripts that import the clients' packages."""
    spec = importlib.util.spec_from_file_location("tests_clients_npm", CLIENTS / "npm.py")
    assert spec is not None
    assert spec.loader is not None
    npm = sys.modules.setdefault(spec.name, importlib.util.module_from_spec(spec))  # dataclasses look for it there
    spec.loader.exec_module(npm)
    try:
        return npm.Node(npm.installed())
    except npm.NpmUnreachable as error:
        pytest.fail(str(error))


async def played(node: Any, script: str, serve: Any, **env: str) -> tuple[dict[str, Any], Any]:
    """What the script saw with a server that it kills, and the other server."""
    dying, other = await asyncio.gather(serve(), serve())
    token = other.client.headers["authorization"].removeprefix("Bearer ")
    said = f"say {WORDS} 0.05"
    urls = f"{dying.url} {other.url}"
    ran = await node(CLIENTS / script, URLS=urls, PID=str(dying.pid), TOKEN=token, SAY=said, **env)
    return json.loads(ran.out.splitlines()[-1]), other


async def reply_of(server: Any) -> str:
    """The reply as it is stored, in the session that was used last."""
    session = (await server.client.get("/v1/sessions", params={"limit": 1})).json()["items"][0]["id"]
    items = (await server.client.get(f"/v1/sessions/{session}/messages")).json()["items"]
    assert len(items) == 2
    assert len(items[1]["text"].split()) == WORDS
    return str(items[1]["text"])


async def test_an_ag_ui_client_sees_the_final_text_across_a_takeover(serve: Any, node: Any) -> None:
    """Who was served by the dead server comes back, who was not is shown what was withdrawn; both end with the same
    messages, which are those that are stored."""
    seen, other = await played(node, "ag_ui/takeover.mjs", serve)
    stored = await reply_of(other)
    assert seen["first"] == "broke off"
    assert not stored.startswith(seen["early"])
    assert seen["mine"] == seen["theirs"] == [f"user: say {WORDS} 0.05", f"assistant: {stored}"]
    assert seen["kinds"].count("MESSAGES_SNAPSHOT") == 3  # on coming, for what was withdrawn, at the end
    assert seen["kinds"].count("RUN_FINISHED") == 1


async def test_an_ai_sdk_client_is_told_that_the_answer_starts_over(serve: Any, node: Any) -> None:
    """Who follows across the takeover reads that the answer starts over and then all of it; who comes back after it
    reads the final text in the parts that count."""
    seen, other = await played(node, "ai_sdk/takeover.mjs", serve, AI="ai-v7")
    stored = await reply_of(other)
    assert seen["broke"] == "error"
    for parts in (seen["theirs"], seen["again"]):
        assert "starts over" in parts[-1]
        assert parts[-1].endswith(stored)
    assert seen["retracted"] == 1
