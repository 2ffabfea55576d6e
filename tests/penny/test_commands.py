"""The command line, each command in a process of its own, on the embedded database."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

SET = [
    {"tool_calls": [{"name": "set_budget", "args": {"category": "dining", "amount": 250}}]},
    {"text": "{summary}"},
]


@pytest.fixture
def model(tmp_path: Path) -> str:
    """A script that proposes a budget."""
    path = tmp_path / "script.json"
    path.write_text(json.dumps(SET))
    return f"scripted:{path}"


async def test_ask_confirm_and_undo_from_the_terminal(penny, model: str):
    """A proposal is made, listed, applied once, and taken back; every step without a server."""
    assert (await penny("seed")).code == 0
    asked = await penny("ask", "set dining to 250", "--json", PENNY_MODEL=model)
    assert asked.code == 0, asked.err
    events = [json.loads(line) for line in asked.out.splitlines()]
    assert [e["seq"] for e in events] == list(range(1, len(events) + 1))
    assert events[0]["type"] == "run.started"
    assert events[-1]["type"] == "run.finished"
    made = next(e["data"] for e in events if e["type"] == "proposal")

    listed = await penny("proposals", "--status", "pending", "--json")
    assert [json.loads(line)["id"] for line in listed.out.splitlines()] == [made["id"]]
    assert "Dining" in (await penny("proposals")).out

    first = await penny("confirm", made["id"], "--json")
    again = await penny("confirm", made["id"], "--json")
    assert json.loads(first.out)["journal_id"] == json.loads(again.out)["journal_id"]
    undone = await penny("undo")
    assert undone.code == 0
    assert "-> $" in undone.out
    rejected = await penny("reject", made["id"])
    assert rejected.code == 1
    assert rejected.err.startswith("penny: ")


async def test_a_session_goes_on_in_another_process(penny, model: str):
    """--session continues; the session is printed when it is new."""
    first = await penny("ask", "hello", PENNY_MODEL=model)
    session = first.err.split("session ")[1].split()[0]
    second = await penny("ask", "again", "--session", session, "--json", PENNY_MODEL=model)
    assert json.loads(second.out.splitlines()[0])["data"]["session_id"] == session


@pytest.mark.parametrize(
    ("arguments", "env", "says"),
    [
        (("ask", "hi", "--session", "nope"), {}, "no session"),
        (("confirm", "nope"), {}, "no proposal"),
        (("ask", "hi"), {"PENNY_MODEL": "gpt"}, "PENNY_MODEL"),
        (("ask", "hi"), {"PENNY_MODEL": "scripted:/nowhere.json"}, "/nowhere.json"),
        (("ask", "hi"), {"PENNY_MODEL": "bedrock:anthropic.claude-sonnet-4-20250514-v1:0"}, "AWS"),
        (
            ("ask", "hi"),
            {
                "PENNY_MODEL": "bedrock:nobody.has-priced-this-v1:0",
                "PENNY_LIMITS_COST_USD_DAY": "1",
                "AWS_REGION": "us-east-1",
                "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
                "AWS_SECRET_ACCESS_KEY": "none",
            },
            "a cap in dollars cannot be kept",
        ),
        (("ask", "hi"), {"PENNY_MODEL": "local", "PENNY_LOCAL_GGUF": "/nowhere.gguf"}, "/nowhere.gguf"),
        (("proposals",), {"PENNY_DATABASE_URL": "postgresql://u:hunter2@127.0.0.1:1/x"}, "127.0.0.1:1"),
        (("proposals",), {"PENNY_DATABASE_URL": "mysql://x"}, "PENNY_DATABASE_URL"),
        (("proposals",), {"PENNY_NONSENSE": "1"}, "PENNY_NONSENSE"),
        (("token", "--user", "a"), {"PENNY_AUTH": "hs256:/key"}, "PENNY_AUTH"),
    ],
)
async def test_what_is_wrong_is_said_in_one_sentence(penny, arguments, env, says: str):
    """On standard error, exit code 1, without a stack trace or a password."""
    done = await penny(*arguments, **env)
    assert done.code == 1
    lines = [
        line for line in done.err.splitlines() if not line.startswith(("penny: starting", "penny: database schema"))
    ]
    assert says in lines[-1]
    assert len([line for line in lines if not line.startswith("penny: session")]) == 1
    assert "Traceback" not in done.err
    assert "hunter2" not in done.err


@pytest.mark.parametrize("arguments", ["ask", "proposals --status lost", "serve --port x", "nope"])
async def test_wrong_usage_exits_with_two(penny, arguments: str):
    """A missing argument, a value that is not one of the choices, an unknown command."""
    assert (await penny(*arguments.split())).code == 2


async def test_chat_decides_on_a_proposal_and_undoes_it(penny, model: str):
    """y applies, /why shows the facts, /undo takes it back, end of input leaves."""
    await penny("seed")
    done = await penny("chat", stdin="set dining to 250\ny\n/why\n/undo\n/quit\n", PENNY_MODEL=model)
    assert done.code == 0, done.err
    assert "Applied." in done.out
    assert "Done: " in done.out


async def test_seed_gives_the_household_once(penny):
    """The second time says that it is there; --reset replaces it."""
    first = json.loads((await penny("seed", "--json")).out)
    again = json.loads((await penny("seed", "--json")).out)
    reset = json.loads((await penny("seed", "--reset", "--json")).out)
    assert first["transactions"] == reset["transactions"] > 1000
    assert again["transactions"] == 0


async def test_the_help_names_every_command(penny):
    """`penny --help` is complete."""
    out = (await penny("--help")).out
    for command in (
        "prompts",
        "serve",
        "ask",
        "chat",
        "confirm",
        "reject",
        "proposals",
        "undo",
        "seed",
        "migrate",
        "token",
        "db",
    ):
        assert f" {command} " in out


async def test_an_operator_sees_follows_and_retries_runs(penny, tmp_path: Path):
    """`penny runs` lists what failed, shows why, prints its events, queues its message again, and stops that."""
    broken = tmp_path / "broken.json"
    broken.write_text(json.dumps([{"error": "The model is busy."}]))
    assert (await penny("ask", "hello", PENNY_MODEL=f"scripted:{broken}")).code == 1
    failed = await penny("runs", "list", "--status", "failed", "--json")
    listed = [json.loads(line) for line in failed.out.splitlines()]
    assert len(listed) == 1
    run = listed[0]["id"]
    assert "busy" in (await penny("runs", "show", run)).out
    events = [json.loads(line) for line in (await penny("runs", "follow", run)).out.splitlines()]
    assert events[-1]["type"] == "run.failed"
    queued = json.loads((await penny("runs", "retry", run, "--json")).out)["run_id"]
    assert queued in (await penny("runs", "list", "--status", "queued")).out
    assert "only failed and cancelled" in (await penny("runs", "retry", queued)).err
    assert (await penny("runs", "cancel", queued)).out == "It was waiting, and is cancelled.\n"
