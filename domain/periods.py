"""Calendar periods as values: a month, and a range of days with both ends included."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta

from domain.errors import InvalidInput


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month."""

    year: int
    month: int

    @classmethod
    def of(cls, day: date) -> Month:
        return cls(day.year, day.month)

    @classmethod
    def parse(cls, text: str) -> Month:
        """From "YYYY-MM". Raises InvalidInput for anything else, a 13th month too."""
        found = re.fullmatch(r"(\d{4})-(\d{2})", text.strip())
        if not found or not 1 <= int(found[2]) <= 12 or not 1900 <= int(found[1]) <= 2999:
            raise InvalidInput(f"{text[:16]!r} is not a month; write it as YYYY-MM, like 2026-11.")
        return cls(int(found[1]), int(found[2]))

    @property
    def first(self) -> date:
        return date(self.year, self.month, 1)

    @property
    def last(self) -> date:
        return date(self.year, self.month, monthrange(self.year, self.month)[1])

    @property
    def days(self) -> DateRange:
        return DateRange(self.first, self.last)

    def plus(self, months: int) -> Month:
        """This month moved by so many months, backwards when negative."""
        at = self.year * 12 + self.month - 1 + months
        return Month(at // 12, at % 12 + 1)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"


@dataclass(frozen=True, slots=True)
class DateRange:
    """The days from `start` to `end`, both included; `end` is never before `start`."""

    start: date
    end: date

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise InvalidInput(f"The period ends ({self.end}) before it starts ({self.start}).")

    def __len__(self) -> int:
        return (self.end - self.start).days + 1

    def __contains__(self, day: date) -> bool:
        return self.start <= day <= self.end

    def until(self, day: date) -> DateRange:
        """The part of the period up to `day`, or its first day alone when all of it is later."""
        return DateRange(self.start, max(self.start, min(self.end, day)))

    def before(self) -> DateRange:
        """The period of equal length that ends the day before this one starts."""
        return DateRange(self.start - timedelta(days=len(self)), self.start - timedelta(days=1))
