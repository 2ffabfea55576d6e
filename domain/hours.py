"""Times of day as a person's wall clock shows them: quiet hours, and a time that comes every week."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from domain.errors import InvalidInput

WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def clock_time(text: str) -> str:
    """The time of day as "HH:MM", from that or "9:00". Raises InvalidInput for anything else."""
    found = re.fullmatch(r"(\d{1,2}):(\d{2})", text.strip())
    if not found or int(found[1]) > 23 or int(found[2]) > 59:
        raise InvalidInput(f"{text[:16]!r} is not a time of day; write it as HH:MM, like 09:00 or 22:30.")
    return f"{int(found[1]):02d}:{found[2]}"


def quiet_until(now: datetime, zone: ZoneInfo, start: str | None, end: str | None) -> datetime | None:
    """When the quiet hours from `start` to `end` ("HH:MM", over midnight when `end` is earlier) are over, in UTC; None
    when it is not quiet at `now`. What counts is the wall clock in `zone`, whatever summer time does to it."""
    if start is None or end is None:
        return None
    local, begins, ends = now.astimezone(zone), time.fromisoformat(start), time.fromisoformat(end)
    wall = local.time()
    over_midnight = ends <= begins
    if not (wall >= begins or wall < ends) if over_midnight else not begins <= wall < ends:
        return None
    day = local.date() if wall < ends else local.date() + timedelta(days=1)
    first, second = (_instant(day, ends, zone, fold) for fold in (0, 1))
    return first if first > now else second  # an hour that comes twice ends twice


def latest_weekly(now: datetime, zone: ZoneInfo, weekday: str, at: str) -> tuple[date, datetime]:
    """The local day and the instant (UTC) on which that time of the week came last."""
    local = now.astimezone(zone).date()
    day = local - timedelta(days=(local.weekday() - WEEKDAYS.index(weekday)) % 7)
    came = _instant(day, time.fromisoformat(at), zone)
    if came > now:
        day -= timedelta(days=7)
        came = _instant(day, time.fromisoformat(at), zone)
    return day, came


def next_weekly(now: datetime, zone: ZoneInfo, weekday: str, at: str) -> datetime:
    """The instant (UTC) on which that time of the week comes next."""
    day, _ = latest_weekly(now, zone, weekday, at)
    return _instant(day + timedelta(days=7), time.fromisoformat(at), zone)


def _instant(day: date, at: time, zone: ZoneInfo, fold: int = 0) -> datetime:
    """A time that summer time leaves out is as much later."""
    return datetime.combine(day, at, zone).replace(fold=fold).astimezone(UTC)
