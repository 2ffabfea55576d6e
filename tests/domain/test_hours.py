"""Quiet hours and weekly times, by wall clocks that summer time moves."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidInput
from domain.hours import clock_time, latest_weekly, next_weekly, quiet_until

BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"]).map(
    ZoneInfo
)
INSTANTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
TIMES = st.times().map(lambda time: f"{time:%H:%M}")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "zone", "start", "end", "over"),
    [
        ("2026-11-26 22:30", BERLIN, "22:00", "08:00", "2026-11-27 07:00"),  # 23:30 there
        ("2026-11-26 20:59", BERLIN, "22:00", "08:00", None),
        ("2026-11-26 21:00", BERLIN, "22:00", "08:00", "2026-11-27 07:00"),
        ("2026-11-27 07:00", BERLIN, "22:00", "08:00", None),
        ("2026-11-26 12:30", BERLIN, "13:00", "15:00", "2026-11-26 14:00"),
        ("2026-11-26 15:00", BERLIN, "13:00", "15:00", None),
        ("2026-03-28 22:00", BERLIN, "22:00", "08:00", "2026-03-29 06:00"),  # an hour is left out that night
        ("2026-10-24 21:00", BERLIN, "22:00", "08:00", "2026-10-25 07:00"),  # and one comes twice
        ("2026-03-29 00:30", BERLIN, "22:00", "02:30", "2026-03-29 01:30"),  # 02:30 does not come: 03:30
        ("2026-10-25 01:10", BERLIN, "22:00", "02:30", "2026-10-25 01:30"),  # the second 02:10
        ("2026-11-01 04:30", NEW_YORK, "22:00", "01:15", "2026-11-01 05:15"),
        ("2026-11-26 22:30", BERLIN, None, None, None),
    ],
)
def test_quiet_hours_end_by_the_wall_clock(
    now: str, zone: ZoneInfo, start: str | None, end: str | None, over: str | None
) -> None:
    """Over midnight, and in the nights in which clocks are changed."""
    assert quiet_until(at(now), zone, start, end) == (at(over) if over else None)


@given(INSTANTS, ZONES, TIMES, TIMES)
def test_quiet_hours_end_later_and_for_good(now: datetime, zone: ZoneInfo, start: str, end: str) -> None:
    """Their end is to come, within a day and the two hours that clocks may be changed by; then it is not quiet, unless
    the clock was put back into them."""
    if start == end:
        return
    over = quiet_until(now, zone, start, end)
    if over is not None:
        assert now < over <= now + timedelta(hours=26)
        assert quiet_until(over, zone, start, end) is None


@given(INSTANTS, ZONES, st.sampled_from(["monday", "thursday", "sunday"]), TIMES)
def test_a_weekly_time_comes_every_week(now: datetime, zone: ZoneInfo, weekday: str, time: str) -> None:
    """The latest is not after now, the next one is, and between them is one calendar week."""
    day, came = latest_weekly(now, zone, weekday, time)
    coming = next_weekly(now, zone, weekday, time)
    assert came <= now < coming
    assert f"{day:%A}".lower() == weekday
    assert latest_weekly(coming, zone, weekday, time) == (day + timedelta(days=7), coming)


def test_a_weekly_time_is_local() -> None:
    """Monday nine o'clock in Berlin, before and after the end of summer time."""
    assert latest_weekly(at("2026-10-19 07:00"), BERLIN, "monday", "09:00") == (
        date(2026, 10, 19),
        at("2026-10-19 07:00"),
    )
    assert next_weekly(at("2026-10-19 07:00"), BERLIN, "monday", "09:00") == at("2026-10-26 08:00")


@pytest.mark.parametrize("text", ["24:00", "9", "9:5", "nine", "", "12:60", "-1:00"])
def test_what_is_no_time_of_day_is_refused(text: str) -> None:
    """It says how to write one."""
    with pytest.raises(InvalidInput, match="HH:MM"):
        clock_time(text)
