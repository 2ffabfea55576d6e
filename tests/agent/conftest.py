"""A runner on the real database whose model is a script."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
import pytest

from agent.graph import build_graph
from agent.grounding.turn import Mode
from agent.limits import Allowance
from agent.model import Model
from agent.runner import Runner
from agent.scripted import ScriptedModel
from agent.start import Agent
from db.engine import Database
from domain.clock import FixedClock
from domain.metrics import UNTOLD, Metrics
from memory import sessions
from memory.usage import Caps
from prompts import library

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)

Start = Callable[..., contextlib.AbstractAsyncContextManager[Runner]]


@pytest.fixture(autouse=True)
def alone(nothing_waits: None) -> None:
    """Runners of these tests have their own runs and no others."""


@pytest.fixture
def start(database: Database) -> Start:
    """Starts a runner: `async with start(model_or_turns, owner="a", lease=5.0) as runner`."""

    @contextlib.asynccontextmanager
    async def started(
        model: Model | Sequence[dict[str, Any]],
        *,
        owner: str = "a",
        lease: float = 5.0,
        grounding: Mode = "annotate",
        caps: Caps | None = None,
        metrics: Metrics = UNTOLD,
    ) -> AsyncIterator[Runner]:
        made = ScriptedModel(model) if isinstance(model, Sequence) else model
        prompt = library.load()
        allowance = Allowance(caps or Caps())
        agent = Agent(
            database, made, lambda: prompt, FixedClock(NOW), build_graph(), owner,
            grounding=grounding, allowance=allowance, metrics=metrics,
        )  # fmt: skip
        runner = Runner(agent, lease_seconds=lease)
        await runner.start()
        try:
            yield runner
        finally:
            await runner.stop()

    return started


@pytest.fixture
async def session(database: Database, user: UUID) -> UUID:
    """An empty session of the user."""
    async with database.transaction(user) as tx:
        return (await sessions.create(tx)).id


async def collect(runner: Runner, user: UUID, run_id: UUID, after: int = 0) -> list[tuple[int, str, dict[str, Any]]]:
    """All events of the run after `after`, to the terminal one."""
    return [(seq, kind, orjson.loads(data)) async for seq, kind, data in runner.events(user, run_id, after)]


@pytest.fixture(name="collect")
def collect_() -> Callable[..., Any]:
    return collect


def fold(events: Sequence[tuple[int, str, dict[str, Any]]]) -> str:
    """The text that a client which applies the events ends with."""
    text = ""
    for _, kind, data in events:
        if kind == "text.delta":
            text += data["text"]
        elif kind == "text.retracted":
            text = text[: data["keep"]]
    return text


@pytest.fixture(name="fold")
def fold_() -> Callable[..., str]:
    return fold
