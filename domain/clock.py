"""Time as a value that is passed in, so that a test or a demonstration can choose it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Protocol
from zoneinfo import ZoneInfo


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass(frozen=True)
class FixedClock:
    """A clock that stands still at `at` (an aware datetime)."""

    at: datetime

    def now(self) -> datetime:
        return self.at


def today(clock: Clock, time_zone: str) -> date:
    """The calendar day it is for someone in `time_zone` (an IANA name)."""
    return clock.now().astimezone(ZoneInfo(time_zone)).date()
