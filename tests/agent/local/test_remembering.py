"""What is heard as a request to remember or to forget, without the model."""

from __future__ import annotations

import pytest

from agent.local.heard import Call
from agent.local.remembering import call_for


@pytest.mark.parametrize(
    ("said", "call"),
    [
        ("What do you know about me?", Call("list_facts")),
        ("what have I told you", Call("list_facts")),
        (
            "Remember that I get paid on the 25th.",
            Call("remember_fact", {"text": "I get paid on the 25th", "kind": "payday"}),
        ),
        (
            "please remember I live with two kids",
            Call("remember_fact", {"text": "I live with two kids", "kind": "household"}),
        ),
        ("remember: blue is my color", Call("remember_fact", {"text": "blue is my color", "kind": "other"})),
        ("Penny, forget that I have a dog", Call("forget_fact", {"fact": "I have a dog"})),
        ("forget everything", Call("forget_fact", {"fact": "everything"})),
    ],
)
def test_requests_about_memory_are_heard(said: str, call: Call) -> None:
    """The words to keep are the person's own, as they stand."""
    assert call_for(said) == call


@pytest.mark.parametrize(
    "said",
    [
        "do you remember what I spent?",
        "forget it",
        "Forget that.",
        "how much did I spend last month?",
        "set dining to 200",
        "I can't remember when I paid rent",
    ],
)
def test_other_words_are_left_to_the_model(said: str) -> None:
    """A question, a phrase for never mind, and everything else."""
    assert call_for(said) is None
