"""Names as people say them."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidInput
from tools.names import CATEGORY_WORDS, Ambiguous, UnknownName, matching, resolve

NAMES = (
    "Groceries",
    "Dining",
    "Transport",
    "Rent",
    "Utilities",
    "Shopping",
    "Entertainment",
    "Health",
    "Travel",
    "Income",
)


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("dining", "Dining"),
        ("DINING", "Dining"),
        ("my dining budget", "Dining"),
        ("eating out", "Dining"),
        ("restaurants", "Dining"),
        ("resturants", "Dining"),
        ("gas", "Transport"),
        ("fuel", "Transport"),
        ("Uber", "Transport"),
        ("transprot", "Transport"),
        ("food shopping", "Groceries"),
        ("grocery", "Groceries"),
        ("grocries", "Groceries"),
        ("clothes", "Shopping"),
        ("electricity", "Utilities"),
        ("utility", "Utilities"),
        ("the rent", "Rent"),
        ("vacations", "Travel"),
        ("enter", "Entertainment"),
    ],
)
def test_a_near_miss_finds_the_category(said: str, name: str) -> None:
    """Case, number, common words, beginnings and slips of spelling are understood."""
    assert resolve(said, NAMES, "category", CATEGORY_WORDS) == name


def test_what_could_be_two_is_asked() -> None:
    """A word for two categories asks which, naming both."""
    with pytest.raises(Ambiguous, match=r"^Which category: Groceries or Dining\?$"):
        resolve("food", NAMES, "category", CATEGORY_WORDS)


def test_the_users_own_name_wins_over_a_common_word() -> None:
    """With a Gas category, gas is that one."""
    assert resolve("gas", (*NAMES, "Gas"), "category", CATEGORY_WORDS) == "Gas"


def test_a_common_word_counts_only_when_the_category_exists() -> None:
    """Gas is never something unlike it: without Transport it is unknown, and the message lists what there is."""
    with pytest.raises(UnknownName, match="Rent, Dining"):
        resolve("gas", ("Rent", "Dining"), "category", CATEGORY_WORDS)


def test_an_unknown_name_suggests_the_closest() -> None:
    """The message offers what looks alike."""
    with pytest.raises(UnknownName, match="Did you mean Savings account"):
        resolve("savigs jar", ("Savings account", "Everyday"), "account")


def test_nothing_to_choose_from_is_said() -> None:
    """Without any account the message says so."""
    with pytest.raises(UnknownName, match="no account yet"):
        resolve("checking", (), "account")


def test_merchants_are_found_inside_bank_text() -> None:
    """A merchant is found by its words, without apostrophes, and by near spelling when nothing has the words."""
    names = ("WHOLE FOODS MKT 1023", "Whole Foods Market", "Trader Joe's", "Starbucks", "Shell")
    assert matching("whole foods", names) == names[:2]
    assert matching("trader joes", names) == ("Trader Joe's",)
    assert matching("starbuks", names) == ("Starbucks",)
    assert matching("ikea", names) == ()


@given(st.text(max_size=30))
def test_any_text_is_one_of_the_names_or_refused(said: str) -> None:
    """Whatever is said, the answer is one of the names or an InvalidInput with a message."""
    with contextlib.suppress(InvalidInput):
        assert resolve(said, NAMES, "category", CATEGORY_WORDS) in NAMES


@given(st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=5, unique_by=str.casefold))
def test_a_name_finds_itself_or_asks(names: list[str]) -> None:
    """A name that exists resolves to itself unless another one reads the same without case and punctuation."""
    for name in names:
        with contextlib.suppress(Ambiguous, UnknownName):
            assert resolve(name, names, "thing") == name
