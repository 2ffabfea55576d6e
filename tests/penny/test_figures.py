"""The figures of a reply in a terminal."""

from __future__ import annotations

from penny.figures import marks, why

FACTS = {
    "a.1": {"label": "spent on Dining", "value": "209.10", "unit": "USD", "tool": "get_budget_status"},
    "a.2": {"label": "Dining budget", "value": "380.00", "unit": "USD", "tool": "get_budget_status"},
}


def test_marks_tell_verified_and_unverified_apart():
    """Each once; nothing at all without figures."""
    figures = [{"text": "$5", "verified": True}, {"text": "$5", "verified": True}, {"text": "$9", "verified": False}]
    assert marks(figures) == "✓ $5 · ✗ not verified: $9"
    assert marks([]) == ""


def test_why_names_the_facts_behind_each_figure():
    """One fact, several, none, and what no fact backs."""
    figures = [
        {"text": "$209.10", "verified": True, "fact_id": "a.1"},
        {"text": "$170.90", "verified": True, "derived_from": ["a.1", "a.2"]},
        {"text": "today", "verified": True},
        {"text": "$9", "verified": False},
    ]
    one, several, own, none = why(figures, FACTS)
    assert one == "  ✓ $209.10: spent on Dining: 209.10 USD (get_budget_status)"
    assert several.startswith("  ✓ $170.90: from spent on Dining")
    assert "Dining budget" in several
    assert "calendar" in own
    assert none == "  ✗ $9: not verified"
