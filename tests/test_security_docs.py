"""docs/security.md names tests that exist, for every row of its tables."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/security.md").read_text(encoding="utf-8")
NAMED = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", PAGE)


def test_every_test_that_is_named_exists() -> None:
    """By its file and its function."""
    assert len(NAMED) > 50
    missing = []
    for path, name in NAMED:
        file = ROOT / path
        if not file.exists() or (name and not re.search(rf"^(?:async )?def {name}\(", file.read_text(), re.MULTILINE)):
            missing.append(f"{path}::{name}")
    assert missing == []


def test_every_row_has_a_test() -> None:
    """And its trials and outcome."""
    rows = [
        line for line in PAGE.splitlines() if line.startswith("|") and not re.match(r"\| (?:---|tried|fault)", line)
    ]
    assert len(rows) > 35
    for row in rows:
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        assert len(cells) == 4, row
        assert all(cells), row
        assert "`tests/" in cells[3], row


def test_every_hostile_and_fault_test_is_on_the_page() -> None:
    """No file of these groups is left out."""
    for folder in ("tests/hostile", "tests/faults"):
        for file in sorted((ROOT / folder).glob("test_*.py")):
            assert f"{folder}/{file.name}" in PAGE, f"docs/security.md lacks a row for {file.name}"
