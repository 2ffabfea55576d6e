"""`python -m bench.publish [FILE.json]`: the newest whole run of the bench into docs/performance.md, between its
markers, with its figures as docs/performance/DATE.json and its plots."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from bench.report import plots, table

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- figures -->\n", "<!-- end of figures -->"


def put(page: str, text: str) -> str:
    """The page with `text` between its markers."""
    before, found, rest = page.partition(BEGIN)
    _, closed, after = rest.partition(END)
    if not (found and closed):
        raise SystemExit(f"docs/performance.md has lost its markers {BEGIN.strip()} and {END}")
    return f"{before}{BEGIN}\n{text}\n{END}{after}"


def main() -> None:
    """Publishes."""
    runs = sorted(p for p in (ROOT / "bench" / "report").glob("*.json") if not p.stem.endswith("-quick"))
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else runs[-1] if runs else None
    if path is None:
        raise SystemExit("There is no run to publish; `make bench` makes one.")
    result = json.loads(path.read_text())
    folder = ROOT / "docs" / "performance"
    drawn = "\n".join(f"![{p.stem}](performance/{p.name})" for p in plots(result, folder))
    PAGE.write_text(put(PAGE.read_text(), f"{table(result)}\n{drawn}\n"))
    (folder / f"{result['at'][:10]}.json").write_text(json.dumps(result, indent=1) + "\n")
    print(f"published {path.name}")


if __name__ == "__main__":
    main()
