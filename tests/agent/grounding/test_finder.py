"""Figures are found as people and models write them, and numbers that are names are not."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.grounding.finder import Finder

TODAY = date(2026, 11, 22)


def found(text: str, locale: str = "en-US", currency: str = "USD", names: tuple[str, ...] = ()) -> list[str]:
    return [figure.text for figure in Finder.of(locale, currency, names).find(text, TODAY)]


def amounts(text: str, locale: str = "en-US", currency: str = "USD") -> list[tuple[str, Decimal]]:
    figures = Finder.of(locale, currency).find(text, TODAY)
    return [(min(f.currencies), f.value) for f in figures if f.kind == "money"]


@pytest.mark.parametrize(
    ("text", "currency", "value"),
    [
        ("You spent $1,234.56.", "USD", "1234.56"),
        ("It was USD 40 then", "USD", "40"),
        ("that is 40 USD", "USD", "40"),
        ("only 40 bucks", "USD", "40"),
        ("**$412**", "USD", "412"),
        ("about $1.2k", "USD", "1200"),
        ("$1.2 million", "USD", "1200000"),
        ("three hundred and twelve dollars", "USD", "312"),
        ("99 cents", "USD", "0.99"),
        ("-$5.46", "USD", "5.46"),
        ("$-5.46", "USD", "5.46"),
        ("€97.60 in cash", "EUR", "97.60"),
        ("£12", "GBP", "12"),
        ("₹1,23,456.00", "INR", "123456"),
        ("CHF 1'234.50", "CHF", "1234.50"),
    ],
)
def test_amounts_as_written_in_english(text: str, currency: str, value: str):
    """Signs, codes and words, before and after; multipliers; words; groups of three and of two."""
    assert [(c, v) for c, v in amounts(text) if c == currency] == [(currency, Decimal(value))]


@pytest.mark.parametrize(
    ("locale", "currency", "text", "value"),
    [
        ("de-DE", "EUR", "Sie haben 1.234,56 EUR ausgegeben", "1234.56"),
        ("de-DE", "EUR", "etwa 1.234 €", "1234"),
        ("de-DE", "EUR", "1,5 Tsd. €", "1500"),
        ("de-DE", "EUR", "dreihundertzwölf Euro", "312"),
        ("fr-FR", "EUR", "soit 1 234,56 € en tout", "1234.56"),
        ("fr-FR", "EUR", "soit 1\u202f234,56\u00a0€", "1234.56"),
        ("fr-FR", "EUR", "trois cent douze euros", "312"),
        ("en-GB", "GBP", "£1,234.56", "1234.56"),
        ("ja-JP", "JPY", "合計は¥1,234です", "1234"),
        ("ja-JP", "JPY", "12万円", "120000"),
        ("ja-JP", "JPY", "１２３４円", "1234"),
        ("ar-EG", "EGP", "١٬٢٣٤٫٥٠ EGP", "1234.50"),
    ],
)
def test_amounts_of_other_locales(locale: str, currency: str, text: str, value: str):
    """Each locale's separators, spaces, words and digits."""
    assert amounts(text, locale, currency) == [(currency, Decimal(value))]


@pytest.mark.parametrize(
    "text",
    [
        "1. First\n2. Second\n10) Tenth",
        "Transaction #1204 is that one, see [1].",
        "Call 555-123-4567 or +49 30 1234567.",
        "A 401(k), a G20 summit, 24/7 and the 50/30/20 rule",
        "https://example.com/2026/12?x=34",
        "at 10:30 or 7:05",
        "One of them may be wrong, and you may go.",
        "You can do one thing at a time.",
    ],
)
def test_numbers_that_are_names_are_no_figures(text: str):
    """List markers, ids, telephone numbers, addresses and idioms."""
    assert found(text) == []


def test_a_name_with_a_number_in_it_is_no_figure():
    """An account "Checking 1234" has no figure; its balance has."""
    assert found("Checking 1234 has $7.00", names=("Checking 1234",)) == ["$7.00"]


@pytest.mark.parametrize(
    ("text", "figures"),
    [
        ("$200-300 a week", ["$200", "300"]),
        ("between 200 and 300 dollars", ["200", "300 dollars"]),
        ("11 transactions, 15% or fifteen percent", ["11", "15%", "fifteen percent"]),
        ("a third of it, half your budget", ["a third", "half"]),
        ("twice what you spent; twice a month", ["twice"]),
        ("3.2 times the usual, 3x", ["3.2 times", "3x"]),
        ("in October 2026 and on Nov 25th, 2026", ["October 2026", "Nov 25th, 2026"]),
        (
            "2026-11-03, last month, yesterday, Q3 2026, in 2026",
            ["2026-11-03", "last month", "yesterday", "Q3 2026", "2026"],
        ),
        ("from Oct 5 – 12, 2026", ["Oct 5 – 12, 2026"]),
        ("| Dining | $209.10 | 55.0% |", ["$209.10", "55.0%"]),
    ],
)
def test_shares_counts_ranges_and_dates(text: str, figures: list[str]):
    """Everything that the contract calls a figure is found, as it is written."""
    assert found(text) == figures


def test_a_range_shares_its_unit():
    """In "$200-300" the second number is money too."""
    assert amounts("$200-300") == [("USD", Decimal(200)), ("USD", Decimal(300))]


def test_a_weekday_that_does_not_fit_its_date_is_seen():
    """November 20, 2026 is a Friday."""
    figures = Finder.of("en-US", "USD").find("Friday, Nov 20, 2026 or Monday, Nov 20, 2026", TODAY)
    assert [figure.wrong_weekday for figure in figures] == [False, True]


@given(
    st.text(
        alphabet=st.one_of(
            st.sampled_from("0123456789.,-–$€£¥%# \n|'’abcktmXNovOctMay()٣٤٫"), st.characters(codec="utf-8")
        ),
        max_size=120,
    ),
    st.sampled_from(["en-US", "de-DE", "fr-FR", "ja-JP", "ar-EG", "xx"]),
)
def test_offsets_always_cut_out_the_figure(text: str, locale: str):
    """Whatever the text: start and end are code points that give the figure's text, in order, without overlaps."""
    figures = Finder.of(locale, "USD").find(text, TODAY)
    assert all(text[f.start : f.end] == f.text and f.text for f in figures)
    assert all(a.end <= b.start for a, b in pairwise(figures))
