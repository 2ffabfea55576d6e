"""Figures as the driver takes them: a line of JSON each, in the file that BENCH_RECORD names."""

from __future__ import annotations

import json
import os


def record(name: str, value: float) -> None:
    """Notes one figure; without a file nothing happens, for a measurement may also run alone."""
    if path := os.environ.get("BENCH_RECORD"):
        with open(path, "a") as file:
            file.write(json.dumps({"name": name, "value": value}) + "\n")


def quick() -> bool:
    """Whether the driver wants little of everything (`make bench-quick`)."""
    return os.environ.get("BENCH_QUICK") == "1"
