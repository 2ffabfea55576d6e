"""How periods, counts and shares are said back to people, so that an answer always says what it is about."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from babel import Locale, UnknownLocaleError
from babel.dates import format_interval, format_skeleton

from domain.periods import DateRange, Month
from tools.date_grammar import BEGINNING

_USUAL_LENGTHS = (7, 10, 14, 28, 30, 45, 60, 90, 100, 120, 180, 365)


def describe(days: DateRange, today: date, locale: str = "en-US") -> str:
    """The period in words: "October 2026", "November 2026 so far", "Oct 5 – 12, 2026", "the last 30 days (…)".

    English, because the sentences around it are, in the order of day and month of `locale`.
    """
    if days.start == BEGINNING:
        return "all time" if days.end >= today else f"all time until {one_day(days.end, locale)}"
    if len(days) == 1:
        near = {0: "today", 1: "yesterday", -1: "tomorrow"}.get((today - days.start).days)
        return f"{near} ({one_day(days.start, locale)})" if near else one_day(days.start, locale)
    whole = _whole(days, today, locale)
    if whole:
        return whole
    span = _tidy(format_interval(days.start, days.end, "yMMMd", locale=_english(locale)))
    if days.end == today and len(days) in _USUAL_LENGTHS:
        return f"the last {len(days)} days ({span})"
    return span


def during(days: DateRange, today: date, locale: str = "en-US") -> str:
    """The period as the end of a sentence: "in October 2026", "on Fri, Nov 20, 2026", "from Oct 5 – 12, 2026"."""
    words = describe(days, today, locale)
    if len(days) == 1:
        return words if words.startswith(("today", "yesterday", "tomorrow")) else f"on {words}"
    if words.startswith("all time"):
        return f"over {words}"
    return f"in {words}" if words.startswith("the last") or _whole(days, today, locale) else f"from {words}"


def _whole(days: DateRange, today: date, locale: str) -> str:
    """The name of a calendar month, quarter, year or run of months that the period is, or is so far; else ""."""
    so_far = days.start <= today < days.end or (days.end == today and today != Month.of(today).last)
    last = Month.of(days.end)
    if days.start.day != 1 or (days.end != last.last and days.end != today):
        return ""
    first = Month.of(days.start)
    months = (last.year - first.year) * 12 + last.month - first.month + 1
    suffix = " so far" if so_far else ""
    if months == 1:
        return one_month(first, locale) + suffix
    if first.month == 1 and (months == 12 or (so_far and months > 3)) and first.year == last.year:
        return f"{first.year}{suffix}"
    if days.end != last.last:
        return ""
    if months == 3 and first.month % 3 == 1:
        return f"Q{first.month // 3 + 1} {first.year} ({_months(days, locale)}){suffix}"
    return _months(days, locale) + suffix


def one_day(day: date, locale: str = "en-US") -> str:
    """ "Fri, Nov 20, 2026"."""
    return _tidy(format_skeleton("yMMMEd", day, locale=_english(locale)))


def short_day(day: date, locale: str = "en-US") -> str:
    """ "Nov 20, 2026"."""
    return _tidy(format_skeleton("yMMMd", day, locale=_english(locale)))


def one_month(month: Month, locale: str = "en-US") -> str:
    """ "October 2026"."""
    return _tidy(format_skeleton("yMMMM", month.first, locale=_english(locale)))


def _months(days: DateRange, locale: str) -> str:
    return _tidy(format_interval(days.start, days.end, "yMMM", locale=_english(locale)))


def asked(about: str, period: str | None) -> str:
    """A label for a call from its raw arguments: "Groceries in October", "spending by category last week"."""
    words = cell(about)
    if not period:
        return words
    named = re.match(r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|q\d|\d{4})", period.casefold())
    if named:
        return f"{words} in {cell(period[:1].upper() + period[1:])}"
    return f"{words} {'in the ' if re.match(r'(?i)(last|past) .*s$', period) else ''}{cell(period)}"


def counted(count: int, singular: str, plural: str = "") -> str:
    """ "1 purchase", "14 purchases", "1,204 purchases"."""
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"


def percent(part: int, whole: int) -> Decimal:
    """`part` of `whole` in percent, with one decimal, half away from zero; `whole` must not be 0."""
    return (Decimal(part) * 100 / Decimal(whole)).quantize(Decimal("0.1"), ROUND_HALF_UP)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table. Cells that hold text from outside must have gone through `cell`."""
    lines = ["| " + " | ".join(cells) + " |" for cells in (head, *rows)]
    return "\n".join([lines[0], "|" + " --- |" * len(head), *lines[1:]])


def outside(text: str, longest: int = 80) -> str:
    """Text from a bank, an import or a memo as data: one line, nothing invisible, at most `longest` characters."""
    clean = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return clean if len(clean) <= longest else clean[: longest - 1] + "…"


def cell(text: str, longest: int = 80) -> str:
    """`outside`, and without what Markdown or HTML would make a link, an image, a tag or another cell of."""
    return outside(text, longest).translate(_HARMLESS).replace("://", ": //").replace("www.", "www .")


_HARMLESS = str.maketrans({"[": "(", "]": ")", "<": "‹", ">": "›", "|": "/", "`": "'", "\\": "/", "*": "∗", "_": " "})


def _english(locale: str) -> Locale:
    """English with the customs of the locale's territory."""
    territory = locale.replace("_", "-").partition("-")[2][:3].upper()
    try:
        return Locale("en", territory or None)
    except (ValueError, UnknownLocaleError):
        return Locale("en", "US")


def _tidy(text: str) -> str:
    """CLDR's thin and narrow spaces as plain ones."""
    return " ".join(text.split())
