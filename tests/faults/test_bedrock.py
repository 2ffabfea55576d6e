"""What Penny survives of Bedrock, through graph, log and database: what a reader of the run's events sees."""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any
from uuid import UUID

import orjson
import pytest

from agent.bedrock import AwsKeys, BedrockModel
from agent.graph import build_graph
from agent.limits import Limits
from agent.run import Agent
from agent.runner import Runner
from db.engine import Database
from domain.clock import SystemClock
from lab.bedrock_emulator import (
    BedrockEmulator,
    Corrupt,
    Hang,
    Refusal,
    Reset,
    Stall,
    StreamException,
    ToolUse,
    Truncate,
    Turn,
)
from memory import sessions
from prompts import library

MODEL = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
WORDS = "one two three four five six seven eight."
TERMINAL = {"run.finished", "run.failed", "run.cancelled"}
IN_STREAM = (
    "throttlingException",
    "modelStreamErrorException",
    "internalServerException",
    "serviceUnavailableException",
    "validationException",
)

Events = list[tuple[str, dict[str, Any]]]


class Bench:
    """A runner over an emulator whose answers the test chooses by the user's words."""

    def __init__(self, emulator: BedrockEmulator, runner: Runner, database: Database, user: UUID) -> None:
        self.emulator, self.runner, self._database, self._user = emulator, runner, database, user

    async def send(self, text: str) -> UUID:
        """The run of a message in a session of its own."""
        async with self._database.transaction(self._user) as tx:
            session = (await sessions.create(tx)).id
        return (await self.runner.submit(self._user, session, text)).run_id

    async def read(self, run: UUID) -> Events:
        return [(kind, orjson.loads(data)) async for _, kind, data in self.runner.events(self._user, run, 0)]

    async def ask(self, text: str) -> Events:
        return await self.read(await self.send(text))

    async def cancel(self, run: UUID) -> None:
        await self.runner.cancel(self._user, run)


@pytest.fixture
def bench(database: Database, nothing_waits: None) -> Callable[..., AbstractAsyncContextManager[Bench]]:
    """`async with bench(responder, **options of the model) as it`."""

    @asynccontextmanager
    async def opened(respond: Callable[[str], Turn], **options: Any) -> AsyncIterator[Bench]:
        def turn(asked: Any) -> Turn:
            blocks = asked["messages"][-1]["content"]
            if any("toolResult" in block for block in blocks):
                return Turn("Done.")
            return respond(next(block["text"] for block in blocks if "text" in block))

        user = await database.resolve_user("test", "", uuid.uuid4().hex)
        async with BedrockEmulator(turn) as emulator:
            model = BedrockModel(
                MODEL, region="us-east-1", endpoint_url=emulator.url, keys=AwsKeys("AKIDEXAMPLE", "secret"), **options
            )
            prompt = library.load()
            agent = Agent(database, model, lambda: prompt, SystemClock(), build_graph(), uuid.uuid4().hex)
            runner = Runner(agent, lease_seconds=30.0, limits=Limits(runs_per_user=1000))
            await runner.start()
            try:
                yield Bench(emulator, runner, database, user)
            finally:
                await runner.stop()
                await model.close()

    return opened


def outcome(events: Events) -> dict[str, Any]:
    """The one terminal event, which is the last."""
    assert [kind for kind, _ in events if kind in TERMINAL] == [events[-1][0]]
    return events[-1][1]


def text_of(events: Events) -> str:
    return "".join(data["text"] for kind, data in events if kind == "text.delta")


async def test_throttling_is_tried_three_times_and_told_within_ten_seconds(bench):
    """Twenty messages, throttled or answered 503: at most 3 tries each, one typed error that may be retried."""

    def refuse(text: str) -> Turn:
        return Turn("", refusal=Refusal(text, times=99))

    async with bench(refuse) as it:
        kinds = ["ThrottlingException", "ServiceUnavailableException"] * 10
        began = time.monotonic()
        ended = [outcome(events) for events in await asyncio.gather(*(it.ask(kind) for kind in kinds))]
        took = time.monotonic() - began
        assert it.emulator.state.requests == 60
    assert {(e["code"], e["retryable"]) for e in ended[::2]} == {("model_throttled", True)}
    assert {(e["code"], e["retryable"]) for e in ended[1::2]} == {("model_unavailable", True)}
    print(f"20 throttled, 60 tries, all told within {took:.1f} s (ten alone)")  # noqa: T201


async def test_an_exception_in_the_stream_ends_the_run_once(bench, chance: random.Random):
    """Five kinds at four points: one terminal event, nothing said twice, no call run, no second request."""
    points = [0, 1, *chance.sample(range(2, 9), 2)]

    def broken(text: str) -> Turn:
        kind, at = text.split()
        return Turn(WORDS, (ToolUse("list_accounts", {}),), fault=StreamException(int(at), kind))

    async with bench(broken) as it:
        cases = [(kind, at) for kind in IN_STREAM for at in points]
        replies = await asyncio.gather(*(it.ask(f"{kind} {at}") for kind, at in cases))
        for (kind, at), events in zip(cases, replies, strict=True):
            expected = "model_throttled" if kind.startswith("throttling") else "model_unavailable"
            assert outcome(events)["code"] == expected
            assert text_of(events) == "".join(Turn(WORDS).tokens[: max(0, at - 1)])
            assert "tool.started" not in [name for name, _ in events]
        assert it.emulator.state.requests == len(cases)
    print(f"{len(cases)} exceptions in streams, after frames {points}")  # noqa: T201


async def test_a_stream_that_breaks_or_stalls_is_noticed_and_no_part_of_a_call_runs(bench, chance: random.Random):
    """Reset, end without messageStop, wrong checksum, stall, silence, in text and in a call: each is one error."""
    faults: list[Any] = []
    for make in (Reset, Truncate, Corrupt, Stall):
        faults += [make(at) for at in chance.sample(range(1, 14), 3)]
    faults += [Hang(), Truncate(12), Stall(11)]

    def broken(text: str) -> Turn:
        call = ToolUse("create_category", {"name": "Bees and other insects"})
        return Turn(WORDS, (call,), fault=faults[int(text)])

    async with bench(broken, idle_seconds=0.5) as it:
        replies = await asyncio.gather(*(it.ask(str(n)) for n in range(len(faults))))
        for events in replies:
            assert outcome(events)["code"] == "model_unavailable"
            assert outcome(events)["retryable"] is True
            assert WORDS.startswith(text_of(events))
            assert not {"tool.started", "proposal"} & {kind for kind, _ in events}
        await it.emulator.state.wait_for(lambda state: state.open_streams == 0, seconds=30)
    print(f"{len(faults)} broken streams: {faults}")  # noqa: T201


async def test_cancelling_closes_the_upstream(bench):
    """Ten replies under way, cancelled: Bedrock's side is closed, and each run ends as cancelled with what was said."""

    def slow(_: str) -> Turn:
        return Turn("word " * 2_000, token_delay=0.05)

    async with bench(slow) as it:
        ids = [await it.send("talk") for _ in range(10)]
        await it.emulator.state.wait_for(lambda state: state.open_streams == 10, seconds=60)
        began = time.monotonic()
        await asyncio.gather(*(it.cancel(run) for run in ids))
        await it.emulator.state.wait_for(lambda state: state.open_streams == 0, seconds=60)
        took = time.monotonic() - began
        assert it.emulator.state.cancelled == 10
        for run in ids:
            assert (await it.read(run))[-1][0] == "run.cancelled"
    print(f"10 cancelled, all closed upstream {took:.2f} s after")  # noqa: T201


async def test_the_seventh_slow_stream_delays_nobody(bench):
    """Six replies wait for a silent model; the seventh is answered meanwhile (stock: six threads, so it waits)."""

    def answer(text: str) -> Turn:
        return Turn(fault=Hang()) if text == "wait" else Turn("At once.")

    async with bench(answer) as it:
        waiting = [await it.send("wait") for _ in range(6)]
        await it.emulator.state.wait_for(lambda state: state.open_streams == 6, seconds=60)
        assert outcome(await it.ask("now"))["text"] == "At once."
        assert it.emulator.state.open_streams == 6
        await asyncio.gather(*(it.cancel(run) for run in waiting))
    print("6 silent streams and a seventh that was answered")  # noqa: T201
