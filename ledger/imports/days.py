"""Days as banks write them: which order the numbers are in, by all days of a file; and each to a date."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Final, Literal

from ledger.imports.statement import AmbiguousFile

Order = Literal["ymd", "dmy", "mdy"]

_TIME: Final = r"(?:[T ,]+\d{1,2}[:.]\d{2}.*|T\d{4,6}.*)?"
_YMD = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})" + _TIME)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?:\d{4,6}.*)?")
_KANJI = re.compile(r"(\d{4})年\s*(\d{1,2})月\s*(\d{1,2})日.*")
_NUMERIC = re.compile(r"(\d{1,2})([-/. ]\s?)(\d{1,2})(?:[-/. ]\s?|')(\d{4}|\s?\d{1,2})" + _TIME)
_DAY_NAME = re.compile(r"(\d{1,2})[-/. ]?\s?([^\W\d_]{3,10})\.?[-/, ]*(\d{4}|\d{2})" + _TIME)
_NAME_DAY = re.compile(r"([^\W\d_]{3,10})\.?[- ]?(\d{1,2})(?:st|nd|rd|th)?,?[-/ ]+(\d{4}|\d{2})" + _TIME)
_MONTHS: Final = {
    name: number
    for number, names in enumerate(
        (
            "jan ene gen", "feb fev fév", "mar mär mrz maa", "apr abr avr", "may mai mag mei", "jun giu juin",
            "jul lug juil", "aug ago aoû aou", "sep set", "oct okt ott out", "nov", "dec dez dic déc",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip


def looks_like_day(text: str) -> bool:
    """Whether the text is written like a day, whatever order it is in."""
    text = text.strip()
    return len(text) <= 40 and any(
        shape.fullmatch(text) for shape in (_YMD, _NUMERIC, _COMPACT, _KANJI, _DAY_NAME, _NAME_DAY)
    )


def order_of(texts: Sequence[str]) -> Order:
    """The order of days like 03/04/2026 in these texts; texts that say it themselves (2026-04-03, 3.4.2026, 3 Apr) do
    not matter. Raises AmbiguousFile when nothing in them tells."""
    pairs: list[tuple[int, int, int]] = []
    for text in texts:
        found = _NUMERIC.fullmatch(text.strip())
        if found and not found[2].startswith("."):
            pairs.append((int(found[1]), int(found[3]), _year(found[4])))
    if not pairs:
        return "dmy"
    day_first, month_first = any(a > 12 for a, _, _ in pairs), any(b > 12 for _, b, _ in pairs)
    if day_first != month_first:
        return "dmy" if day_first else "mdy"
    if not day_first:
        sorted_dmy = _in_order([(y, b, a) for a, b, y in pairs])
        sorted_mdy = _in_order([(y, a, b) for a, b, y in pairs])
        if sorted_dmy != sorted_mdy:
            return "dmy" if sorted_dmy else "mdy"
        if all(a == b for a, b, _ in pairs):
            return "dmy"
    example = next(text for text in texts if _NUMERIC.fullmatch(text.strip())).strip()
    raise AmbiguousFile(
        f"It cannot be told whether {example} has the day or the month first; say so in the mapping: "
        "“date_order”: “dmy” or “date_order”: “mdy”.",
        field="date_order",
    )


def to_day(text: str, order: Order) -> date:
    """The day; a time behind it is left out. Raises ValueError when it is none."""
    text = text.strip()
    if len(text) > 40:
        raise ValueError(text)
    if found := _YMD.fullmatch(text) or _COMPACT.fullmatch(text) or _KANJI.fullmatch(text):
        return date(int(found[1]), int(found[2]), int(found[3]))
    if found := _NUMERIC.fullmatch(text):
        first, second = int(found[1]), int(found[3])
        if order == "ymd":
            return date(_year(found[1]), second, int(found[4]))
        year = _year(found[4])
        day_first = order == "dmy" or found[2].startswith(".")
        return date(year, second, first) if day_first else date(year, first, second)
    if found := _DAY_NAME.fullmatch(text):
        return date(_year(found[3]), _month(found[2]), int(found[1]))
    if found := _NAME_DAY.fullmatch(text):
        return date(_year(found[3]), _month(found[1]), int(found[2]))
    raise ValueError(text)


def _in_order(days: Sequence[tuple[int, int, int]]) -> bool:
    """Whether three or more different days only rise, or only fall."""
    if len(set(days)) < 3:
        return False
    ordered = sorted(days)
    return list(days) in (ordered, ordered[::-1])


def _year(text: str) -> int:
    year = int(text)
    return year if len(text.strip()) == 4 else year + (2000 if year < 70 else 1900)


def _month(name: str) -> int:
    low = name.casefold()
    for length in (4, 3):
        if low[:length] in _MONTHS:
            return _MONTHS[low[:length]]
    raise ValueError(name)
