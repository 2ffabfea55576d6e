"""Plays cases with each prompt and model, several at once, as far as the budget goes."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import groupby
from typing import Any
from uuid import UUID

import orjson

from db.engine import Database
from domain.errors import PennyError
from lab.cases.answers import Books
from lab.cases.case import Call, Case, Decide, Expect
from lab.cases.nodes import CaseError
from lab.eval.acting import Acting, Stage
from lab.eval.checks import check
from lab.eval.outcome import Result, StepResult
from lab.eval.setting import furnish
from ledger import accounts, categories
from ledger.export import document
from memory.erase import erase
from memory.facts import every_fact

ISSUER = "penny-eval"
"""Users of cases are this issuer's, so that none is ever a person."""

Cell = tuple[str, str]
"""A prompt and a model, by their labels."""

OpenStage = Callable[[Cell, date], AbstractAsyncContextManager[Stage]]
"""Makes a service with the cell's prompt and model, for which it is that day."""

Judge = Callable[[Sequence[StepResult]], Awaitable[dict[str, int]]]
"""Marks for tone and helpfulness, by the rubric's names; never for figures."""


@dataclass
class Purse:
    """What a run may take at most, and what it has taken; None is any amount."""

    tokens: int | None = None
    usd: float | None = None
    spent_tokens: int = 0
    spent_usd: float = 0.0

    def take(self, result: Result) -> None:
        self.spent_tokens += result.tokens
        self.spent_usd += result.cost_usd or 0.0

    @property
    def empty(self) -> bool:
        over = self.tokens is not None and self.spent_tokens >= self.tokens
        return over or (self.usd is not None and self.spent_usd >= self.usd)


@dataclass(frozen=True)
class Plan:
    """What is to be played; `done` are the keys of results that are there already, `jobs` how many cases a model plays
    at once."""

    run: str
    cells: Sequence[Cell]
    cases: Sequence[Case]
    jobs: Mapping[str, int]
    repeat: int = 1
    seed: int = 0
    purse: Purse = field(default_factory=Purse)
    done: frozenset[tuple[str, str, str, int]] = frozenset()

    @property
    def total(self) -> int:
        """How many results there are in the end."""
        return len(self.cells) * len(self.cases) * self.repeat


async def play(plan: Plan, open_stage: OpenStage, keep: Callable[[Result], None], judge: Judge | None = None) -> None:
    """Plays all that is not done yet, cell by cell, and gives each result to `keep` as soon as it is there. Stops
    beginning new cases when the purse is empty. Raises what opening a stage raises, and CaseError."""
    ordered = sorted(plan.cases, key=lambda case: case.given.today)
    for cell in plan.cells:
        for day, group in groupby(ordered, key=lambda case: case.given.today):
            turns = [
                (case, nth)
                for case in group
                for nth in range(1, plan.repeat + 1)
                if (*cell, case.name, nth) not in plan.done
            ]
            if turns and not plan.purse.empty:
                async with open_stage(cell, day) as stage:
                    await _play_all(plan, cell, turns, stage, keep, judge)


async def _play_all(
    plan: Plan,
    cell: Cell,
    turns: Sequence[tuple[Case, int]],
    stage: Stage,
    keep: Callable[[Result], None],
    judge: Judge | None,
) -> None:
    waiting = iter(turns)

    async def work() -> None:
        for case, nth in waiting:
            if plan.purse.empty:
                return
            result = await one(stage, cell, case, nth, plan, judge)
            if any(step.away for step in result.steps):  # not the model's answer: played once more
                plan.purse.take(result)
                result = await one(stage, cell, case, nth, plan, judge)
            plan.purse.take(result)
            keep(result)

    try:
        async with asyncio.TaskGroup() as workers:
            for _ in range(min(plan.jobs[cell[1]], len(turns))):
                workers.create_task(work())
    except ExceptionGroup as several:
        raise several.exceptions[0] from None


async def one(stage: Stage, cell: Cell, case: Case, nth: int, plan: Plan, judge: Judge | None = None) -> Result:
    """Plays the case once, as a user of its own who is gone afterwards."""
    user = await stage.db.resolve_user(ISSUER, "", f"{plan.run}:{':'.join(cell)}:{case.name}:{nth}")
    failures: list[str] = []
    steps: list[StepResult] = []
    marks: dict[str, int] = {}
    try:
        try:
            session, books = await furnish(stage.db, user, case.given), Books.of(case.given)
        except PennyError as error:
            raise CaseError(f"{case.where}: {case.name} cannot be given what it says: {error.message}") from None
        acting = Acting(stage, user, session, plan.seed + nth)
        number = 0
        async for expect, results in acting.play(case):
            number += 1
            steps += results
            wrong = check(expect, results, case.given, books, await _data(stage.db, user, expect))
            failures += [f"step {number}: {one}" if len(case.steps) > 1 else one for one in wrong]
            if any(result.error for result in results):
                break
        if judge is not None:
            marks = await judge(steps)
    finally:
        await erase(stage.db, user)
    return Result(
        case=case.name,
        prompt=cell[0],
        model=cell[1],
        repeat=nth,
        tags=case.tags,
        tools=tools_of(case),
        failures=tuple(failures),
        steps=tuple(steps),
        fingerprint=fingerprint(case),
        marks=marks,
    )


def tools_of(case: Case) -> tuple[str, ...]:
    """The tools that the case wants called, the first choice of each."""
    wanted: list[Call] = []
    for step in case.steps:
        if not isinstance(step, Decide):
            wanted += [choice[0] for choice in step.expect.tools or ()]
    return tuple(dict.fromkeys(call.tool for call in wanted))


def fingerprint(case: Case) -> str:
    """Tells whether two results are of the same case."""
    return hashlib.sha256(case.to_yaml().encode()).hexdigest()[:12]


def run_id(now: datetime | None = None) -> str:
    """A name for a new run that sorts by time; two of one second have different ones."""
    at = now or datetime.now(UTC)
    return f"{at:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


async def _data(db: Database, user: UUID, expect: Expect) -> dict[str, Any]:
    """The user's export where rows of it are expected; else the names in it, which arguments are read by."""
    async with db.read(user) as tx:
        if not (expect.has or expect.lacks):
            return {
                "categories": [{"name": category.name} for category in await categories.list_(tx)],
                "accounts": [{"name": account.name} for account in await accounts.list_(tx)],
            }
        pieces = [piece async for piece in document.stream(tx, datetime.now(UTC), {"facts": every_fact})]
    exported: dict[str, Any] = orjson.loads(b"".join(pieces))
    return exported
