"""A run in the terminal: a table of scores, what failed, and what changed."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from domain.visible import visible_line
from lab.eval.outcome import Result
from lab.eval.scores import Change, Comparison, Score, by_label, compare, marks, score
from lab.eval.store import Recorded
from lab.judge.judge import Agreement

MOST_FAILURES = 40
PIPED_WIDTH = 160
"""Columns where there is no terminal."""


def show(recorded: Recorded, console: Console | None = None) -> None:
    """Prints the scores, then the cases that failed with why, then how further prompts differ from the first."""
    out = console or Console(highlight=False, width=None if sys.stdout.isatty() else PIPED_WIDTH)
    out.print(_scores(recorded))
    for cell in recorded.header.cells:
        if given := marks(recorded.of_cell(cell)):
            shares = ", ".join(f"{name} {share:.0%}" for name, share in given.items())
            out.print(f"{' · '.join(cell)}: the judge's marks: {shares}")
    failed = [result for result in recorded.results if not result.passed]
    for result in failed[:MOST_FAILURES]:
        where = "" if len(recorded.header.cells) == 1 else f" [{' · '.join(result.cell)}]"
        out.print(Text.assemble((f"✗ {result.case}", "red"), where, f": {visible_line(result.failures[0])}"))
    if len(failed) > MOST_FAILURES:
        out.print(f"… and {len(failed) - MOST_FAILURES} more; --html FILE has all of them.")
    for before, after in pairs(recorded):
        out.print(told(before, after, compare(recorded.of_cell(before), recorded.of_cell(after))))
    out.print(f"run {recorded.header.id}")


def pairs(recorded: Recorded) -> list[tuple[tuple[str, str], tuple[str, str]]]:
    """Cells to be compared: each further prompt of a model with that model's first."""
    found = []
    for model in dict.fromkeys(model for _, model in recorded.header.cells):
        first, *others = [cell for cell in recorded.header.cells if cell[1] == model]
        found += [(first, other) for other in others]
    return found


def _scores(recorded: Recorded) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name, where in (("prompt", "left"), ("model", "left"), ("passed", "right"), ("", "right")):
        table.add_column(name, justify=where, overflow="fold")  # type: ignore[arg-type]
    for name in ("plays", "tokens", "cost", "median s", "slowest"):
        table.add_column(name, justify="right")
    for cell in recorded.header.cells:
        got = score(recorded.of_cell(cell))
        table.add_row(
            *cell,
            f"{got.passed} of {got.cases}",
            f"{got.rate:.0%}",
            f"{got.passed_plays}/{got.plays}",
            f"{got.tokens:,}",
            dollars(got.usd),
            f"{got.seconds:.1f}",
            f"{got.slowest:.1f}",
        )
    return table


def dollars(usd: float | None) -> str:
    """ "$0.0312", or "unknown"."""
    return "unknown" if usd is None else f"${usd:.4f}" if usd else "$0"


def told(before: tuple[str, str], after: tuple[str, str], found: Comparison) -> str:
    """A comparison in words: only what changed, and whether it is more than chance."""
    lines = [
        f"{' · '.join(after)} against {' · '.join(before)}: {len(found.better)} better, {len(found.worse)} worse of "
        f"{found.cases} cases; sign test p = {found.p:.3f}: {found.verdict}."
    ]
    lines += [f"  + {change.case}{_rates(change)}" for change in found.better]
    lines += [f"  - {change.case}{_rates(change)}: {change.now.failures[0]}" for change in found.worse]
    if found.edited:
        lines.append(f"  left out, for the case itself was changed: {', '.join(found.edited)}")
    return "\n".join(lines)


def _rates(change: Change) -> str:
    partly = any(rate not in (0, 1) for rate in (change.before, change.after))
    return f" ({change.before:.0%} to {change.after:.0%} of its plays)" if partly else ""


def difference(before: tuple[str, str], after: tuple[str, str], found: Comparison) -> dict[str, Any]:
    """A comparison for machines."""
    return {
        "before": before,
        "after": after,
        "cases": found.cases,
        "better": [change.case for change in found.better],
        "worse": [change.case for change in found.worse],
        "p": found.p,
        "verdict": found.verdict,
        "left_out": list(found.edited),
    }


def agreed(found: Sequence[Agreement]) -> str:
    """A judge's calibration in words."""
    return "\n".join(
        f"{one.mark}: {one.equal:.0%} of {one.examples} examples as people marked them, kappa {one.kappa:.2f}"
        for one in found
    )


def summary(recorded: Recorded) -> dict[str, Any]:
    """A run for machines: scores in all, by tag and by tool, and each result in short."""
    return {
        "run": recorded.header.id,
        "started_at": recorded.header.started_at,
        "repeat": recorded.header.repeat,
        "seed": recorded.header.seed,
        "cells": [_cell(recorded, cell) for cell in recorded.header.cells],
        "comparisons": [
            difference(one, other, compare(recorded.of_cell(one), recorded.of_cell(other)))
            for one, other in pairs(recorded)
        ],
        "results": [_short(result) for result in recorded.results],
    }


def _cell(recorded: Recorded, cell: tuple[str, str]) -> dict[str, Any]:
    results = recorded.of_cell(cell)
    return {
        "prompt": cell[0],
        "model": cell[1],
        **_numbers(score(results)),
        "marks": marks(results),
        "tags": {name: _numbers(one) for name, one in by_label(results, lambda r: r.tags).items()},
        "tools": {name: _numbers(one) for name, one in by_label(results, lambda r: r.tools).items()},
    }


def _numbers(got: Score) -> dict[str, Any]:
    return {
        "cases": got.cases,
        "passed": got.passed,
        "rate": round(got.rate, 4),
        "plays": got.plays,
        "passed_plays": got.passed_plays,
        "tokens": got.tokens,
        "cost_usd": got.usd,
        "median_seconds": round(got.seconds, 3),
    }


def _short(result: Result) -> dict[str, Any]:
    return {
        "case": result.case,
        "prompt": result.prompt,
        "model": result.model,
        "repeat": result.repeat,
        "passed": result.passed,
        "failures": list(result.failures),
        "seconds": round(result.seconds, 3),
        "tokens": result.tokens,
        "cost_usd": result.cost_usd,
    }
