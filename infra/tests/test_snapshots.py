"""What a change of the stacks changes in AWS, for reviewers: `pytest … --update` writes the files anew."""

from __future__ import annotations

import difflib
from pathlib import Path

import pytest

from infra.snapshot import lines
from infra.tests.conftest import Templates

FOLDER = Path(__file__).parent / "snapshots"
HOW = "make infra-check ARGS='-k snapshot --update', then read the difference before you commit it"


@pytest.mark.parametrize("stack", ["Images", "Network", "Data", "Service", "Observability"])
def test_a_template_is_as_it_was_reviewed(production: Templates, stack: str, request: pytest.FixtureRequest) -> None:
    """Resources, rights and numbers of the example; ids and hashes of the CDK are left out."""
    path = FOLDER / f"{stack.lower()}.txt"
    now = lines(production.stacks[stack])
    if request.config.getoption("--update"):
        path.write_text("\n".join(now) + "\n")
    before = path.read_text().splitlines() if path.exists() else []
    changed = list(difflib.unified_diff(before, now, "reviewed", "now", lineterm="", n=1))
    assert not changed, "\n".join([*changed[:60], f"To accept this: {HOW}."])


def test_snapshots_can_be_read() -> None:
    """All of them together are a short read."""
    total = sum(len(path.read_text().splitlines()) for path in FOLDER.glob("*.txt"))
    assert 200 < total < 2500
