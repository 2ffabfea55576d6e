"""Rates and conversion: exact, dated, never guessed."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.engine import Database
from domain.errors import InvalidInput
from domain.money import Money, exponent
from ledger import rates, setup, worth
from ledger.rates import MissingRate, Rate, RateTable

TODAY = date(2026, 11, 22)
OCTOBER = date(2026, 10, 31)


def known(*pairs: tuple[str, str, str, date]) -> RateTable:
    """The table of a person who keeps dollars."""
    return RateTable(TODAY, "USD", tuple(Rate.of(base, quote, day, value) for base, quote, value, day in pairs))


def test_a_conversion_says_its_rate_and_day() -> None:
    """Euros become dollars by the rate of a day that is not today, and both are told."""
    done = known(("EUR", "USD", "1.0842", OCTOBER)).convert(Money(10_000, "EUR"), "USD")
    assert (done.amount, done.rate, done.day) == (Money(10_842, "USD"), Decimal("1.0842"), OCTOBER)
    assert done.original == Money(10_000, "EUR")


def test_a_rate_works_backwards() -> None:
    """Without a rate of its own a direction uses the other one's inverse, exactly, and shows ten digits of it."""
    done = known(("EUR", "USD", "1.08", TODAY)).convert(Money(10_800, "USD"), "EUR")
    assert (done.amount, done.rate) == (Money(10_000, "EUR"), Decimal("0.9259259259"))


def test_two_foreign_currencies_meet_in_the_users_own() -> None:
    """Yen become euros by way of dollars; the day is the older of the two rates'."""
    table = known(("USD", "JPY", "150", TODAY), ("EUR", "USD", "1.2", OCTOBER))
    done = table.convert(Money(18_000, "JPY"), "EUR")
    assert (done.amount, done.day) == (Money(10_000, "EUR"), OCTOBER)


def test_a_direct_rate_goes_before_a_crossing() -> None:
    """A rate between the two currencies counts even when the way round is newer."""
    table = known(("EUR", "GBP", "0.9", OCTOBER), ("EUR", "USD", "1.2", TODAY), ("GBP", "USD", "1.2", TODAY))
    assert table.convert(Money(1000, "EUR"), "GBP").amount == Money(900, "GBP")


def test_the_newer_direction_counts() -> None:
    """Of a rate and its inverse, the one of the later day."""
    table = known(("EUR", "USD", "1.1", OCTOBER), ("USD", "EUR", "0.8", TODAY))
    assert table.convert(Money(800, "EUR"), "USD").amount == Money(1000, "USD")


@pytest.mark.parametrize(("age", "counts"), [(0, True), (31, True), (32, False)])
def test_a_rate_counts_for_31_days(age: int, counts: bool) -> None:
    """After that it is missing, and the message says that it is too old."""
    table = known(("EUR", "USD", "1.1", TODAY - timedelta(days=age)))
    if counts:
        assert table.convert(Money(100, "EUR"), "USD").amount == Money(110, "USD")
    else:
        with pytest.raises(MissingRate, match="of 2026-10-21, is too old"):
            table.convert(Money(100, "EUR"), "USD")


def test_a_missing_rate_asks_for_one() -> None:
    """The message names the currencies and the day and how to give the rate; so do the details."""
    with pytest.raises(MissingRate, match="no EUR to USD rate for 2026-11-22; give one with") as raised:
        known().convert(Money(100, "EUR"), "USD")
    assert raised.value.details == {"base": "EUR", "quote": "USD", "day": "2026-11-22", "latest": None}


@pytest.mark.parametrize(("minor", "expected"), [(1, 0), (3, 2), (5, 2), (7, 4), (-1, 0), (-3, -2), (-5, -2)])
def test_halves_go_to_the_even_minor_unit(minor: int, expected: int) -> None:
    """Half a cent is rounded to even, with either sign."""
    assert known(("EUR", "USD", "0.5", TODAY)).convert(Money(minor, "EUR"), "USD").amount.minor == expected


@given(
    minor=st.integers(-(10**9), 10**9),
    rate=st.decimals("0.00001", "100000", places=6),
    pair=st.permutations(["USD", "JPY", "KWD", "EUR"]),
    backwards=st.booleans(),
)
def test_a_conversion_is_the_exact_product_rounded_once(
    minor: int, rate: Decimal, pair: list[str], backwards: bool
) -> None:
    """With 0, 2 and 3 decimals, either direction: within half a minor unit of the exact value."""
    base, quote = pair[:2]
    row = (quote, base, str(rate), TODAY) if backwards else (base, quote, str(rate), TODAY)
    done = known(row).convert(Money(minor, base), quote)
    factor = 1 / Fraction(rate) if backwards else Fraction(rate)
    true = minor * factor * Fraction(10) ** (exponent(quote) - exponent(base))
    assert abs(done.amount.minor - true) <= Fraction(1, 2)


@pytest.mark.parametrize(
    ("base", "quote", "value"),
    [
        ("EUR", "EUR", "1"),
        ("EUR", "ABC", "1"),
        ("EUR", "USD", "0"),
        ("EUR", "USD", "-1"),
        ("EUR", "USD", "NaN"),
        ("EUR", "USD", "Infinity"),
        ("EUR", "USD", "1e9"),
        ("EUR", "USD", "0.0000000000001"),
        ("EUR", "USD", "one"),
    ],
)
def test_what_is_no_rate_is_refused(base: str, quote: str, value: str) -> None:
    """Not rounded, not guessed."""
    with pytest.raises(InvalidInput):
        Rate.of(base, quote, TODAY, value)


async def test_rates_are_kept_exactly_and_replaced_by_day(database: Database, user: UUID) -> None:
    """Twelve decimals and nine digits come back; the same day's rate is replaced; pages cover all once."""
    entered = [
        Rate.of("eur", "usd", OCTOBER, "1.000000000001", "bank"),
        Rate.of("USD", "JPY", OCTOBER, "999999999.5"),
        Rate.of("EUR", "USD", TODAY, "1.1"),
        Rate.of("EUR", "USD", TODAY, "1.2"),
    ]
    async with database.transaction(user) as tx:
        assert len(await rates.enter(tx, entered)) == 3
        assert await rates.enter(tx, []) == ()
        first, after = await rates.list_(tx, limit=2)
        rest, end = await rates.list_(tx, limit=2, after=after)
        table = await rates.table(tx, TODAY, "USD")
        done = await rates.convert(tx, Money(100, "EUR"), "USD", OCTOBER + timedelta(days=2), "USD")
    assert [r.value for r in (*first, *rest)] == [Decimal("1.2"), Decimal("1.000000000001"), Decimal("999999999.5")]
    assert end is None
    assert {(r.base, r.quote, r.day) for r in table.rates} == {("EUR", "USD", TODAY), ("USD", "JPY", OCTOBER)}
    assert (done.amount, done.day) == (Money(100, "USD"), OCTOBER)


async def test_net_worth_is_converted_when_there_are_rates(database: Database, user: UUID) -> None:
    """Per currency always; together only with a rate, which is told; without one the total is not there."""
    async with database.transaction(user) as tx:
        await setup.add_account(tx, "Checking", "checking", Money(100_000, "USD"), "test")
        await setup.add_account(tx, "Bank", "savings", Money(50_000, "EUR"), "test")
        await setup.add_account(tx, "Card", "credit", Money(-20_000, "EUR"), "test")
        _, before = await worth.of_user(tx, TODAY, "USD")
        await rates.enter(tx, [Rate.of("EUR", "USD", OCTOBER, "1.1")])
        found, after = await worth.of_user(tx, TODAY, "USD")
    assert len(found) == 3
    assert before.by_currency == after.by_currency == (Money(100_000, "USD"), Money(30_000, "EUR"))
    assert before.total is None
    assert before.missing is not None
    assert before.missing.details["base"] == "EUR"
    assert after.total == Money(133_000, "USD")
    (conversion,) = after.conversions
    assert (conversion.rate, conversion.day) == (Decimal("1.1"), OCTOBER)


async def test_what_is_set_up_can_be_undone(database: Database, user: UUID) -> None:
    """An account and a category made by hand stand in the journal; a second one of the name is refused."""
    async with database.transaction(user) as tx:
        await setup.add_account(tx, "  My   Checking ", "checking", Money(0, "USD"), "test")
        await setup.add_category(tx, "Dining", "Fun", "spending", "test")
        for again in ("my checking", "MY CHECKING"):
            with pytest.raises(setup.NameTaken):
                await setup.add_account(tx, again, "cash", Money(0, "USD"), "test")
        kinds = await tx.pg.fetch("SELECT kind FROM journal WHERE user_id = $1 ORDER BY at", user)
        assert await tx.pg.fetchval("SELECT name FROM account WHERE user_id = $1", user) == "My Checking"
    assert [row["kind"] for row in kinds] == ["create_account", "create_category"]


@pytest.mark.parametrize("name", ["", "   ", "x" * 81, "a\u202eb", "a\u200bb", "a\x07b"])
def test_names_can_be_seen(name: str) -> None:
    """Empty, long and invisible names are refused."""
    with pytest.raises(InvalidInput):
        setup.checked_name(name, "category")
