"""`penny eval`: cases played with prompts and models, their scores, and what changed from one run to another."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from penny import settings
from penny.cli.output import progress, say, say_json
from penny.cli.talk import JsonOption

if TYPE_CHECKING:
    from lab.cases import Case
    from lab.eval.store import Recorded
    from penny.settings import Settings

Texts = list[str] | None


def eval_(
    cases: Annotated[
        Path | None, typer.Option(help="A file or folder of cases; default: those that come along.")
    ] = None,
    case: Annotated[Texts, typer.Option(help="Only cases with this in their name; may be repeated.")] = None,
    tag: Annotated[Texts, typer.Option(help="Only cases with this tag; may be repeated.")] = None,
    prompt: Annotated[Texts, typer.Option(help="A prompt file or version; repeated: each is tried.")] = None,
    tools: Annotated[
        list[Path] | None, typer.Option(help="A YAML file of other tool descriptions; repeated: each is tried.")
    ] = None,
    model: Annotated[Texts, typer.Option(help="As PENNY_MODEL, or ideal; repeated: each is tried.")] = None,
    replay: Annotated[bool, typer.Option("--replay", help="Answers come from cassettes, no model is asked.")] = False,
    cassettes: Annotated[Path | None, typer.Option(help="For --replay: another file or folder of cassettes.")] = None,
    record: Annotated[Path | None, typer.Option(help="With --model ideal: make a cassette for --replay.")] = None,
    repeat: Annotated[int, typer.Option(min=1, help="Play each case so often; it passes when all plays do.")] = 1,
    seed: Annotated[int, typer.Option(help="Chooses what simulated users say.")] = 0,
    jobs: Annotated[int | None, typer.Option(min=1, help="Cases at once (the embedded model: always 1).")] = None,
    max_usd: Annotated[float | None, typer.Option(min=0, help="Begin no case after so much was spent.")] = None,
    max_tokens: Annotated[int | None, typer.Option(min=0, help="Begin no case after so many tokens.")] = None,
    min_pass: Annotated[
        float | None, typer.Option(min=0, max=1, help="Exit code 1 when a prompt and model pass less, like 0.9.")
    ] = None,
    judge: Annotated[str | None, typer.Option(help="A model that marks tone and helpfulness, never figures.")] = None,
    personas: Annotated[str | None, typer.Option(help="A model that plays simulated users, by their goals.")] = None,
    calibrate: Annotated[bool, typer.Option("--calibrate", help="Only hold --judge against marked examples.")] = False,
    html: Annotated[Path | None, typer.Option(help="Write the report there, one file.")] = None,
    resume: Annotated[str | None, typer.Option(help="Go on with this run, by its id, as it was begun.")] = None,
    show: Annotated[str | None, typer.Option(help="Only show this run again, by its id.")] = None,
    compare: Annotated[
        tuple[str, str] | None, typer.Option(help="Only show what changed from one run to another.")
    ] = None,
    json_: JsonOption = False,
) -> None:
    """Play cases with prompts and models, and tell what passed."""
    from lab.eval.store import Store
    from penny import evaluating

    chosen = settings.load()
    store = Store(chosen.home / "evals")
    if compare is not None:
        _compare(store.read(compare[0]), store.read(compare[1]), html, json_)
        return
    if calibrate:
        _calibrate(chosen, judge, json_)
        return
    recorded: Recorded
    wanted: list[Case] = []
    if show is not None:
        recorded = store.read(show)
    else:
        options = {
            "cases": str(cases) if cases else None,
            "case": case or [],
            "tag": tag or [],
            "prompt": prompt or [],
            "tools": [str(path) for path in tools or ()],
            "model": model or [],
            "replay": replay,
            "cassettes": str(cassettes) if cassettes else None,
            "record": str(record) if record else None,
            "judge": judge,
            "personas": personas,
            "repeat": repeat,
            "seed": seed,
        }
        limits = evaluating.Limits(jobs, max_tokens, max_usd)
        recorded, wanted = asyncio.run(
            evaluating.run(chosen, store, options, limits, resume=resume, quiet=json_, report=progress)
        )
    _show(recorded, wanted, html, json_, min_pass)


def _show(recorded: Recorded, wanted: list[Case], html: Path | None, json_: bool, min_pass: float | None) -> None:
    """The table, the report, and the exit code: whether everything was played and passed as often as it has to."""
    from lab.eval.scores import score
    from lab.report import terminal

    if html is not None:
        from lab.report.page import page

        html.write_text(page(recorded), encoding="utf-8")
        progress(f"report written to {html}")
    if json_:
        say_json(terminal.summary(recorded))
    else:
        terminal.show(recorded)
    missing = len(wanted) * len(recorded.header.cells) * recorded.header.repeat - len(recorded.results)
    if wanted and missing > 0:
        progress(f"{missing} plays are left undone; go on with: penny eval --resume {recorded.header.id}")
        raise typer.Exit(1)
    if min_pass is not None and any(score(recorded.of_cell(cell)).rate < min_pass for cell in recorded.header.cells):
        progress(f"less than {min_pass:.0%} passed")
        raise typer.Exit(1)


def _calibrate(chosen: Settings, judge: str | None, json_: bool) -> None:
    from lab.report import terminal
    from penny import evaluating

    if judge is None:
        raise typer.BadParameter("--calibrate needs the judge, like --judge bedrock:<model>.")
    found = asyncio.run(evaluating.calibrated(chosen, judge))
    say_json(found) if json_ else say(terminal.agreed(found))


def _compare(before: Recorded, after: Recorded, html: Path | None, json_: bool) -> None:
    from lab.eval.scores import compare_runs
    from lab.report import terminal

    pairs = compare_runs(before, after)
    if html is not None:
        from lab.report.page import comparison_page

        html.write_text(comparison_page(before, after, pairs), encoding="utf-8")
        progress(f"report written to {html}")
    if json_:
        say_json([terminal.difference(*pair) for pair in pairs])
    else:
        for pair in pairs:
            say(terminal.told(*pair))


def register(app: typer.Typer) -> None:
    app.command(name="eval")(eval_)
