"""Figures of a reply are held against what is known: the value, and what the words around it say."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.grounding.reply import ground


def unverified(text: str, known) -> list[str]:
    return [found.figure.text for found in ground(text, known) if not found.verified]


def test_every_figure_of_every_tools_own_sentence_verifies(known, results):
    """What code wrote is right, so nothing in it may be marked; this is the whole answer of the offline model."""
    for name, result in results.items():
        assert unverified(result["summary"], known(name, told=True)) == [], name


def test_most_of_it_verifies_by_facts_alone(known, results):
    """Even without the tools' sentences nearly every figure in them is a fact or follows from facts."""
    figures = [found for name, r in results.items() for found in ground(r["summary"], known(name))]
    assert sum(found.verified for found in figures) >= 0.95 * len(figures)


def test_a_figure_names_its_fact(known):
    """The fact of the right category and measure, though others may have the same value."""
    found = ground("Dining: you spent $209.10 of $380.00.", known("dining_nov"))
    assert [(g.figure.text, g.facts[0].label) for g in found] == [
        ("$209.10", "spent on Dining in November 2026 so far"),
        ("$380.00", "Dining budget in November 2026 so far"),
    ]


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("You spent $209.10 on Groceries this month.", ["$209.10"]),
        ("You spent $209.10 on Dining in October.", ["$209.10"]),
        ("Your Dining budget is $209.10.", ["$209.10"]),
        ("You are $170.90 over on Dining.", ["$170.90"]),
        ("You spent €209.10 on Dining.", ["€209.10"]),
        ("You spent $2,091.00 on Dining.", ["$2,091.00"]),
        ("You spent two hundred and ninety dollars on Dining.", ["two hundred and ninety dollars"]),
        ("You spent $209.01 on Dining.", ["$209.01"]),
        ("You have used 65% of the Dining budget.", ["65%"]),
    ],
)
def test_a_right_number_in_the_wrong_place_is_caught(known, text: str, wrong: list[str]):
    """Another category, period, measure, direction or currency than the fact's is as wrong as another number."""
    assert unverified(text, known("budget_nov")) == wrong


@pytest.mark.parametrize(
    "text",
    [
        "You spent about $210 on Dining.",
        "You've spent roughly $200 of your $380 Dining budget.",
        "Groceries and Dining together come to $931.26.",
        "You spent $513.06 more on Groceries than on Dining.",
        "Your rent is about half of everything you spent.",
        "You have 8 days left this month.",
    ],
)
def test_rounding_and_simple_sums_stand(known, text: str):
    """What may be rounded is said to be, and what follows from facts by one step is right."""
    assert unverified(text, known("budget_nov")) == []


def test_what_the_user_said_is_theirs(known):
    """A figure of the user's needs no fact, but it does not become what the tools found."""
    knows = known("dining_nov", said=["Can I spend $500 on dining?"])
    assert unverified("You asked about $500.", knows) == []
    assert unverified("Yes, you spent $500 on Dining.", knows) == ["$500"]


WORDS = """
0 12 5.00 9999999999999999999999999999 $ € % . , - | ( ) * : # ? $412 -$5 1.2k 15% ٣ 円 10月 about half twice Nov
October 2026 Q3 Dining Costco spent left more a on and of three hundred dollars transactions
"""
PIECES = [*WORDS.split(), "\n", ""]


@given(
    st.lists(
        st.sampled_from(PIECES),
        max_size=40,
    ),
    st.sampled_from(["", " "]),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])  # it only makes values
def test_no_text_is_too_odd(known, words: list[str], space: str):
    """Whatever a model says: the figures cut out their own text, in order, and nothing raises."""
    text = space.join(words)
    found = [g.figure for g in ground(text, known("txns", "compare", said=["is it 500 or 12%?"]))]
    assert all(text[f.start : f.end] == f.text for f in found)
    assert all(a.end <= b.start for a, b in pairwise(found))


@pytest.mark.timeout(60)
@pytest.mark.parametrize("words", ["$5 on Dining and ", "9", "| 1 ", "1,2.", "Oct 5 - "])
def test_a_hostile_text_does_not_hold_up_the_process(known, words: str):
    """12,000 characters of what costs most to look at are done with long before the deadline of any reply."""
    text = (words * 12_000)[:12_000]
    assert all(text[g.figure.start : g.figure.end] == g.figure.text for g in ground(text, known("compare")))
