"""Sentences end where people would end them, also while the text still comes in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.grounding.sentences import spans, whole


def cut(text: str) -> list[str]:
    return [text[a:b] for a, b in spans(text)]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("You spent $4.20. That is all.", ["You spent $4.20.", " That is all."]),
        (
            "It was approx. $40 on Nov. 5 at St. John's. Fine.",
            ["It was approx. $40 on Nov. 5 at St. John's.", " Fine."],
        ),
        ("Am 25. November sind es 12,5 %. Gut.", ["Am 25. November sind es 12,5 %.", " Gut."]),
        ("1. First\n2. Second", ["1. First\n", "2. Second"]),
        ("| a | b |\n| --- | --- |\n", ["| a | b |\n", "| --- | --- |\n"]),
        ("合計は¥1,234です。以上。", ["合計は¥1,234です。", "以上。"]),
    ],
)
def test_where_sentences_end(text: str, sentences: list[str]):
    """Decimals, abbreviations, ordinals and list numbers end nothing; lines and rows do."""
    assert cut(text) == sentences


@given(st.text(alphabet=st.sampled_from("ab1. $5,!?\n|。A"), max_size=60), st.data())
def test_what_is_whole_stays_whole(text: str, data):
    """A cut made while the text comes in is one that the whole text has too."""
    at = data.draw(st.integers(0, len(text)))
    ends = {b for _, b in spans(text)} | {0}
    assert whole(text[:at]) in ends
