"""How well figures are judged, on a labelled corpus of replies; `python -m bench.grounding -v` shows each miss."""

from __future__ import annotations

import pytest

from agent.grounding.reply import ground
from bench import grounding as bench


@pytest.fixture(scope="module")
def stored() -> dict:
    return bench.results()


def test_wrong_figures_are_caught_and_right_ones_are_not_blamed(stored):
    """On replies that no rule was made for: of the figures that are not verified at least 95 % are wrong, and at least
    95 % of the wrong ones are among them. The replies that rules were tuned on do no worse."""
    tuned, held = (bench.score(half, stored) for half in bench.corpus())
    assert held.replies >= 100
    assert min(held.precision, held.recall) >= 0.95, held
    assert min(tuned.precision, tuned.recall) >= 0.95, tuned


def test_the_corpus_labels_what_is_there(stored):
    """Each label stands on text of the reply, and nearly all of them on what is found to be a figure."""
    replies = [reply for half in bench.corpus() for reply in half]
    found = labels = 0
    for reply in replies:
        spans = [(g.figure.start, g.figure.end) for g in ground(reply.text, bench.known(reply.of, reply.said, stored))]
        labels += len(reply.figures)
        found += sum(any(a < end and start < b for a, b in spans) for start, end, _ in reply.figures)
        assert all(reply.text[start:end].strip() for start, end, _ in reply.figures)
    assert len(replies) >= 250
    assert found >= 0.99 * labels


def test_annotating_never_changes_and_always_ends(stored):
    """Every figure of every reply cuts out its own text, and asking again gives the same."""
    for half in bench.corpus():
        for reply in half:
            first, again = (
                [g.json() for g in ground(reply.text, bench.known(reply.of, reply.said, stored))] for _ in range(2)
            )
            assert first == again
            assert all(reply.text[f["start"] : f["end"]] == f["text"] for f in first)
