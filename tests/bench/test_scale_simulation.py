"""The simulation behind docs/scale.md: it conserves what it plays with, and the document shows what it says."""

from __future__ import annotations

from pathlib import Path

from bench.scale_simulation import World, simulate, table

ROOT = Path(__file__).parents[2]


def test_streams_are_what_littles_law_says():
    """Replies a second times their length, at the height of the hour."""
    found = simulate(50_000)
    length = World.first_token * World.calls + World.tokens / World.tokens_per_second
    assert 0.8 < found.streams / (found.replies_per_second * length) < 1.2


def test_a_quota_that_is_ample_turns_nobody_away():
    """And one that is half of what is asked turns away about half."""
    asked = simulate(50_000).tokens_minute
    assert simulate(50_000, world=World(quota_tokens_minute=asked * 2)).refused == 0
    assert 0.2 < simulate(50_000, world=World(quota_tokens_minute=asked / 2)).refused < 0.6


def test_tasks_come_with_the_streams():
    """No task has more than scaling aims at for long, and there is always the least number of them."""
    assert simulate(1_000).tasks == 3
    found = simulate(400_000, minutes=10)
    assert found.tasks > 3
    assert found.streams / found.tasks < 130


def test_the_document_shows_what_the_simulation_says():
    """The first rows of its table; the larger ones take too long for a test."""
    outcomes = [simulate(1_000), simulate(10_000), simulate(50_000)]
    limited = World(quota_tokens_minute=2e6)
    refused = [simulate(users, world=limited).refused for users in (1_000, 10_000, 50_000)]
    page = (ROOT / "docs" / "scale.md").read_text()
    for line in table(outcomes, refused, 2e6).splitlines():
        assert line in page
