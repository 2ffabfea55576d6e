"""The main job from outside: `penny serve` in a process of its own, over HTTP, with Bedrock's wire behind it."""

from __future__ import annotations

import json
import re
import signal
from datetime import UTC, datetime
from typing import Any

import pytest

from domain.money import Money
from domain.periods import Month
from lab.bedrock_emulator import BedrockEmulator
from lab.bedrock_emulator.script import ToolUse, Turn
from ledger import household

KEYS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1"}
MODEL = "bedrock:anthropic.claude-sonnet-4-20250514-v1:0"

CALLS = {
    "how much did I spend on groceries last month?": ToolUse(
        "get_spending", {"by": "category", "category": "groceries", "period": "last month"}
    ),
    "and the month before?": ToolUse(
        "get_spending", {"by": "category", "category": "Groceries", "period": "the month before"}
    ),
    "set dining to 250": ToolUse("set_budget", {"category": "dining", "amount": 250}),
    "undo that": ToolUse("undo_change", {}),
}


def answer(request: dict[str, Any]) -> Turn:
    """Claude as a script: calls the tool for the message, then says the tool's own sentence."""
    last = request["messages"][-1]["content"]
    results = [block["toolResult"] for block in last if "toolResult" in block]
    if results:
        content = results[0]["content"][0]
        data = content["json"] if "json" in content else json.loads(content["text"])
        return Turn(data["summary"])
    text = " ".join(block["text"] for block in last if "text" in block).split("\n\n")[-1]
    return Turn("", (CALLS[text],))


def groceries(months_ago: int) -> str:
    """What the sample household spent on groceries so many months ago, computed from its plan and not by SQL."""
    today = datetime.now(UTC).date()
    month = Month.of(today).plus(-months_ago)
    lived = household.generate(today)
    spent = sum(
        -t.amount.minor
        for t in lived.transactions
        if t.category == "Groceries" and t.day in month.days and t.amount.currency == "USD"
    )
    return Money(spent, "USD").format()


async def test_the_conversation_of_the_readme_through_bedrocks_wire(serve):
    """Amounts are SQL's, a follow-up understands, a card is applied once, undo proposes the reversal, a restart keeps
    the session."""
    async with BedrockEmulator(answer) as emulator:
        bedrock = {"PENNY_MODEL": MODEL, "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": emulator.url, **KEYS}
        server = await serve(**bedrock)
        session = await server.new_session()

        events = await server.stream(session, "how much did I spend on groceries last month?")
        assert groceries(1) in events[-1][1]["text"]
        assert [kind for kind, _ in events if kind != "text.delta"] == [
            "run.started", "tool.started", "tool.finished", "grounding", "usage", "run.finished",
        ]  # fmt: skip
        assert groceries(2) in (await server.ask(session, "and the month before?"))["reply"]

        proposed = (await server.ask(session, "set dining to 250"))["proposals"][0]
        assert proposed["status"] == "pending"
        first = await server.client.post(f"/v1/proposals/{proposed['id']}/confirm", json={"hash": proposed["hash"]})
        again = await server.client.post(f"/v1/proposals/{proposed['id']}/confirm", json={"hash": proposed["hash"]})
        assert first.status_code == again.status_code == 200
        assert first.json()["journal_id"] == again.json()["journal_id"]

        undo = (await server.ask(session, "undo that"))["proposals"][0]
        diff = undo["diff"][0]
        assert diff["before"] != diff["after"]
        assert diff["after"] == proposed["diff"][0]["before"]

        assert await server.stop() == 0
        server = await serve(**bedrock)
        items = (await server.client.get(f"/v1/sessions/{session}/messages")).json()["items"]
        roles = [item["role"] for item in items]
        assert roles == ["user", "assistant", "user", "assistant", "user", "assistant", "decision", "user", "assistant"]
        assert "how much did I spend on groceries last month?" in items[0]["text"]
        assert groceries(1) in (await server.ask(session, "how much did I spend on groceries last month?"))["reply"]
        await server.stop()
    assert emulator.state.open_streams == 0


async def test_a_kill_in_the_middle_of_a_reply_loses_nothing(serve, home):
    """kill -9 while the model speaks: the next server goes on, and a reader that resumes ends with the final text."""
    text = "word " * 300
    slow = lambda request: Turn(text.strip(), token_delay=0.02)  # noqa: E731
    async with BedrockEmulator(slow) as emulator:
        bedrock = {"PENNY_MODEL": MODEL, "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": emulator.url, "PENNY_LEASE_SECONDS": "1"}
        server = await serve(**bedrock, **KEYS)
        session = await server.new_session()
        accepted = await server.client.post(
            f"/v1/sessions/{session}/messages", json={"text": "talk"}, headers={"Prefer": "respond-async"}
        )
        run = accepted.json()["run_id"]
        seen: dict[int, tuple[str, dict[str, Any]]] = {}

        async def read(server: Any, until: int) -> None:
            after = max(seen, default=0)
            async with server.client.stream("GET", f"/v1/runs/{run}/events", params={"after": after}) as response:
                seq, kind = 0, ""
                async for line in response.aiter_lines():
                    if line.startswith("id: "):
                        seq = int(line[4:])
                    elif line.startswith("event: "):
                        kind = line[7:]
                    elif line.startswith("data: "):
                        assert seq == len(seen) + 1, "ids are dense and none is seen twice"
                        seen[seq] = (kind, json.loads(line[6:]))
                        if len(seen) >= until:
                            return

        await read(server, 6)
        server.process.send_signal(signal.SIGKILL)
        await server.process.wait()
        server = await serve(**bedrock, **KEYS)
        await read(server, 10**9)
        shown = ""
        for kind, data in seen.values():
            if kind == "text.delta":
                shown += data["text"]
            elif kind == "text.retracted":
                shown = shown[: data["keep"]]
        assert seen[len(seen)][0] == "run.finished"
        assert shown == seen[len(seen)][1]["text"] == text.strip()
        assert "run.resumed" in [kind for kind, _ in seen.values()]
        await server.stop()


async def test_everything_is_stopped_that_was_started(serve, home):
    """Ctrl-C ends the server with exit code 0 and the embedded database with it."""
    server = await serve(PENNY_MODEL=f"scripted:{_script(home)}")
    assert await server.stop(signal.SIGINT) == 0
    from db.embedded import status

    assert not status(home).running


async def test_a_taken_port_is_said_in_one_sentence(serve, penny, home):
    """The second server names the port and the way out, and exits with 1."""
    server = await serve(PENNY_MODEL=f"scripted:{_script(home)}")
    port = server.url.rpartition(":")[2]
    done = await penny("serve", "--port", port, PENNY_MODEL="local")
    assert done.code == 1
    assert re.fullmatch(rf"penny: Port {port} on 127.0.0.1 is taken .*--port.*\n", done.err)
    await server.stop()


def _script(home: Any) -> str:
    path = home / "script.json"
    path.write_text(json.dumps([{"text": "Hello."}]))
    return str(path)


async def test_dev_authentication_does_not_leave_this_machine(penny):
    """--host 0.0.0.0 with PENNY_AUTH=dev is refused."""
    done = await penny("serve", "--host", "0.0.0.0")  # noqa: S104
    assert done.code == 1
    assert "loopback" in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_a_started_server_is_healthy_and_ready(serve, home, path: str):
    """Both answer 200 once `ready` was said."""
    server = await serve(PENNY_MODEL=f"scripted:{_script(home)}")
    assert (await server.client.get(path)).status_code == 200
    await server.stop()
