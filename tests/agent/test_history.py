"""What the model is told of turns that ended without an answer, and of decisions."""

from __future__ import annotations

from agent.history import earlier
from memory import messages


def test_a_turn_without_an_answer_is_closed_for_the_model():
    """Unanswered calls get a result and the turn an answer, so that roles alternate."""
    turn = [
        messages.Message("user", "q", turn=1),
        messages.Message("assistant", "", {"tool_calls": [{"id": "c", "name": "list_accounts", "args": {}}]}, turn=1),
    ]
    told = earlier(turn).told
    assert [m.type for m in told] == ["human", "ai", "tool", "ai"]


def test_a_decision_is_told_with_the_next_message():
    """What the user decided stands before their next words, and is no turn of its own."""
    past = [
        messages.Message("user", "set dining to 250", turn=1),
        messages.Message("assistant", "Proposed.", turn=1),
        messages.Message(
            "decision", "The user applied: Dining 250.", {"proposal_id": "p", "status": "applied"}, turn=2
        ),
    ]
    history = earlier(past)
    told, notes = history.told, history.notes
    assert [m.type for m in told] == ["human", "ai"]
    assert notes == ["[The user applied: Dining 250.]"]
