"""Plays a case: says what the user says, decides what they decide, and collects what came of it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson

from agent.runner import Runner
from db.engine import Database
from domain.errors import PennyError
from lab.cases.case import Case, Decide, Expect, Persona, Say
from lab.eval.outcome import Called, StepResult
from lab.eval.personas import Author, Playing
from lab.eval.stand_ins import CUE, Cue, OnTheWire
from tools import proposals


@dataclass(frozen=True)
class Stage:
    """What a case is played on: a service as the composition root makes it, with the model, prompt and day in it."""

    db: Database
    runner: Runner
    author: Author | None = None
    """Who writes what personas say; None: their state machines."""
    wire: OnTheWire | None = None
    """A stand-in on Bedrock's wire that has to know which case is played."""


@dataclass
class Acting:
    """A case under way, as its own user in a session of its own."""

    stage: Stage
    user: UUID
    session: UUID
    seed: int = 0
    results: list[StepResult] = field(default_factory=list)
    _cue: Cue = field(default_factory=Cue)
    _pending: list[dict[str, Any]] = field(default_factory=list)

    async def play(self, case: Case) -> AsyncIterator[tuple[Expect, Sequence[StepResult]]]:
        """Each step's expectation with what came of it, as soon as it is there; what a reply failed with is in it."""
        CUE.set(self._cue)
        if self.stage.wire is not None:
            self.stage.wire.cue = self._cue
        for step in case.steps:
            match step:
                case Say():
                    self._cue.step, self._cue.messages = step, 1
                    yield step.expect, [await self._say(step.text)]
                case Decide():
                    yield step.expect, [await self._decide(step)]
                case Persona():
                    yield step.expect, [result async for result in self._converse(step)]

    async def _converse(self, persona: Persona) -> AsyncIterator[StepResult]:
        """What the persona says and decides, until it is done or out of turns."""
        playing = Playing(persona, self.seed, self.stage.author)
        self._cue.step, self._cue.messages = persona, 0
        last: StepResult | None = None
        for _ in range(persona.turns):
            doing = await playing.next(last)
            if doing is None:
                return
            if isinstance(doing, Decide):
                last = await self._decide(doing)
            else:
                self._cue.messages += 1
                last = await self._say(doing)
            yield last
            if last.error:
                return
        if await playing.next(last) is not None:
            yield StepResult("", error=f"the user was not done after {persona.turns} turns ({playing.state})")

    async def _say(self, text: str) -> StepResult:
        began = time.perf_counter()
        heard = _Heard()
        try:
            accepted = await self.stage.runner.submit(self.user, self.session, text)
            async for _, kind, data in self.stage.runner.events(self.user, accepted.run_id):
                heard.take(kind, orjson.loads(data))
        except PennyError as error:
            heard.error, heard.away = f"{error.code}: {error.message}", error.retryable
        self._pending += heard.proposals
        result = heard.result(text, time.perf_counter() - began)
        self.results.append(result)
        return result

    async def _decide(self, step: Decide) -> StepResult:
        """Confirms or rejects what waits; nothing to decide on is a failure."""
        chosen = self._pending[-1:] if step.which == "last" else list(self._pending)
        error = "" if chosen else f"there was no proposal to {step.act}"
        for proposal in chosen:
            self._pending.remove(proposal)
            try:
                if step.act == "confirm":
                    await proposals.confirm(
                        self.stage.db, self.user, UUID(proposal["id"]), proposal["hash"], approval="cli"
                    )
                else:
                    await proposals.reject(self.stage.db, self.user, UUID(proposal["id"]))
            except PennyError as refused:
                error = f"{refused.code}: {refused.message}"
        result = StepResult(f"({step.act}s {len(chosen)})", error=error)
        self.results.append(result)
        return result


@dataclass
class _Heard:
    """What a run's events have told so far."""

    reply: str = ""
    calls: dict[str, Called] = field(default_factory=dict)
    proposals: list[dict[str, Any]] = field(default_factory=list)
    figures: list[dict[str, Any]] = field(default_factory=list)
    usage: dict[str, Any] = field(default_factory=dict)
    error: str = ""
    away: bool = False

    def take(self, kind: str, data: dict[str, Any]) -> None:
        match kind:
            case "tool.started":
                self.calls[data["call_id"]] = Called(data["name"], data["args"])
            case "tool.finished":
                made = self.calls.get(data["call_id"], Called(data["name"], {}))
                self.calls[data["call_id"]] = Called(made.name, made.args, data["ok"], data["summary"])
            case "proposal":
                self.proposals.append({key: data[key] for key in ("id", "kind", "hash", "status", "text", "diff")})
            case "grounding":
                self.figures = data["figures"]
            case "usage":
                self.usage = data
            case "run.finished":
                self.reply = data["text"]
            case "run.failed":
                self.error, self.away = f"{data['code']}: {data['message']}", data["retryable"]
            case "run.cancelled":
                self.error = "the reply was cancelled"

    def result(self, user: str, seconds: float) -> StepResult:
        read = self.usage.get("cache_read_tokens", 0) + self.usage.get("cache_write_tokens", 0)
        return StepResult(
            user=user,
            reply=self.reply,
            calls=tuple(self.calls.values()),
            proposals=tuple(self.proposals),
            figures=tuple(self.figures),
            tokens_in=self.usage.get("input_tokens", 0) + read,
            tokens_out=self.usage.get("output_tokens", 0),
            cost_usd=self.usage.get("cost_usd", None if self.usage.get("input_tokens") else 0.0),
            seconds=round(seconds, 3),
            error=self.error,
            away=self.away,
        )
