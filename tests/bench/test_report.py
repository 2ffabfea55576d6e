"""The bench's own logic: what it makes of figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bench.publish import put
from bench.record import record
from bench.report import gathered, plots, table
from bench.targets import ROWS, Row


def result(**figures: list[float]) -> dict[str, Any]:
    """A run of the bench with these figures."""
    about = {"at": "2026-11-26 04:00 UTC", "cores": 2, "load_before": 0.1, "load_after": 1.9, "commit": "abc"}
    about |= {"python": "3.11.2", "seconds": 840.0, "quick": False, "failed": []}
    return {**about, "figures": {name.replace("__", "."): values for name, values in figures.items()}}


def test_what_measurements_record_is_gathered_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each repetition is kept; without the driver's file nothing is written."""
    path = tmp_path / "figures.jsonl"
    record("lost", 1.0)
    monkeypatch.setenv("BENCH_RECORD", str(path))
    for name, value in (("a", 1.0), ("b", 2.0), ("a", 3.0)):
        record(name, value)
    assert gathered(path) == {"a": [1.0, 3.0], "b": [2.0]}


def test_the_table_has_targets_beside_medians_with_their_spread() -> None:
    """Met and missed, the load, and only what was measured."""
    made = table(result(tokens__of_relay__100=[3.0, 2.0, 2.2], start__mb=[150.0]))
    assert "| the same of whole replies, the turn included, 100 replies | at most 2.5 | 2.2 (2 to 3) x | yes |" in made
    assert "| memory of the service when ready | at most 120 | 150 MB | **no** |" in made
    assert "load 0.1 before and 1.9 after" in made
    assert made.count("\n|") == 4


def test_a_measurement_that_failed_is_named() -> None:
    """A table never passes for whole."""
    assert "Did not end well: bench.tokens." in table(result() | {"failed": ["bench.tokens"]})


@pytest.mark.parametrize(("row", "value", "met"), [
    (Row("a", "", most=2), 2.0, True),
    (Row("a", "", most=2), 2.1, False),
    (Row("a", "", least=500), 499.0, False),
    (Row("a", ""), 1.0, None),
])  # fmt: skip
def test_a_target_is_a_bound_on_one_side(row: Row, value: float, met: bool | None) -> None:
    """Without one nothing is said."""
    assert row.met(value) is met


def test_rows_have_names_of_their_own() -> None:
    """A figure stands in one row."""
    assert len({row.name for row in ROWS}) == len(ROWS)


def test_the_page_keeps_what_stands_around_its_markers() -> None:
    """Publishing again replaces what was published; a page without markers is left alone."""
    page = "before\n<!-- figures -->\nold\n<!-- end of figures -->\nafter\n"
    once = put(page, "new")
    assert once.startswith("before\n<!-- figures -->")
    assert once.endswith("<!-- end of figures -->\nafter\n")
    assert "old" not in once
    assert put(once, "new") == once
    with pytest.raises(SystemExit, match="markers"):
        put("nothing", "new")


def test_a_plot_is_drawn_of_what_was_measured(tmp_path: Path) -> None:
    """One drawing for each kind of figure that there is, the same bytes each time."""
    figures = json.loads(json.dumps(result(tokens__cpu__100__penny=[60.0], tokens__cpu__300__penny=[40.0])))
    [path] = plots(figures, tmp_path)
    first = path.read_bytes()
    assert path.name == "cpu-a-token.svg"
    assert b"<svg" in first
    assert [p.read_bytes() for p in plots(figures, tmp_path)] == [first]
