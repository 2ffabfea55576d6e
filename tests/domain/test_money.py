"""Money is exact, and unlike currencies never mix."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidInput
from domain.money import MAX_MINOR, CurrencyMismatch, Money, exponent

CURRENCIES = ("JPY", "USD", "KWD")


@pytest.mark.parametrize(("code", "decimals"), [("JPY", 0), ("USD", 2), ("EUR", 2), ("KWD", 3), ("BHD", 3)])
def test_minor_units_follow_iso_4217(code: str, decimals: int):
    """Yen have none, dollars two, dinars three decimals."""
    assert exponent(code) == decimals


@given(st.integers(-MAX_MINOR, MAX_MINOR), st.sampled_from(CURRENCIES))
def test_amount_and_minor_units_are_the_same_number(minor: int, currency: str):
    """From minor units to the decimal and back nothing is lost."""
    money = Money(minor, currency)
    assert Money.of(money.amount, currency) == money


@given(st.integers(-(10**12), 10**12), st.integers(-(10**12), 10**12))
def test_subtracting_what_was_added_is_identity(a: int, b: int):
    """(a + b) - b is a."""
    assert Money(a, "USD") + Money(b, "USD") - Money(b, "USD") == Money(a, "USD")


def test_unlike_currencies_do_not_add_or_compare():
    """A dollar and a euro are not two of anything."""
    with pytest.raises(CurrencyMismatch):
        _ = Money(1, "USD") + Money(1, "EUR")
    with pytest.raises(CurrencyMismatch):
        _ = Money(1, "USD") < Money(1, "EUR")


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("12.345", "USD"),
        ("1.5", "JPY"),
        ("NaN", "USD"),
        ("1e30", "USD"),
        ("-Infinity", "USD"),
        ("ten", "USD"),
        ("1", "XX"),
    ],
)
def test_what_is_no_amount_is_refused(text: str, currency: str):
    """Too many decimals, no number, too large, no currency."""
    with pytest.raises(InvalidInput):
        Money.of(text, currency)


def test_amounts_are_written_as_people_of_the_locale_do():
    """The same amount in three places."""
    assert Money(123450, "USD").format("en-US") == "$1,234.50"
    assert Money(123450, "EUR").format("de-DE") == "1.234,50\xa0€"
    assert Money(1234, "JPY").format("ja-JP") == "￥1,234"


@given(st.integers(1, 10**9), st.integers(1, 100))
def test_a_share_is_rounded_to_a_whole_minor_unit(minor: int, percent: int):
    """Half to even, and never further than half a unit off."""
    share = Money(minor, "USD").split(Decimal(percent) / 100)
    assert abs(Decimal(share.minor) - Decimal(minor) * percent / 100) <= Decimal("0.5")
