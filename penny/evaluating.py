"""A run of `penny eval`: what is to be played, with progress, as a record that can be gone on with."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from agent.model import Model
from lab import cases as case_files
from lab.bedrock_emulator import BedrockEmulator
from lab.cases import Case
from lab.cassettes import Header as CassetteHeader
from lab.cassettes import recording, replaying
from lab.eval.author import author_of
from lab.eval.matrix import Judge as MatrixJudge
from lab.eval.matrix import Plan, Purse, play, run_id
from lab.eval.outcome import EvalError, Result, StepResult
from lab.eval.stand_ins import OnTheWire
from lab.eval.store import Header, Recorded, Store
from lab.judge.judge import Agreement, Judge, calibrate, examples
from penny.database import Progress
from penny.evaluation import Variant, Wire, jobs_of, stages, variants
from penny.models import make_model
from penny.settings import Settings

CASSETTES: Final = case_files.SHIPPED / "cassettes"
"""What --replay plays unless told otherwise: recorded with the stand-in that does what cases want, and marked so."""

MATCHED: Final = ("aside", "words")
"""What the stand-in's answers depend on: the words, the day and the household; not the prompt or the model."""

STANDS_FOR: Final = "bedrock:us.anthropic.claude-sonnet-4-5-20250929-v1:0"


TOLD_EVERY: Final = 25


@dataclass(frozen=True, slots=True)
class Limits:
    """How much at once and in all; None: as usual, any amount."""

    jobs: int | None = None
    tokens: int | None = None
    usd: float | None = None


async def run(
    settings: Settings,
    store: Store,
    options: Mapping[str, Any],
    limits: Limits,
    *,
    resume: str | None,
    quiet: bool,
    report: Progress,
) -> tuple[Recorded, list[Case]]:
    """Plays what the options say, or what the run to `resume` lacks, and returns the record with the cases it is to
    have. Raises EvalError, SetupError and CaseError."""
    earlier = store.read(resume) if resume else None
    chosen = earlier.header.options if earlier else options
    wanted = cases_of(chosen)
    models: list[str] = chosen["model"] or [settings.model]
    async with AsyncExitStack() as stack:
        wire, models = await _wired(stack, chosen, models)
        texts = variants(chosen["prompt"], [Path(file) for file in chosen["tools"]], models)
        cells = tuple((text.label, model) for model in models for text in texts)
        header = earlier.header if earlier else _header(chosen, cells, texts)
        if header.cells != cells:
            raise EvalError(f"The prompts are not as they were in the run {header.id}; begin a new one.")
        path = store.path(header.id) if earlier else store.begin(header)
        done = frozenset(result.key for result in earlier.results) if earlier else frozenset()
        plan = Plan(
            header.id,
            cells,
            wanted,
            {model: 1 if chosen["record"] else jobs_of(model, limits.jobs) for model in models},
            repeat=header.repeat,
            seed=header.seed,
            purse=Purse(limits.tokens, limits.usd),
            done=done,
        )
        with _progress(plan, quiet, report) as tell:

            def keep(result: Result) -> None:
                store.add(path, result)
                tell(result)

            judge = _judge(_helper(stack, settings, chosen["judge"])) if chosen["judge"] else None
            author = author_of(_helper(stack, settings, chosen["personas"])) if chosen["personas"] else None
            await play(plan, stages(settings, texts, report, wire.at if wire else None, author), keep, judge)
        for miss in dict.fromkeys(wire.misses() if wire else ()):
            report(f"no cassette has an answer: {miss}")
    return store.read(header.id), wanted


@dataclass(frozen=True, slots=True)
class _Wired:
    """A wire that ends here, and what was asked on it that no cassette knows."""

    at: Wire
    misses: Callable[[], Sequence[str]] = tuple


async def _wired(
    stack: AsyncExitStack, options: Mapping[str, Any], models: list[str]
) -> tuple[_Wired | None, list[str]]:
    """The wire of a run that replays or records, and the models on it. Raises CassetteError, EvalError."""
    if options["replay"]:
        return await _replayed(stack, Path(options["cassettes"] or CASSETTES), options["model"])
    if not options["record"]:
        return None, models
    if models != ["ideal"]:
        raise EvalError("--record makes a cassette of --model ideal; record live ones with python -m lab.cassettes.")
    stand_in = OnTheWire()
    header = CassetteHeader("scripted", datetime.now(UTC).date().isoformat(), MATCHED, note="what the cases want")
    emulator = await stack.enter_async_context(BedrockEmulator(stand_in))
    recorder = await stack.enter_async_context(recording(Path(options["record"]), header, upstream=emulator.url))
    return _Wired(Wire(recorder.url, stand_in)), [STANDS_FOR]


async def _replayed(stack: AsyncExitStack, where: Path, models: list[str]) -> tuple[_Wired, list[str]]:
    """Without a model it is that of the cassettes."""
    replay = await stack.enter_async_context(replaying(where))
    recorded = sorted({exchange.asked["model"] for tape in replay.cassettes for exchange in tape.exchanges})
    return _Wired(Wire(replay.url), lambda: replay.misses), models or [f"bedrock:{name}" for name in recorded]


def _helper(stack: AsyncExitStack, settings: Settings, name: str) -> Model:
    """A model beside those that are played. Raises SetupError."""
    model = make_model(settings.model_copy(update={"model": name, "model_fallback": ()}))
    stack.push_async_callback(model.close)
    return model


def _judge(model: Model) -> MatrixJudge:
    """Marks the last exchange of a case. Raises SetupError for a model that cannot be a judge."""
    judge = Judge(model)

    async def marks(steps: Sequence[StepResult]) -> dict[str, int]:
        last = next((step for step in reversed(steps) if step.reply), None)
        return await judge.marks(last.user, last.reply) if last else {}

    return marks


async def calibrated(settings: Settings, name: str) -> list[Agreement]:
    """How the judge agrees with people on the marked examples. Raises SetupError and EvalError."""
    async with AsyncExitStack() as stack:
        return await calibrate(Judge(_helper(stack, settings, name)), examples())


def cases_of(options: Mapping[str, Any]) -> list[Case]:
    """The cases that the options choose. Raises CaseError, and EvalError when there are none."""
    found = case_files.load(Path(options["cases"])) if options["cases"] else case_files.load()
    chosen = [
        case
        for case in found
        if (not options["case"] or any(part in case.name for part in options["case"]))
        and (not options["tag"] or set(options["tag"]) & set(case.tags))
    ]
    if not chosen:
        tags = ", ".join(sorted({tag for case in found for tag in case.tags}))
        raise EvalError(f"None of the {len(found)} cases is so; their tags are {tags}.")
    return chosen


def _header(options: Mapping[str, Any], cells: tuple[tuple[str, str], ...], texts: Sequence[Variant]) -> Header:
    now = datetime.now(UTC)
    return Header(
        id=run_id(now),
        started_at=now.isoformat(timespec="seconds"),
        cells=cells,
        cases=options["cases"] or "those that come along",
        repeat=options["repeat"],
        seed=options["seed"],
        prompts={text.label: text.text for text in texts},
        options=dict(options) | {"load": round(os.getloadavg()[0], 1), "processors": os.cpu_count()},
    )


@contextmanager
def _progress(plan: Plan, quiet: bool, report: Progress) -> Iterator[Callable[[Result], None]]:
    """A bar on standard error, on a terminal; a line every TOLD_EVERY plays elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    passed, played = 0, len(plan.done)
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(*columns, console=console, disable=quiet or not console.is_terminal) as bar:
        task = bar.add_task("playing", total=plan.total, completed=len(plan.done))

        def tell(result: Result) -> None:
            nonlocal passed, played
            passed, played = passed + result.passed, played + 1
            bar.update(task, advance=1, description=f"{passed} passed")
            if bar.disable and not quiet and played % TOLD_EVERY == 0:
                report(f"{played} of {plan.total} played, {passed} passed")

        yield tell
