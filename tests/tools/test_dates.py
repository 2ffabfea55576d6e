"""Periods, months and days as people say them, for someone to whom it is Sunday, November 22, 2026."""

from __future__ import annotations

import contextlib
from calendar import isleap
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidInput
from domain.periods import DateRange, Month
from tools import dates
from tools.wording import describe, during

TODAY = date(2026, 11, 22)

DAYS = st.dates(date(1950, 1, 1), date(2099, 12, 31))
PHRASES = st.sampled_from(
    [
        *("today", "yesterday", "last week", "this week", "next week", "last month", "this month", "the month before"),
        *(
            "last 30 days",
            "past 3 months",
            "this year",
            "last year",
            "ytd",
            "Q1",
            "q4",
            "feb",
            "since march",
            "on monday",
        ),
        *("feb 29", "jan 31", "dec 20 - jan 5", "between feb 27 and mar 2", "all time", "this weekend", "2 months ago"),
        *("last quarter", "the 31st", "month before last", "12/31", "h1", "a year ago", "last december", "past year"),
    ]
)


@pytest.mark.parametrize(
    ("phrase", "start", "end"),
    [
        ("last month", "2026-10-01", "2026-10-31"),
        ("This month", "2026-11-01", "2026-11-30"),
        ("the month before last", "2026-09-01", "2026-09-30"),
        ("October", "2026-10-01", "2026-10-31"),
        ("in december", "2025-12-01", "2025-12-31"),
        ("Oct 2025", "2025-10-01", "2025-10-31"),
        ("october last year", "2025-10-01", "2025-10-31"),
        ("2026-10", "2026-10-01", "2026-10-31"),
        ("Q3", "2026-07-01", "2026-09-30"),
        ("the third quarter of 2025", "2025-07-01", "2025-09-30"),
        ("last week", "2026-11-15", "2026-11-21"),
        ("this week", "2026-11-22", "2026-11-28"),
        ("over the last 30 days", "2026-10-24", "2026-11-22"),
        ("past 3 months", "2026-08-23", "2026-11-22"),
        ("for the past week", "2026-11-16", "2026-11-22"),
        ("this year", "2026-01-01", "2026-12-31"),
        ("last year", "2025-01-01", "2025-12-31"),
        ("year to date", "2026-01-01", "2026-11-22"),
        ("this month so far", "2026-11-01", "2026-11-22"),
        ("2025", "2025-01-01", "2025-12-31"),
        ("between oct 5 and oct 12", "2026-10-05", "2026-10-12"),
        ("oct 5 - oct 12", "2026-10-05", "2026-10-12"),
        ("Oct 5 – 12", "2026-10-05", "2026-10-12"),
        ("5-12 october", "2026-10-05", "2026-10-12"),
        ("dec 20 to jan 5", "2025-12-20", "2026-01-05"),
        ("from oct 28 through nov 3, 2025", "2025-10-28", "2025-11-03"),
        ("2026-10-05 to 2026-10-12", "2026-10-05", "2026-10-12"),
        ("2026-10-05/2026-10-12", "2026-10-05", "2026-10-12"),
        ("since September", "2026-09-01", "2026-11-22"),
        ("since oct 5", "2026-10-05", "2026-11-22"),
        ("last weekend", "2026-11-14", "2026-11-15"),
        ("two weeks ago", "2026-11-08", "2026-11-14"),
        ("all time", "1900-01-01", "2026-11-22"),
        ("last quarter", "2026-07-01", "2026-09-30"),
    ],
)
def test_a_period_phrase_means_these_days(phrase: str, start: str, end: str) -> None:
    """A period is resolved against today, without a year to the most recent one."""
    assert dates.period(phrase, TODAY) == DateRange(date.fromisoformat(start), date.fromisoformat(end))


@pytest.mark.parametrize(
    ("phrase", "when"),
    [
        ("today", "2026-11-22"),
        ("this morning", "2026-11-22"),
        ("yesterday", "2026-11-21"),
        ("on Friday", "2026-11-20"),
        ("sunday", "2026-11-22"),
        ("last sunday", "2026-11-15"),
        ("Nov 1", "2026-11-01"),
        ("november 23rd", "2025-11-23"),
        ("1st of november 2025", "2025-11-01"),
        ("2026-11-01", "2026-11-01"),
        ("3 days ago", "2026-11-19"),
        ("the 5th", "2026-11-05"),
        ("the 25th", "2026-10-25"),
        ("11/1/2026", "2026-11-01"),
        ("feb 29", "2024-02-29"),
    ],
)
def test_a_day_phrase_means_this_day(phrase: str, when: str) -> None:
    """A day without a year is the most recent one; today counts."""
    assert dates.day(phrase, TODAY) == date.fromisoformat(when)


@pytest.mark.parametrize(
    ("phrase", "past", "future", "nearest"),
    [
        ("December", "2025-12", "2026-12", "2026-12"),
        ("september", "2026-09", "2027-09", "2026-09"),
        ("november", "2026-11", "2026-11", "2026-11"),
        ("next month", "2026-12", "2026-12", "2026-12"),
        ("today", "2026-11", "2026-11", "2026-11"),
        ("Oct 2025", "2025-10", "2025-10", "2025-10"),
    ],
)
def test_a_month_without_a_year_leans_as_asked(phrase: str, past: str, future: str, nearest: str) -> None:
    """What was spent in December is past, a budget for December is ahead, and its status is the nearer one's."""
    leans: tuple[dates.Lean, ...] = ("past", "future", "nearest")
    assert [str(dates.month(phrase, TODAY, lean=lean)) for lean in leans] == [past, future, nearest]


@pytest.mark.parametrize(
    "phrase",
    [
        "",
        "in",
        "banana",
        "13th month",
        "2026-13",
        "2026-02-30",
        "feb 30",
        "5",
        "last few months",
        "99999 days",
        "last 0 days",
        "9999 years ago",
        "oct 12 - oct 5",
        "2026-10-12 to 2026-10-05",
        "since next year",
        "sometime",
        "\0",
        "²",
        "１３/１３",
    ],
)
def test_a_phrase_that_means_nothing_is_refused_with_examples(phrase: str) -> None:
    """An unknown, impossible or ambiguous phrase raises InvalidInput that shows what can be said."""
    with pytest.raises(InvalidInput, match="say one like last month"):
        dates.period(phrase, TODAY)


def test_a_longer_period_is_not_a_day_or_month() -> None:
    """A day or a month is not guessed from a longer period."""
    with pytest.raises(InvalidInput, match="not one day"):
        dates.day("last week", TODAY)
    with pytest.raises(InvalidInput, match="not one month"):
        dates.month("this year", TODAY)


def test_weeks_and_numeric_dates_follow_the_locale() -> None:
    """Weeks start on Monday and 11/1 is January where that is the custom."""
    assert dates.period("last week", TODAY, locale="de-DE") == DateRange(date(2026, 11, 9), date(2026, 11, 15))
    assert dates.day("11/1/2026", TODAY, locale="en-GB") == date(2026, 1, 11)


def test_other_languages_are_understood_in_their_locale() -> None:
    """dateparser reads what the grammar does not know."""
    assert dates.day("ayer", TODAY, locale="es-ES") == date(2026, 11, 21)
    assert dates.period("octobre", TODAY, locale="fr-FR") == Month(2026, 10).days


def test_the_month_before_follows_the_conversation() -> None:
    """ "The month before" is before the period last spoken of, again and again."""
    said = ["how much did I spend on groceries last month?", "and the month before?"]
    assert dates.mentioned(said[:1], TODAY) == Month(2026, 10).days
    assert dates.period("the month before", TODAY, topic=Month(2026, 10).days) == Month(2026, 9).days
    assert dates.mentioned([*said, "and the one before that?"], TODAY) == Month(2026, 8).days
    assert dates.mentioned(["I may be over", "thanks"], TODAY) is None


@pytest.mark.parametrize(
    ("phrase", "words"),
    [
        ("last month", "in October 2026"),
        ("this month", "in November 2026 so far"),
        ("oct 5 - oct 12", "from Oct 5 – 12, 2026"),
        ("last 30 days", "in the last 30 days (Oct 24 – Nov 22, 2026)"),
        ("yesterday", "yesterday (Sat, Nov 21, 2026)"),
        ("friday", "on Fri, Nov 20, 2026"),
        ("Q3", "in Q3 2026 (Jul – Sep 2026)"),
        ("this year", "in 2026 so far"),
        ("all time", "over all time"),
    ],
)
def test_a_period_is_said_back(phrase: str, words: str) -> None:
    """The words name the days that were understood."""
    assert during(dates.period(phrase, TODAY), TODAY) == words


@given(PHRASES, DAYS)
def test_every_phrase_has_a_meaning_on_every_day(phrase: str, today: date) -> None:
    """The grammar's phrases never fail, never invert, and can be said back, whatever day it is."""
    days = dates.period(phrase, today)
    assert days.start <= days.end
    assert describe(days, today)


@given(DAYS, DAYS)
def test_iso_days_and_ranges_round_trip(one: date, other: date) -> None:
    """What is written in ISO form means exactly that, today notwithstanding."""
    start, end = min(one, other), max(one, other)
    assert dates.day(one.isoformat(), other) == one
    assert dates.period(f"{start.isoformat()} to {end.isoformat()}", TODAY) == DateRange(start, end)
    assert dates.month(str(Month.of(one)), other) == Month.of(one)


@given(DAYS)
def test_a_leap_day_is_in_a_leap_year(today: date) -> None:
    """February 29 without a year is the most recent one that existed."""
    found = dates.day("feb 29", today)
    assert isleap(found.year)
    assert timedelta(0) <= today - found <= timedelta(days=8 * 366)


@given(st.text(max_size=40), DAYS)
def test_any_text_is_a_period_or_refused(text: str, today: date) -> None:
    """Whatever is said, the answer is a period or InvalidInput, nothing else."""
    with contextlib.suppress(InvalidInput):
        assert dates.period(text, today)
