"""The figures of a run of the bench as a file, a table and plots."""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any

from bench.targets import ROWS, STREAMS, Row, number

Figures = dict[str, list[float]]
"""Each figure's repetitions."""


def gathered(path: Path) -> Figures:
    """The figures of a file that measurements recorded into."""
    figures: Figures = {}
    for line in path.read_text().splitlines() if path.exists() else ():
        one = json.loads(line)
        figures.setdefault(one["name"], []).append(one["value"])
    return figures


def verdict(row: Row, values: list[float]) -> str:
    """What is said of a median beside its target."""
    met = row.met(statistics.median(values))
    return "" if met is None else "yes" if met else "**no**"


def spread(values: list[float]) -> str:
    """Median, and the extremes where there are several."""
    middle = number(statistics.median(values))
    return middle if len(values) == 1 else f"{middle} ({number(min(values))} to {number(max(values))})"


def table(result: dict[str, Any]) -> str:
    """A Markdown table of what was measured, with the state of the machine above it."""
    figures: Figures = result["figures"]
    lines = [
        f"{result['at']}: {result['cores']} cores, load {result['load_before']:.1f} before and "
        f"{result['load_after']:.1f} after (the bench's own included), commit {result['commit']}, "
        f"Python {result['python']}, {result['seconds'] / 60:.0f} minutes"
        + (", the short form" if result["quick"] else "") + ".",
        "",
        "| figure | target | measured: median (least to most) | met |",
        "| --- | --- | --- | --- |",
    ]  # fmt: skip
    lines += [
        f"| {row.what} | {row.target()} | {spread(values)} {row.unit} | {verdict(row, values)} |"
        for row in ROWS
        if (values := figures.get(row.name))
    ]
    if ended := result["failed"]:
        lines += ["", f"Did not end well: {', '.join(ended)}."]
    return "\n".join(lines) + "\n"


def plots(result: dict[str, Any], folder: Path) -> list[Path]:
    """SVG drawings: CPU a token and the pace of replies by how many there are."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "penny"
    from matplotlib import pyplot as plt

    figures: Figures = result["figures"]
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    for name, key, label in (
        ("cpu-a-token", "tokens.cpu", "CPU a token, microseconds"),
        ("pace", "tokens.pace", "a reply's time beside its tokens'"),
        ("stalls", "tokens.stall.p95", "pause between two texts, p95, ms"),
    ):
        figure, axes = plt.subplots(figsize=(6, 3.5))
        for server in ("relay", "penny", "stock"):
            points = [(n, v) for n in STREAMS if (v := figures.get(f"{key}.{n}.{server}"))]
            if points:
                axes.plot(
                    [n for n, _ in points], [statistics.median(v) for _, v in points], marker="o", label=server
                )  # fmt: skip
        axes.set(xlabel="replies at once", ylabel=label, ylim=(0, None))
        if axes.has_data():
            axes.legend()
            path = folder / f"{name}.svg"
            figure.savefig(path, bbox_inches="tight", metadata={"Date": None})
            made.append(path)
        plt.close(figure)
    return made
