"""Scores of a run, and what differs between two, with a test of whether it is more than chance."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import comb
from statistics import median

from lab.eval.outcome import EvalError, Result
from lab.eval.store import Recorded

MOST_BY_CHANCE = 0.05
"""A difference that chance alone makes as often as that is not called one."""


@dataclass(frozen=True, slots=True)
class Score:
    """Of `cases`, how many passed in every repeat (pass^k), and the share of single plays that passed. `seconds` is a
    case's median, `usd` None when a price is not known."""

    cases: int
    passed: int
    plays: int
    passed_plays: int
    tokens: int
    usd: float | None
    seconds: float
    slowest: float

    @property
    def rate(self) -> float:
        """pass^k, from 0 to 1."""
        return self.passed / self.cases if self.cases else 0.0


def score(results: Sequence[Result]) -> Score:
    """The score of one cell's results."""
    by_case = _by_case(results)
    costs = [result.cost_usd for result in results]
    seconds = [result.seconds for result in results]
    return Score(
        cases=len(by_case),
        passed=sum(all(result.passed for result in plays) for plays in by_case.values()),
        plays=len(results),
        passed_plays=sum(result.passed for result in results),
        tokens=sum(result.tokens for result in results),
        usd=None if None in costs else sum(cost or 0.0 for cost in costs),
        seconds=median(seconds) if seconds else 0.0,
        slowest=max(seconds, default=0.0),
    )


def by_label(results: Iterable[Result], labels: Callable[[Result], Iterable[str]]) -> dict[str, Score]:
    """Scores of the results by each of their labels (tags, tools), the most frequent first."""
    found: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        for label in labels(result):
            found[label].append(result)
    return {label: score(some) for label, some in sorted(found.items(), key=lambda pair: (-len(pair[1]), pair[0]))}


def marks(results: Iterable[Result]) -> dict[str, float]:
    """The mean of a judge's marks, by name; empty without a judge."""
    found: dict[str, list[int]] = defaultdict(list)
    for result in results:
        for name, mark in result.marks.items():
            found[name].append(mark)
    return {name: sum(given) / len(given) for name, given in found.items()}


@dataclass(frozen=True, slots=True)
class Change:
    """A case that does not do as it did: shares of its plays that passed, and one play of each side to look at."""

    case: str
    before: float
    after: float
    was: Result
    now: Result


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two sides over the cases that both played. `p`: how often chance alone makes a difference as large, if neither
    side were better (two-sided sign test over the cases that changed)."""

    cases: int
    better: tuple[Change, ...]
    worse: tuple[Change, ...]
    p: float
    edited: tuple[str, ...] = ()
    """Cases that are not the same on both sides: they were changed in between, and are left out."""

    @property
    def verdict(self) -> str:
        """ "better", "worse", or "no difference that chance would not make"."""
        if self.p > MOST_BY_CHANCE:
            return "no difference that chance would not make"
        return "better" if len(self.better) > len(self.worse) else "worse"


def compare(before: Sequence[Result], after: Sequence[Result]) -> Comparison:
    """What changed from one cell's results to another's. Raises EvalError when they have no case in common."""
    old, new = _by_case(before), _by_case(after)
    shared = [name for name in old if name in new]
    if not shared:
        raise EvalError("The two have no case in common; run the same cases.")
    edited = tuple(name for name in shared if old[name][0].fingerprint != new[name][0].fingerprint)
    same = [name for name in shared if name not in edited]
    changes = [_change(name, old[name], new[name]) for name in same]
    better = tuple(change for change in changes if change.after > change.before)
    worse = tuple(change for change in changes if change.after < change.before)
    return Comparison(len(same), better, worse, sign_test(len(better), len(worse)), edited)


def compare_runs(before: Recorded, after: Recorded) -> list[tuple[tuple[str, str], tuple[str, str], Comparison]]:
    """The cells of two runs that belong together, compared: the only one of each, else those of the same model and
    prompt, else those of the same model where each run has one prompt for it. Raises EvalError when none do."""
    first, second = before.header.cells, after.header.cells
    if len(first) == len(second) == 1:
        pairs = [(first[0], second[0])]
    else:
        pairs = [(cell, cell) for cell in first if cell in second] or [
            (one, other)
            for one in first
            for other in second
            if one[1] == other[1] and _alone(one, first) and _alone(other, second)
        ]
    if not pairs:
        raise EvalError("The two runs have no prompt and model in common to compare.")
    return [(one, other, compare(before.of_cell(one), after.of_cell(other))) for one, other in pairs]


def sign_test(better: int, worse: int) -> float:
    """The two-sided p of so many changes one way and the other, if both ways were as likely. 1 without changes."""
    n = better + worse
    if not n:
        return 1.0
    tail = sum(comb(n, k) for k in range(min(better, worse) + 1))
    return min(1.0, 2 * tail / float(2**n))


def _alone(cell: tuple[str, str], cells: Sequence[tuple[str, str]]) -> bool:
    return sum(model == cell[1] for _, model in cells) == 1


def _by_case(results: Iterable[Result]) -> dict[str, list[Result]]:
    found: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        found[result.case].append(result)
    return dict(found)


def _change(name: str, old: Sequence[Result], new: Sequence[Result]) -> Change:
    def rate(plays: Sequence[Result]) -> float:
        return sum(play.passed for play in plays) / len(plays)

    before, after = rate(old), rate(new)
    return Change(name, before, after, _telling(old, after > before), _telling(new, after < before))


def _telling(plays: Sequence[Result], failed: bool) -> Result:
    """A play that shows the difference: one that failed, or one that passed."""
    return next((play for play in plays if play.passed != failed), plays[0])
