"""`penny doctor` says of each thing whether it is right, what is wrong, and what to do about it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest

from db.connection import Login
from db.embedded import Server
from db.migrate import migrate
from domain.errors import Unavailable
from lab.bedrock_emulator import BedrockEmulator
from lab.bedrock_emulator.script import Refusal, Script, Turn
from penny.doctor import finding
from penny.doctor.finding import Nothing, Wrong, look

MODEL = "bedrock:us.anthropic.claude-sonnet-4-5-20250929-v1:0"
LOGIN = Login("penny_doctor_test", "hunter2hunter2")


@pytest.fixture
async def url(postgres: Server, admin_url: str) -> str:
    """The database as a service reaches it: by a login that may only act as the two roles."""
    await migrate(admin_url, login=LOGIN)
    return f"postgresql://{LOGIN.user}:{LOGIN.password}@{postgres.admin_url.rpartition('@')[2]}"


def aws(bedrock: BedrockEmulator) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": bedrock.url,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
    }


def found(out: str) -> dict[str, dict[str, Any]]:
    return {line["name"]: line for line in map(json.loads, out.splitlines())}


async def test_a_right_configuration_is_all_right(penny: Callable[..., Awaitable[Any]], url: str):
    """Every look, with a model that is asked for a single token; exit code 0."""
    async with BedrockEmulator(Script((Turn("OK"),))) as bedrock:
        done = await penny("doctor", "--json", PENNY_DATABASE_URL=url, PENNY_MODEL=MODEL, **aws(bedrock))
        (asked,) = bedrock.state.bodies
    told = found(done.out)
    assert done.code == 0, done.out + done.err
    assert [name for name, one in told.items() if one["ok"] is None] == ["encryption", "channels"]
    assert all(one["ok"] is not False for one in told.values())
    assert asked["inferenceConfig"]["maxTokens"] == 1
    assert LOGIN.password not in done.out


async def test_what_is_wrong_is_said_with_what_to_do(penny: Callable[..., Awaitable[Any]], postgres: Server):
    """A superuser's login, a database without tables, no access to the model: three lines, exit code 1, no trace."""
    admin = await asyncpg.connect(postgres.admin_url)
    await admin.execute("DROP DATABASE IF EXISTS doctor_empty")
    await admin.execute("CREATE DATABASE doctor_empty")
    await admin.close()
    address, _, query = postgres.admin_url.partition("?")
    empty = f"{address.rpartition('/')[0]}/doctor_empty?{query}"
    refused = Turn(refusal=Refusal("AccessDeniedException", times=9))
    async with BedrockEmulator(Script((refused,))) as bedrock:
        done = await penny("doctor", "--json", PENNY_DATABASE_URL=empty, PENNY_MODEL=MODEL, **aws(bedrock))
    told = found(done.out)
    assert done.code == 1
    assert "Traceback" not in done.err
    assert told["database"]["ok"]
    assert (told["schema"]["ok"], told["schema"]["fix"]) == (False, "Run `penny migrate`.")
    assert told["roles"]["ok"] is False
    assert "enable model access" in told["model"]["said"]


async def test_a_database_that_is_away_does_not_end_the_other_looks(penny: Callable[..., Awaitable[Any]]):
    """For people: a mark, what is wrong, and an arrow to what to do."""
    done = await penny(
        "doctor", PENNY_DATABASE_URL="postgresql://u:hunter2@127.0.0.1:9/penny", PENNY_MODEL="scripted:x"
    )
    assert done.code == 1
    assert "WRONG  database" in done.out
    assert "-> Check that it runs" in done.out
    assert "ok     disk" in done.out
    assert "hunter2" not in done.out + done.err


async def test_a_deployment_is_looked_at_from_outside(
    serve: Callable[..., Awaitable[Any]], penny: Callable[..., Awaitable[Any]], tmp_path: Any
):
    """One that gives tokens to whoever asks is said to be wrong; the rest of it is right."""
    script = tmp_path / "script.json"
    script.write_text('[{"text": "Hello."}]')
    server = await serve(PENNY_MODEL=f"scripted:{script}")
    done = await penny("doctor", "--json", "--url", server.url)
    told = found(done.out)
    assert done.code == 1
    assert [name for name in ("alive", "ready", "clock") if told[name]["ok"] is not True] == []
    assert (told["protected"]["ok"], told["encrypted"]["ok"]) == (False, None)


async def test_looks_end_by_themselves(monkeypatch: pytest.MonkeyPatch):
    """One that takes too long, one that breaks and one that is refused are findings; the next is still looked at."""

    async def slow() -> str:
        await asyncio.sleep(60)
        return ""

    async def broken() -> str:
        raise KeyError("secret words")

    async def away() -> str:
        raise Unavailable("It is away.")

    async def wrong() -> str:
        raise Wrong("It is red.", "Paint it.")

    async def nothing() -> str:
        raise Nothing("None.")

    async def right() -> str:
        return "Fine."

    monkeypatch.setattr(finding, "LOOK_SECONDS", 0.05)
    looks = {"slow": slow, "broken": broken, "away": away, "wrong": wrong, "nothing": nothing, "right": right}
    told = [one async for one in look({name: (each, "Fix it.") for name, each in looks.items()})]
    assert [one.ok for one in told] == [False, False, False, False, None, True]
    assert [one.fix for one in told] == ["Fix it.", "Fix it.", "Fix it.", "Paint it.", "", ""]
    assert "secret words" not in str(told)
