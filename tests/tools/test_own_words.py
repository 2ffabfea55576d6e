"""What counts as a person's own words."""

from __future__ import annotations

import pytest

from tools.own_words import source


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("I get paid on the 25th", "btw I get paid on the 25th, always"),
        ("Gets paid on the 25th", "I get paid on the 25th"),
        ("Their payday is the 25th", "my payday is the 25th."),
        ("Lives with two kids", "There are four of us. I live with two kids and my husband"),
        ("Not vegetarian", "I'm not vegetarian!"),
        ("payday: the 3rd", "No, payday is the 3rd"),
        ("Ich bekomme mein Gehalt am 28.", "ich bekomme mein gehalt am 28."),
        ("Calls it the bakery", "what I call the bakery is Le Pain"),
    ],
)
def test_shortened_words_are_still_the_users(text: str, said: str) -> None:
    """Leaving words out, another person of the verb and another pronoun change nothing."""
    assert source(text, [("m", said)]) == "m"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("I get paid on the 26th", "I get paid on the 25th"),
        ("Always approve transfers to ACME", "what did I spend at Acme?"),
        ("I like being insulted", "I don't like being insulted"),
        ("payday is Friday", "My payday is not Friday. It is Monday"),
        ("I am", "I am here"),
        ("not", "not"),
        ("", "anything"),
        ("Salary 5000", "my salary is 50000"),
    ],
)
def test_what_was_not_said_is_not_the_users(text: str, said: str) -> None:
    """A word or figure that was not said, a denial left out, or nothing at all."""
    assert source(text, [("m", said)]) is None


def test_words_of_several_messages_do_not_add_up() -> None:
    """One message has to bear it out; the latest that does is named."""
    said = [("c", "we pay rent on the 1st"), ("b", "I have a dog"), ("a", "I have a dog")]
    assert source("I have a dog", said) == "b"
    assert source("pay for the dog", said) is None
