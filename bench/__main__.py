"""`make bench`: every measurement in turn, each in a process of its own; the tables go to bench/report/ too."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

MEASUREMENTS = (
    "bench.first_token",
    "bench.service",
    "bench.tokens",
    "bench.runs",
    "bench.grounding",
    "bench.streams",
)
REPORT = Path(__file__).parent / "report"


def main() -> None:
    """Runs all of them."""
    REPORT.mkdir(exist_ok=True)
    at = datetime.now(UTC)
    lines = [f"{at:%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before the start"]
    for name in MEASUREMENTS:
        print(f"\n{name}", flush=True)
        done = subprocess.run([sys.executable, "-m", name], stdout=subprocess.PIPE, text=True, check=False)
        print(done.stdout)
        lines += ["", name, done.stdout if done.returncode == 0 else f"ended with {done.returncode}"]
    (REPORT / f"{at:%Y-%m-%d}.txt").write_text("\n".join(lines))


if __name__ == "__main__":
    main()
