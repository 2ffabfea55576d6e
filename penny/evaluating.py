"""A run of `penny eval`: what is to be played, with progress, as a record that can be gone on with."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lab import cases as case_files
from lab.cases import Case
from lab.eval.matrix import Plan, Purse, play, run_id
from lab.eval.outcome import EvalError, Result
from lab.eval.store import Header, Recorded, Store
from penny.database import Progress
from penny.evaluation import Variant, jobs_of, stages, variants
from penny.settings import Settings


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
    models = chosen["model"] or [settings.model]
    async with AsyncExitStack() as stack:
        if chosen["replay"]:
            models = await stack.enter_async_context(_replaying(models))
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
            {model: jobs_of(model, limits.jobs) for model in models},
            repeat=header.repeat,
            seed=header.seed,
            purse=Purse(limits.tokens, limits.usd),
            done=done,
        )
        judge = None
        with _progress(plan, quiet) as tell:

            def keep(result: Result) -> None:
                store.add(path, result)
                tell(result)

            await play(plan, stages(settings, texts, report), keep, judge)
    return store.read(header.id), wanted


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


@asynccontextmanager
async def _replaying(models: Sequence[str]) -> AsyncIterator[list[str]]:
    yield list(models)


@contextmanager
def _progress(plan: Plan, quiet: bool) -> Iterator[Callable[[Result], None]]:
    """A bar on standard error, on a terminal; a line every so often elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    passed = 0
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=quiet or not console.is_terminal) as bar:
        task = bar.add_task("playing", total=plan.total, completed=len(plan.done))

        def tell(result: Result) -> None:
            nonlocal passed
            passed += result.passed
            bar.update(task, advance=1, description=f"{passed} passed")

        yield tell
