"""Scores, records and comparisons of runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.eval.outcome import Called, EvalError, Result, StepResult
from lab.eval.scores import by_label, compare, compare_runs, score, sign_test
from lab.eval.store import Header, Recorded, Store

CELL = ("v1", "m")


def _result(case: str, passed: bool = True, repeat: int = 1, prompt: str = "v1", mark: str = "a") -> Result:
    step = StepResult("hi", "hello", (Called("get_spending", {"by": "month"}),), tokens_in=10, cost_usd=0.5, seconds=2)
    failures = () if passed else ("wrong",)
    return Result(case, prompt, "m", repeat, ("t",), ("get_spending",), failures, (step,), fingerprint=mark)


def _header(run: str = "r1", *cells: tuple[str, str]) -> Header:
    return Header(run, "2026-11-26T00:00:00+00:00", cells or (CELL,), "x")


@pytest.mark.parametrize(
    ("better", "worse", "p"),
    [(0, 0, 1.0), (1, 0, 1.0), (5, 0, 0.0625), (6, 0, 0.03125), (8, 2, 0.109375), (9, 1, 0.021484375), (3, 3, 1.0)],
)
def test_the_sign_test_is_the_binomial_one(better: int, worse: int, p: float) -> None:
    """Two-sided and exact; the same the other way round."""
    assert sign_test(better, worse) == pytest.approx(p)
    assert sign_test(worse, better) == pytest.approx(p)


def test_a_case_passes_when_all_its_plays_do() -> None:
    """pass^k beside the share of single plays."""
    got = score([_result("a", True, 1), _result("a", False, 2), _result("b", True, 1), _result("b", True, 2)])
    assert (got.cases, got.passed, got.plays, got.passed_plays, got.rate) == (2, 1, 4, 3, 0.5)
    assert (got.tokens, got.usd, got.seconds) == (40, 2.0, 2)


def test_a_cost_that_is_not_known_is_not_counted_as_nothing() -> None:
    """One unknown price makes the sum unknown."""
    unknown = Result("a", "v1", "m", steps=(StepResult("x", cost_usd=None),))
    assert score([_result("b"), unknown]).usd is None


def test_scores_are_told_by_tool_and_tag() -> None:
    """Each label with the cases that have it."""
    assert by_label([_result("a"), _result("b", False)], lambda result: result.tools)["get_spending"].passed == 1


def test_only_what_changed_is_compared_and_noise_is_not_called_progress() -> None:
    """Five cases that got better are not enough, six are; what both do alike is not listed."""
    for count, verdict in ((5, "no difference that chance would not make"), (6, "better")):
        before = [_result(f"c{n}", n >= count) for n in range(10)]
        after = [_result(f"c{n}") for n in range(10)]
        found = compare(before, after)
        assert ([change.case for change in found.better], found.worse) == ([f"c{n}" for n in range(count)], ())
        assert found.verdict == verdict
        assert compare(after, before).verdict == verdict.replace("better", "worse")


def test_a_case_that_was_edited_is_left_out() -> None:
    """Two runs of another text of the case say nothing about the prompt."""
    found = compare([_result("a", False), _result("b")], [_result("a", True, mark="b"), _result("b")])
    assert (found.edited, found.cases, found.better) == (("a",), 1, ())


def test_runs_are_compared_by_cell() -> None:
    """The only cells of two runs belong together, whatever their names; of several, those of the same name."""
    one = Recorded(_header("r1"), (_result("a", False),))
    other = Recorded(_header("r2", ("v2", "m")), (_result("a", prompt="v2"),))
    assert [(before, after) for before, after, _ in compare_runs(one, other)] == [(("v1", "m"), ("v2", "m"))]
    both = Recorded(_header("r3", ("v1", "m"), ("v2", "m")), (_result("a"), _result("a", prompt="v2")))
    assert [(before, after) for before, after, _ in compare_runs(one, both)] == [(("v1", "m"), ("v1", "m"))]
    with pytest.raises(EvalError, match="no prompt and model in common"):
        compare_runs(both, Recorded(_header("r4", ("v9", "n")), ()))
    with pytest.raises(EvalError, match="no case in common"):
        compare([_result("a")], [_result("b")])


def test_a_record_comes_back_as_it_was(tmp_path: Path) -> None:
    """Header and results, steps and calls in them."""
    store = Store(tmp_path)
    path = store.begin(_header())
    store.add(path, _result("a"))
    assert store.read("r1") == Recorded(_header(), (_result("a"),))


def test_a_line_that_was_cut_off_spoils_no_other(tmp_path: Path) -> None:
    """A crash in the middle of a line loses that result only, and the next one stands on a line of its own."""
    store = Store(tmp_path)
    path = store.begin(_header())
    store.add(path, _result("a"))
    path.write_bytes(path.read_bytes() + b'{"result": {"case": "b", "pro')
    store.add(path, _result("c"))
    assert [result.case for result in store.read("r1").results] == ["a", "c"]


def test_a_run_is_found_by_the_beginning_of_its_id(tmp_path: Path) -> None:
    """Unless there are several; what is no run is said with those that are."""
    store = Store(tmp_path)
    for run in ("20260101-1", "20260101-2"):
        store.begin(_header(run))
    assert store.read("20260101-2").header.id == "20260101-2"
    with pytest.raises(EvalError, match="several runs"):
        store.read("20260101")
    with pytest.raises(EvalError, match="the latest are: 20260101-1, 20260101-2"):
        store.read("2019")
