"""A figure: one amount, share, count or date as a reply writes it, with its place in the text."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from domain.periods import DateRange

Kind = Literal["money", "percent", "times", "count", "day", "period"]
Hedge = Literal["", "about", "over", "under"]


@dataclass(frozen=True, slots=True)
class Figure:
    """`text` is the reply's from `start` to `end`, in code points.

    A number has one value, or two where its separators can be read in two ways; `step` is what its last written digit
    is worth (0.01 in "$4.20", 100 in "1.2k"), `currencies` are those its sign may stand for, `noun` what is counted.
    A day has the calendar days it may mean, a period the one range of days.
    """

    start: int
    end: int
    text: str
    kind: Kind
    values: tuple[Decimal, ...] = ()
    step: Decimal = Decimal(1)
    currencies: frozenset[str] = frozenset()
    noun: str = ""
    hedge: Hedge = ""
    negative: bool = False
    days: tuple[DateRange, ...] = ()
    wrong_weekday: bool = False

    @property
    def value(self) -> Decimal:
        """The likeliest reading."""
        return self.values[0]

    @property
    def is_number(self) -> bool:
        return self.kind not in ("day", "period")
