"""Runs of cases as files of JSON lines: the first says what is run, each further one is a result. Nothing is rewritten,
so a run that was cut off goes on where it stopped."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson

from lab.eval.outcome import EvalError, Result


@dataclass(frozen=True, slots=True)
class Header:
    """What is run: the cells as (prompt, model), the prompts' texts by label, and how."""

    id: str
    started_at: str
    cells: tuple[tuple[str, str], ...]
    cases: str
    repeat: int = 1
    seed: int = 0
    prompts: dict[str, str] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    """The command's own, so that --resume needs no others."""

    def json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Recorded:
    """A run as it is stored."""

    header: Header
    results: tuple[Result, ...]

    def of_cell(self, cell: tuple[str, str]) -> list[Result]:
        return [result for result in self.results if result.cell == cell]


class Store:
    """The folder of runs, `<id>.jsonl` each."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, run: str) -> Path:
        """The run's file, by its id, the beginning of it, or a path. Raises EvalError when it is none or several."""
        if Path(run).is_file():
            return Path(run)
        found = sorted(self._folder.glob(f"{run}*.jsonl")) if run and "/" not in run else []
        if len(found) != 1:
            there = ", ".join(path.stem for path in sorted(self._folder.glob("*.jsonl"))[-5:]) or "none"
            raise EvalError(f"There {'are several runs' if found else 'is no run'} {run!r}; the latest are: {there}.")
        return found[0]

    def begin(self, header: Header) -> Path:
        """Makes the file of a new run."""
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{header.id}.jsonl"
        path.write_bytes(orjson.dumps({"run": header.json()}) + b"\n")
        return path

    @staticmethod
    def add(path: Path, result: Result) -> None:
        """Adds a line; what a crash left of one is ended first, so that it spoils no other."""
        with path.open("rb+") as file:
            file.seek(-1, 2)
            whole = file.read(1) == b"\n"
            file.write((b"" if whole else b"\n") + orjson.dumps({"result": result.json()}) + b"\n")

    def read(self, run: str) -> Recorded:
        """The run with its results, the last of each case and repeat. Raises EvalError."""
        path = self.path(run)
        results: dict[tuple[str, str, str, int], Result] = {}
        header: Header | None = None
        for line in path.read_bytes().splitlines():
            try:
                data = orjson.loads(line)
                if "run" in data:
                    header = _header(data["run"])
                else:
                    result = Result.parse(data["result"])
                    results[result.key] = result
            except (orjson.JSONDecodeError, KeyError, TypeError):
                continue  # a line that was cut off
        if header is None:
            raise EvalError(f"{path} is no record of a run.")
        return Recorded(header, tuple(results.values()))


def _header(data: dict[str, Any]) -> Header:
    return Header(**{**data, "cells": tuple((prompt, model) for prompt, model in data["cells"])})
