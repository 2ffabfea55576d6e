"""Months and ranges of days."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidInput
from domain.periods import DateRange, Month

MONTHS = st.builds(Month, st.integers(1950, 2900), st.integers(1, 12))


@given(MONTHS, st.integers(-500, 500))
def test_moving_a_month_there_and_back_is_identity(month: Month, by: int):
    """plus(n).plus(-n) is the month itself."""
    assert month.plus(by).plus(-by) == month


@given(MONTHS)
def test_a_month_reads_as_it_is_written(month: Month):
    """parse(str(month)) is the month."""
    assert Month.parse(str(month)) == month


@pytest.mark.parametrize("text", ["2026-13", "2026-00", "2026-1", "26-01", "", "2026-11-01", "x"])
def test_what_is_no_month_is_refused(text: str):
    """A 13th month among them."""
    with pytest.raises(InvalidInput):
        Month.parse(text)


def test_february_of_a_leap_year_has_29_days():
    """And 1900 was none, 2000 one."""
    assert [len(Month(y, 2).days) for y in (1900, 2000, 2023, 2024)] == [28, 29, 28, 29]


def test_a_range_does_not_end_before_it_starts():
    """An inverted range is refused."""
    with pytest.raises(InvalidInput):
        DateRange(date(2026, 2, 2), date(2026, 2, 1))


def test_the_range_before_has_the_same_length_and_ends_the_day_before():
    """For comparing a period with what preceded it."""
    week = DateRange(date(2026, 3, 2), date(2026, 3, 8))
    assert week.before() == DateRange(date(2026, 2, 23), date(2026, 3, 1))
