"""Caps of the day, what is set aside under them, and what is counted, through Bedrock's emulator."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from agent.bedrock import AwsKeys, BedrockModel
from agent.capabilities import cost
from agent.graph import build_graph
from agent.limits import Allowance
from agent.runner import Runner
from agent.scripted import ScriptedModel
from agent.start import Agent
from db.engine import Database
from domain.clock import SystemClock
from lab.bedrock_emulator import BedrockEmulator, Script, Stall, TokenCounts, ToolUse, Turn
from ledger import household
from memory import runs, sessions, usage
from memory.runs import Tokens
from memory.usage import Caps
from prompts import library

MODEL = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
NAME = f"bedrock:{MODEL}"
KEYS = AwsKeys("AKIDEXAMPLE", "secret")
LOOK = ToolUse("list_accounts", {})


@asynccontextmanager
async def running(database: Database, model: Any, **allowed: Any) -> AsyncIterator[Runner]:
    """A runner whose replies may take what `allowed` says."""
    prompt = library.load()
    caps = Caps(**{k: v for k, v in allowed.items() if k in Caps.__dataclass_fields__})
    rest = {k: v for k, v in allowed.items() if k not in Caps.__dataclass_fields__}
    agent = Agent(
        database, model, lambda: prompt, SystemClock(), build_graph(), uuid4().hex, allowance=Allowance(caps, **rest)
    )
    runner = Runner(agent, lease_seconds=5)
    await runner.start()
    try:
        yield runner
    finally:
        await runner.stop()


@asynccontextmanager
async def bedrock(*turns: Turn) -> AsyncIterator[tuple[BedrockModel, BedrockEmulator]]:
    script = Script(turns, then="repeat_last")
    async with BedrockEmulator(script, secrets={"AKIDEXAMPLE": "secret"}) as emulator:
        model = BedrockModel(MODEL, region="us-east-1", keys=KEYS, endpoint_url=emulator.url)
        yield model, emulator
        await model.close()


async def days(database: Database, user: UUID) -> list[dict[str, Any]]:
    async with database.read(user) as tx:
        return (await usage.by_day(tx, 50))[0]


async def test_usage_is_exact_and_counted_once(collect, database, user, session):
    """A look-up and its answer: the run, the day and the event agree to the last token and fraction of a cent, at the
    price of what the cache gave."""
    turns = (
        Turn("", (LOOK,), usage=TokenCounts(1000, 30, cache_read=7000, cache_write=500)),
        Turn("None.", usage=TokenCounts(100, 20, cache_read=8500)),
    )
    async with bedrock(*turns) as (model, _), running(database, model, user_tokens=10**6) as runner:
        accepted = await runner.submit(user, session, "which accounts?")
        events = await collect(runner, user, accepted.run_id)
    exact = cost(NAME, Tokens(1000, 30, 7000, 500)) + cost(NAME, Tokens(100, 20, 8500, 0))
    async with database.read(user) as tx:
        run = await runs.get(tx, accepted.run_id)
    [day] = await days(database, user)
    told = next(data for _, kind, data in events if kind == "usage")
    counts = {"input_tokens": 1100, "output_tokens": 50, "cache_read_tokens": 15500, "cache_write_tokens": 500}
    assert run["usage"] == counts
    assert {name: day[name] for name in counts} == counts
    assert {name: told[name] for name in counts} == counts
    assert Decimal(run["cost"]) == Decimal(day["cost_usd"]) == exact
    assert Decimal(str(told["cost_usd"])) == exact
    assert (day["calls"], day["unpriced_calls"], day["purpose"]) == (2, 0, "reply")


async def test_a_call_that_is_cancelled_is_counted(collect, database, user, session):
    """What broke off was read by the provider, and is paid: it is estimated, not forgotten."""
    turn = Turn("word " * 40, fault=Stall(at=20))
    async with bedrock(turn) as (model, emulator), running(database, model, user_tokens=10**6) as runner:
        accepted = await runner.submit(user, session, "talk")
        async for frame in runner.events(user, accepted.run_id):
            if frame.type == "text.delta":
                break
        await runner.cancel(user, accepted.run_id)
        events = await collect(runner, user, accepted.run_id)
        await emulator.state.wait_for(lambda state: state.cancelled == 1, seconds=30)
    assert events[-1][1] == "run.cancelled"
    [day] = await days(database, user)
    assert day["input_tokens"] > 2000
    assert day["output_tokens"] >= 1


async def test_at_the_cap_tools_answer_without_the_model(collect, database, user, session):
    """The model is not asked: a look-up that fits the words is made, its summary is said, and why."""
    async with database.transaction(user) as tx:
        await household.seed(tx, SystemClock().now().date())
    async with bedrock(Turn("Never said.")) as (model, emulator), running(database, model, user_tokens=100) as runner:
        accepted = await runner.submit(user, session, "how much did I spend on groceries last month?")
        events = await collect(runner, user, accepted.run_id)
        assert emulator.state.requests == 0
    started = next(data for _, kind, data in events if kind == "tool.started")
    finished = next(data for _, kind, data in events if kind == "tool.finished")
    assert started["name"] == "get_spending"
    assert started["args"]["category"] == "Groceries"
    assert finished["ok"]
    text = events[-1][2]["text"]
    assert text.startswith("Today's limit for your use of the language model is reached")
    assert finished["summary"] in text
    assert await days(database, user) == []


@pytest.mark.parametrize(
    ("asked", "tool"),
    [
        ("what do you know about me?", "list_facts"),
        ("which subscriptions do I pay?", "find_recurring"),
        ("what are my balances?", "list_accounts"),
        ("how am I doing?", "get_budget_status"),
        ("can I still spend something?", "get_safe_to_spend"),
        ("set dining to 200", "get_budget_status"),
    ],
)
async def test_the_look_up_fits_the_words(collect, database, user, session, asked: str, tool: str):
    """Plain rules choose the tool; what they do not know is answered by the budget's status, never by a change."""
    async with running(database, ScriptedModel([{"text": "no"}]), user_tokens=1) as runner:
        accepted = await runner.submit(user, session, asked)
        events = await collect(runner, user, accepted.run_id)
    assert [data["name"] for _, kind, data in events if kind == "tool.started"] == [tool]
    assert not any(kind == "proposal" for _, kind, _ in events)
    assert events[-1][1] == "run.finished"


async def test_parallel_replies_cannot_go_past_the_cap_together(collect, database, user):
    """Five at once under a cap that has room for two: two ask the model, three are answered without it."""
    async with database.transaction(user) as tx:
        places = [(await sessions.create(tx)).id for _ in range(5)]
    turn = Turn("Hello.", first_delay=2.0, usage=TokenCounts(10, 5))
    async with bedrock(turn) as (model, emulator):
        need = await _need(database, model, user)
        async with running(database, model, user_tokens=int(need * 2.5)) as runner:
            accepted = await asyncio.gather(*(runner.submit(user, place, "hi") for place in places))
            events = await asyncio.gather(*(collect(runner, user, each.run_id) for each in accepted))
            assert emulator.state.requests == 1 + 2
            after = await runner.submit(user, places[0], "hi again")
            assert (await collect(runner, user, after.run_id))[-1][2]["text"] == "Hello."
    texts = [e[-1][2]["text"] for e in events]
    assert sum(text == "Hello." for text in texts) == 2
    assert sum("limit" in text for text in texts) == 3


async def _need(database: Database, model: BedrockModel, user: UUID) -> int:
    """What a first call sets aside, as the run's row says."""
    async with database.transaction(user) as tx:
        place = (await sessions.create(tx)).id
    async with running(database, model, user_tokens=10**9) as runner:
        accepted = await runner.submit(user, place, "hi")
        async with database.read(user) as tx:
            reserved = await tx.pg.fetchval("SELECT reserved_tokens FROM run WHERE id = $1", accepted.run_id)
        async for _ in runner.events(user, accepted.run_id):
            pass
    assert reserved > 2000
    async with database.transaction(user) as tx:
        await tx.pg.execute("UPDATE usage_day SET input_tokens = 0, output_tokens = 0")
    return int(reserved)


async def test_a_tenants_cap_counts_all_its_users_and_nobody_elses(database: Database):
    """What a colleague used today leaves less; another tenant's usage leaves all."""
    tenant = uuid4().hex
    one, other = [await database.resolve_user("corp", tenant, name) for name in ("one", "other")]
    stranger = await database.resolve_user("corp", uuid4().hex, "one")
    for who, tokens in ((other, 900), (stranger, 10_000)):
        async with database.transaction(who) as tx:
            await tx.pg.execute(
                """
                INSERT INTO usage_day (user_id, day, model, purpose, input_tokens, cost_usd)
                VALUES ($1, (clock_timestamp() AT TIME ZONE 'UTC')::date, 'm', 'reply', $2, 0.5)
                """,
                who, tokens,
            )  # fmt: skip

    async def ask(tokens: int, usd: str, **caps: Any) -> str | None:
        async with database.transaction(one) as tx:
            return await usage.reserve(tx, uuid4(), tokens, Decimal(usd), Caps(**caps))

    assert await ask(100, "0", tenant_tokens=1000) is None
    assert await ask(101, "0", tenant_tokens=1000) == "tenant_tokens"
    assert await ask(1, "0.51", tenant_usd=Decimal(1)) == "tenant_cost"
    assert await ask(1, "0.49", tenant_usd=Decimal(1)) is None
    assert await ask(101, "0", user_tokens=100) == "user_tokens"
    assert await ask(1, "0.2", user_usd=Decimal("0.1")) == "user_cost"


async def test_tokens_from_the_cache_count_a_tenth(database: Database, user: UUID):
    """As they cost about a tenth."""
    async with database.transaction(user) as tx:
        await tx.pg.execute(
            """
            INSERT INTO usage_day (user_id, day, model, purpose, cache_read_tokens)
            VALUES ($1, (clock_timestamp() AT TIME ZONE 'UTC')::date, 'm', 'reply', 1000)
            """,
            user,
        )
        assert (await usage.today(tx))[1] == Tokens(cache_read=1000).weight == 100
        assert await usage.reserve(tx, uuid4(), 100, Decimal(), Caps(200)) is None
        assert await usage.reserve(tx, uuid4(), 101, Decimal(), Caps(200)) == "user_tokens"


async def test_a_model_without_a_price_says_so(collect, database, user, session):
    """No cost is made up: the run's is null, the day counts the call as unpriced."""
    async with running(database, ScriptedModel([{"text": "Hi."}])) as runner:
        accepted = await runner.submit(user, session, "hi")
        events = await collect(runner, user, accepted.run_id)
    async with database.read(user) as tx:
        assert (await runs.get(tx, accepted.run_id))["cost"] is None
    [day] = await days(database, user)
    assert (day["cost_usd"], day["unpriced_calls"], day["model"]) == ("0", 1, "scripted")
    assert "cost_usd" not in next(data for _, kind, data in events if kind == "usage")


async def test_loops_and_proposals_of_a_reply_are_bounded(collect, database, user, session):
    """As many rounds of tool calls as are allowed, then what was found; as many proposals, then a refusal."""
    async with running(
        database, ScriptedModel([{"tool_calls": [{"name": "list_accounts", "args": {}}]}]), tool_rounds=2
    ) as runner:
        accepted = await runner.submit(user, session, "go on")
        events = await collect(runner, user, accepted.run_id)
    assert sum(kind == "tool.started" for _, kind, _ in events) == 2
    assert "stopped after 2 rounds" in events[-1][2]["text"]
    names = [{"name": "create_category", "args": {"name": f"Thing {n}"}} for n in range(3)]
    async with running(database, ScriptedModel([{"tool_calls": names}, {"text": "Done."}]), proposals=1) as runner:
        accepted = await runner.submit(user, session, "three categories")
        events = await collect(runner, user, accepted.run_id)
    assert [data["ok"] for _, kind, data in events if kind == "tool.finished"] == [True, False, False]


async def test_nobody_reads_anothers_usage(database: Database, user: UUID, admin_url: str):
    """The overview is the worker's alone, and usage rows are their user's."""
    async with database.transaction(user) as tx:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with tx.savepoint():
                await tx.pg.fetch("SELECT * FROM usage_overview('2020-01-01')")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with tx.savepoint():
                await tx.pg.fetch("SELECT * FROM usage_of(ARRAY[$1::uuid], '2020-01-01', $1)", user)
