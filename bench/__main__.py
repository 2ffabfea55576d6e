"""`make bench`: every measurement in turn, each in a process of its own, in eighteen minutes; `--quick` little of
each in two. Targets beside figures are printed at the end; figures, table and plots go to bench/report/ by date."""

from __future__ import annotations

import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from bench.report import gathered, plots, table

REPORT = Path(__file__).parent / "report"

MEASUREMENTS: tuple[tuple[str, int, int], ...] = (
    ("bench.start", 3, 1),
    ("bench.service", 2, 1),
    ("bench.resume", 2, 1),
    ("bench.runs", 1, 1),
    ("bench.grounding", 2, 1),
    ("bench.ledger_speed", 1, 1),
    ("bench.webhooks", 1, 0),
    ("bench.tokens", 1, 1),
    ("bench.streams", 1, 0),
)
"""The module, and how often it runs in a whole bench and in a quick one; those that take their time repeat within."""

LONGEST_SECONDS, ENDING_SECONDS = 1200, 60


def run(name: str, env: dict[str, str]) -> bool:
    """One measurement; whether it ended well. One that takes too long is interrupted, so that it ends what it started;
    what it has recorded by then counts."""
    process = subprocess.Popen([sys.executable, "-m", name], env=env)
    try:
        return process.wait(LONGEST_SECONDS) == 0
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(ENDING_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
        return False


def main() -> None:
    """Runs all of them."""
    quick = "--quick" in sys.argv
    at, began = datetime.now(UTC), time.monotonic()
    stem = f"{at:%Y-%m-%d-%H%M}" + ("-quick" if quick else "")
    REPORT.mkdir(exist_ok=True)
    lines = REPORT / f"{stem}.jsonl"
    lines.unlink(missing_ok=True)
    env = {**os.environ, "BENCH_RECORD": str(lines), "BENCH_QUICK": "1" if quick else "0"}
    load, failed = os.getloadavg()[0], []
    for round_ in range(max(often for _, often, _ in MEASUREMENTS)):
        for name, often, seldom in MEASUREMENTS:  # in turn, so that a busy minute disturbs not all of one figure
            if round_ >= (seldom if quick else often):
                continue
            print(f"\n{name}", flush=True)
            if not run(name, env):
                failed.append(name)
    git = shutil.which("git") or "git"
    commit = subprocess.run([git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    result = {
        "at": f"{at:%Y-%m-%d %H:%M} UTC",
        "cores": os.cpu_count(),
        "load_before": load,
        "load_after": os.getloadavg()[0],
        "commit": commit.stdout.strip() or "unknown",
        "python": platform.python_version(),
        "machine": platform.machine(),
        "seconds": time.monotonic() - began,
        "quick": quick,
        "failed": failed,
        "figures": gathered(lines),
    }
    lines.unlink(missing_ok=True)
    (REPORT / f"{stem}.json").write_text(json.dumps(result, indent=1) + "\n")
    (REPORT / f"{stem}.md").write_text(text := table(result))
    plots(result, REPORT / stem)
    print(f"\n{text}\nbench/report/{stem}.md; `python -m bench.publish` puts it into docs/performance.md")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
