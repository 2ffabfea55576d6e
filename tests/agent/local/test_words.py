"""Numbers, categories and names in the user's words."""

from __future__ import annotations

from decimal import Decimal

import pytest
from said_and_chosen import CATEGORIES

from agent.local.words import named, numbers, within


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("log $1,200 rent on Nov 1", ["1200", "1"]),
        ("1.2k", ["1200"]),
        ("12,50 €", ["12.5"]),
        ("1.200,50", ["1200.5"]),
        ("two hundred and fifty, or a thousand", ["250", "1000"]),
        ("fifty bucks", ["50"]),
        ("no number", []),
    ],
)
def test_numbers_are_found_in_digits_and_words(text: str, found: list[str]) -> None:
    """Both ways of writing decimals and thousands, and numbers that are spelled."""
    assert list(numbers(text)) == [Decimal(value) for value in found]


def test_categories_are_found_by_their_names_and_what_people_call_them() -> None:
    """Each phrase once, in order; a word for two categories means both."""
    spoken = named("borrow 40 from clothes budget for gas", CATEGORIES)
    assert [one.said for one in spoken] == ["Shopping", "Transport"]
    [food] = named("food", CATEGORIES)
    assert food.meant == {"Groceries", "Dining"}
    assert food.said == "food"


def test_names_are_compared_without_punctuation() -> None:
    """ "trader joes" is Trader Joe's; a word is not found inside another."""
    assert within("Trader Joe's", "paid 5 at trader joes")
    assert not within("bar", "barber")
