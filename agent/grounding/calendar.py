"""Dates and periods in a text: which calendar days they mean to someone for whom it is a given day."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Final, Literal

from babel import Locale, UnknownLocaleError
from babel.dates import get_day_names, get_month_names

from domain.errors import InvalidInput
from domain.periods import DateRange, Month

_LANGUAGES: Final = ("en", "de", "fr", "es", "it", "pt", "nl")
_WIDTHS: Final[tuple[Literal["wide"], Literal["abbreviated"]]] = ("wide", "abbreviated")
_RELATIVE: Final[dict[str, str]] = {
    "today": "today",
    "tonight": "today",
    "heute": "today",
    "aujourd'hui": "today",
    "aujourd’hui": "today",
    "hoy": "today",
    "今日": "today",
    "yesterday": "yesterday",
    "gestern": "yesterday",
    "hier": "yesterday",
    "ayer": "yesterday",
    "昨日": "yesterday",
    "tomorrow": "tomorrow",
    "demain": "tomorrow",
    "mañana": "tomorrow",
    "明日": "tomorrow",
    "this week": "this week",
    "last week": "last week",
    "next week": "next week",
    "diese woche": "this week",
    "letzte woche": "last week",
    "cette semaine": "this week",
    "this month": "this month",
    "diesen monat": "this month",
    "ce mois-ci": "this month",
    "este mes": "this month",
    "今月": "this month",
    "last month": "last month",
    "previous month": "last month",
    "letzten monat": "last month",
    "le mois dernier": "last month",
    "el mes pasado": "last month",
    "先月": "last month",
    "next month": "next month",
    "nächsten monat": "next month",
    "le mois prochain": "next month",
    "el próximo mes": "next month",
    "来月": "next month",
    "this year": "this year",
    "last year": "last year",
    "next year": "next year",
    "dieses jahr": "this year",
    "cette année": "this year",
    "este año": "this year",
    "今年": "this year",
    "this quarter": "this quarter",
    "last quarter": "last quarter",
}


@dataclass(frozen=True, slots=True)
class Mention:
    """A date or period in a text. `days` are the readings; a period has one."""

    start: int
    end: int
    period: bool
    days: tuple[DateRange, ...]
    wrong_weekday: bool = False


@dataclass(frozen=True)
class Calendar:
    """How dates are written in a locale (and, for months, in the languages that replies are often in)."""

    pattern: re.Pattern[str]
    months: dict[str, int]
    weekdays: dict[str, int]
    month_first: bool

    def find(self, text: str, today: date) -> Iterator[Mention]:
        """Every date and period in the text, in order, none within another."""
        for found in self.pattern.finditer(text):
            kind = found.lastgroup
            mention = None
            if kind:
                mention = getattr(self, f"_{kind.rstrip('_')}")(found, today)
            if mention is not None:
                yield mention

    def _iso(self, found: re.Match[str], today: date) -> Mention | None:
        year, month, day = int(found["iy"]), int(found["im"]), found["idd"]
        if day is None:
            return _period(found, _month(year, month))
        return _day(found, _date(year, month, int(day)))

    def _span(self, found: re.Match[str], today: date) -> Mention | None:
        """ "Oct 5 – 12, 2026", "5 – 12 Oct 2026", "Jul – Sep 2026", "Oct 5 – Nov 12, 2026"."""
        first_month, last_month = (
            found["sm1"] or found["sm2"] or found["sm3"],
            found["sm4"] or found["sm5"] or found["sm6"],
        )
        month = self._named(first_month or last_month)
        until = self._named(last_month or first_month)
        if not month or not until:
            return None
        first, last = found["sd1"] or found["sd2"], found["sd3"] or found["sd4"]
        year = int(found["sy"]) if found["sy"] else _nearest_year(until, today)
        start = _date(year if month <= until else year - 1, month, int(first) if first else 1)
        end = _date(year, until, int(last)) if last else (_month(year, until) or Month.of(today)).last
        return _period(found, DateRange(start, end)) if start and end and start <= end else None

    def _prose(self, found: re.Match[str], today: date) -> Mention | None:
        """ "November 25th, 2026", "25. November", "Nov 25", "October 2026", "October"."""
        month = self._named(found["pm1"] or found["pm2"] or found["pm3"])
        if not month:
            return None
        day, year = found["pd1"] or found["pd2"], found["py1"] or found["py2"] or found["py3"]
        if day is None:
            doubtful = not year and found["pm3"].casefold() in ("may", "march", "mar")
            if doubtful and not self._after_preposition(found) and not _MONTH_FOLLOWS.match(found.string, found.end()):
                return None
            return _period(found, _month(int(year) if year else _nearest_year(month, today), month))
        years = (int(year),) if year else tuple(today.year + n for n in (0, -1, 1))
        days = [d for d in (_date(y, month, int(day)) for y in years) if d]
        days.sort(key=lambda d: abs((d - today).days))
        said = found["pw"]
        weekday = self.weekdays.get(said.casefold().rstrip(".,")) if said else None
        fitting = [d for d in days if weekday is None or d.weekday() == weekday]
        chosen = fitting or days
        return Mention(
            found.start(), found.end(), False, tuple(DateRange(d, d) for d in chosen), bool(days) and not fitting
        )

    def _after_preposition(self, found: re.Match[str]) -> bool:
        before = found.string[max(0, found.start() - 12) : found.start()].casefold().split()
        return bool(before) and before[-1] in {
            "in",
            "of",
            "for",
            "since",
            "until",
            "from",
            "to",
            "by",
            "last",
            "this",
            "and",
            "than",
        }

    def _cjk(self, found: re.Match[str], today: date) -> Mention | None:
        year, month, day = found["cy"], int(found["cm"]), found["cd"]
        if day is None:
            return _period(found, _month(int(year) if year else _nearest_year(month, today), month))
        return _day(found, _date(int(year) if year else _nearest_year(month, today), month, int(day)))

    def _numeric(self, found: re.Match[str], today: date) -> Mention | None:
        """ "11/25/2026", "25.11.2026", "25.11."."""
        one, two, year = int(found["n1"]), int(found["n2"] or found["n3"]), found["ny"]
        month, day = (one, two) if self.month_first and "/" in found[0] else (two, one)
        if month > 12:
            month, day = day, month
        if not 1 <= month <= 12:
            return None
        full = today.year if not year else int(year) if len(year) == 4 else 2000 + int(year)
        return _day(found, _date(full, month, day))

    def _quarter(self, found: re.Match[str], today: date) -> Mention | None:
        year = int(found["qy"]) if found["qy"] else today.year
        first = Month(year, int(found["qn"]) * 3 - 2)
        return _period(found, DateRange(first.first, first.plus(2).last))

    def _year(self, found: re.Match[str], today: date) -> Mention | None:
        year = int(found["yy"])
        if abs(year - today.year) > 12:
            return None
        return _period(found, DateRange(date(year, 1, 1), date(year, 12, 31)))

    def _relative(self, found: re.Match[str], today: date) -> Mention | None:
        days = relative(_RELATIVE[" ".join(found[0].casefold().split())], today)
        return Mention(found.start(), found.end(), len(days) > 1, (days,))

    def _ordinal(self, found: re.Match[str], today: date) -> Mention | None:
        """ "on the 25th": of this month or a neighbouring one."""
        month, wanted = Month.of(today), int(found["on"])
        days = [_date(m.year, m.month, wanted) for m in (month, month.plus(1), month.plus(-1))]
        return Mention(found.start(), found.end(), False, tuple(DateRange(d, d) for d in days if d))

    def _weekday(self, found: re.Match[str], today: date) -> Mention | None:
        weekday = self.weekdays[found["wd"].casefold()]
        ahead = today + timedelta((weekday - today.weekday()) % 7 or 7)
        days = {ahead, ahead - timedelta(7), ahead - timedelta(14)}
        return Mention(found.start("wd"), found.end(), False, tuple(DateRange(d, d) for d in sorted(days)))

    def _named(self, name: str | None) -> int | None:
        return self.months.get(name.casefold().rstrip(".")) if name else None


_MONTH_FOLLOWS: Final = re.compile(r"\s?(?:[:|($\d]|(?:was|is|were|came|had|saw|cost|stood)\b)")


def relative(words: str, today: date) -> DateRange:
    """The days of "yesterday", "last month" and their like."""
    which, _, unit = words.partition(" ")
    step = {"this": 0, "last": -1, "next": 1}.get(which, 0)
    if unit == "week":
        monday = today - timedelta(today.weekday()) + timedelta(7 * step)
        return DateRange(monday, monday + timedelta(6))
    if unit == "month":
        return Month.of(today).plus(step).days
    if unit == "year":
        return DateRange(date(today.year + step, 1, 1), date(today.year + step, 12, 31))
    if unit == "quarter":
        first = Month(today.year, (today.month - 1) // 3 * 3 + 1).plus(3 * step)
        return DateRange(first.first, first.plus(2).last)
    day = today + timedelta({"yesterday": -1, "tomorrow": 1}.get(which, 0))
    return DateRange(day, day)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _month(year: int, month: int) -> Month | None:
    return Month(year, month) if 1 <= month <= 12 and 1900 <= year <= 2999 else None


def _nearest_year(month: int, today: date) -> int:
    """Which year's month is meant: the past eleven months, this one and the two coming ones are near."""
    ahead = (month - today.month) % 12
    at = Month.of(today).plus(ahead if ahead <= 2 else ahead - 12)
    return at.year


def _period(found: re.Match[str], days: Month | DateRange | None) -> Mention | None:
    if days is None:
        return None
    span = days.days if isinstance(days, Month) else days
    return Mention(found.start(), found.end(), True, (span,))


def _day(found: re.Match[str], day: date | None) -> Mention | None:
    try:
        return Mention(found.start(), found.end(), False, (DateRange(day, day),)) if day else None
    except InvalidInput:
        return None


@lru_cache(maxsize=64)
def calendar(locale: str) -> Calendar:
    """The calendar words of a BCP 47 locale."""
    try:
        own = Locale.parse(locale.replace("-", "_"))
    except (ValueError, UnknownLocaleError):
        own = Locale("en", "US")
    months: dict[str, int] = {}
    for language in (*_LANGUAGES, own.language):
        for width in _WIDTHS[: 2 if language in ("en", own.language) else 1]:
            for number, name in get_month_names(width, locale=Locale(language)).items():
                if not name[:1].isdigit():
                    months.setdefault(name.casefold().rstrip("."), number)
    months |= {"sept": 9}
    weekdays: dict[str, int] = {}
    for language in dict.fromkeys(("en", own.language)):
        for width in _WIDTHS:
            for number, name in get_day_names(width, locale=Locale(language)).items():
                weekdays.setdefault(name.casefold().rstrip("."), number)
    names = sorted(months, key=len, reverse=True)
    lower_too = own.language in ("fr", "es", "it", "pt", "nl", "sv", "da", "nb", "pl", "cs", "ru", "uk")
    month = "|".join(_cased(name, lower=lower_too or not name.isascii() or name not in _ENGLISH) for name in names)
    days = "|".join(_cased(name, lower=lower_too) for name in sorted(weekdays, key=len, reverse=True) if len(name) > 1)
    return Calendar(
        re.compile(_grammar(month, days)),
        months,
        weekdays,
        month_first=own.territory in ("US", "PH") or (own.language == "en" and own.territory is None),
    )


_ENGLISH: Final = frozenset(
    name.casefold() for width in _WIDTHS for name in get_month_names(width, locale="en").values()
) | {"sept"}


def _cased(name: str, *, lower: bool) -> str:
    capital = re.escape(name[:1].upper() + name[1:])
    return f"{capital}|{re.escape(name)}" if lower else capital


def _grammar(month: str, weekday: str) -> str:
    m = rf"(?:{month})(?![\w])\.?"
    d = r"(?:0?[1-9]|[12]\d|3[01])(?!\d)"
    y = r"(?:19|20)\d\d(?!\d)"
    dash = r"\s*(?:[-–—]|to|through|bis|au|al)\s*"
    nth = r"(?:st|nd|rd|th|er|º|°|\.)?"
    relative_words = "|".join(re.escape(w).replace(r"\ ", r"\s+") for w in sorted(_RELATIVE, key=len, reverse=True))
    parts = [
        rf"(?<!\d)(?P<iy>{y})-(?P<im>0[1-9]|1[0-2])(?:-(?P<idd>[0-3]\d))?(?![\d-])(?P<iso>)",
        rf"(?<!\w)(?:(?P<sm1>{m})\s(?P<sd1>{d}){dash}(?:(?P<sm4>{m})\s)?(?P<sd3>{d})"
        rf"|(?P<sd2>{d}){nth}(?:\s(?P<sm2>{m}))?{dash}(?P<sd4>{d}){nth}\s(?P<sm5>{m})"
        rf"|(?P<sm3>{m}){dash}(?={m})(?P<sm6>{m}))(?:,?\s(?P<sy>{y}))?(?P<span>)",
        rf"(?<!\w)(?:(?P<pw>(?:{weekday})(?!\w)\.?),?\s(?:the\s|den\s|le\s|el\s)?)?"
        rf"(?:(?P<pm1>{m})\s(?:the\s)?(?P<pd1>{d})(?:st|nd|rd|th)?(?:,?\s(?P<py1>{y}))?"
        rf"|(?P<pd2>{d}){nth}\s(?:of\s|de\s)?(?P<pm2>{m})(?:,?\s(?:de\s)?(?P<py2>{y}))?"
        rf"|(?P<pm3>{m})(?:,?\s(?:de\s)?(?P<py3>{y}))?)(?P<prose>)",
        r"(?:(?P<cy>\d{4})年)?(?P<cm>1[0-2]|[1-9])月(?!間)(?:(?P<cd>[12]\d|3[01]|[1-9])日)?(?P<cjk>)",
        rf"(?<![\d/.])(?P<n1>{d})(?:/(?P<n2>{d})/|\.(?P<n3>{d})\.)(?P<ny>\d{{4}}|\d\d)(?![\d/])(?P<numeric>)",
        rf"(?<!\w)Q(?P<qn>[1-4])(?:\s(?P<qy>{y}))?(?!\w)(?P<quarter>)",
        rf"(?<![\w.,/$€£#-])(?P<yy>{y})(?![\w/%-]|[.,]\d|\s?(?:€|円|USD|EUR|dollars|transactions|purchases))(?P<year>)",
        rf"(?i:(?<!\w)(?:{relative_words})(?!\w)|今月|先月|来月|今日|昨日|今年)(?P<relative>)",
        r"(?:(?<=\bthe )|(?<=\bthe\s\s))(?P<on>\d{1,2})(?:st|nd|rd|th)\b"
        r"(?!\s(?:most|biggest|largest|time|highest|place|purchase|transaction))(?P<ordinal>)",
        rf"(?:(?<=\bon )|(?<=\bby )|(?<=\bam )|(?<=\bnext )|(?<=\blast )|(?<=\buntil ))"
        rf"(?P<wd>{weekday})(?!\w)(?P<weekday>)",
    ]
    return f"(?<![A-Za-z])(?:{'|'.join(parts)})"
