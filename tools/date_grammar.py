"""The grammar of periods: phrases in small letters ("oct 5 - 12", "3 weeks ago") as ranges of days. Pure functions."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal

from domain.periods import DateRange, Month

Lean = Literal["past", "future", "nearest"]

BEGINNING = date(1900, 1, 1)
"""Where "all time" starts."""

_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_ONE_TO_TWELVE = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_NUMBERS = {word: number for number, word in enumerate(_ONE_TO_TWELVE, 1)}
_NUMBERS |= {"a": 1, "an": 1, "couple": 2, "couple of": 2, "a couple": 2, "a couple of": 2, "fifteen": 15, "thirty": 30}
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4}

_N = rf"(?P<n>[1-9]\d{{0,3}}|{'|'.join(sorted(_NUMBERS, key=len, reverse=True))})"
_UNIT = r"(?P<unit>day|week|month|quarter|year)s?"
_MONTH = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|"
    r"oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_WEEKDAY = r"(?P<weekday>mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?s?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
YEAR = r"(?:19|20)\d\d"


@dataclass(frozen=True)
class Now:
    """What a phrase is read against: `near` is where a phrase without a year looks from, `topic` what was spoken of."""

    today: date
    near: date
    lean: Lean
    week_start: int
    day_first: bool
    topic: DateRange | None = None


def normal(text: str) -> str:
    """In small letters, with plain dashes and quotes, single spaces, without leading "in the" and "'s"."""
    plain = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    plain = re.sub(r"\s*[–—‒−]\s*", " - ", plain)
    plain = re.sub(r"(?<=[a-z])'s\b|[?!]|,(?=\s)", "", plain)
    plain = " ".join(plain.split()).rstrip(".")
    return re.sub(r"^(?:(?:in|during|for|on|over|within|of|the|my|entire|whole|all of)\s+)+(?=\S)", "", plain)


def read(text: str, now: Now) -> DateRange | None:
    """The phrase by this module's own grammar, or None."""
    for pattern, meaning in _GRAMMAR:
        found = pattern.fullmatch(text)
        if found:
            try:
                days = meaning(found, now)
            except (ValueError, OverflowError):
                days = None
            if days is not None:
                return days
    return None


def _one_day(when: date) -> DateRange:
    return DateRange(when, when)


def _number(text: str) -> int:
    return int(text) if text.isdigit() else _NUMBERS.get(text, 1)


def containing(unit: str, when: date, now: Now) -> DateRange:
    """The calendar day, week, month, quarter or year that `when` lies in."""
    this = Month.of(when)
    if unit == "week":
        start = when - timedelta(days=(when.weekday() - now.week_start) % 7)
        return DateRange(start, start + timedelta(days=6))
    if unit == "month":
        return this.days
    if unit == "quarter":
        first = this.plus(-((this.month - 1) % 3))
        return DateRange(first.first, first.plus(2).last)
    if unit == "year":
        return DateRange(date(when.year, 1, 1), date(when.year, 12, 31))
    return _one_day(when)


def _moved(when: date, unit: str, count: int) -> date:
    """`when` moved by so many units; the 31st becomes the last day of a shorter month."""
    if unit in ("day", "week"):
        return when + timedelta(days=count * (7 if unit == "week" else 1))
    target = Month.of(when).plus(count * {"month": 1, "quarter": 3, "year": 12}[unit])
    return date(target.year, target.month, min(when.day, target.last.day))


def _pick(candidates: list[date], now: Now) -> date | None:
    """The candidate on the side that the phrase leans to, seen from `near`."""
    past = max((c for c in candidates if c <= now.near), default=None)
    future = min((c for c in candidates if c >= now.near), default=None)
    if now.lean == "past" or future is None:
        return past
    if now.lean == "future" or past is None:
        return future
    return future if future - now.near < now.near - past else past


def _year(text: str | None, now: Now) -> int | None:
    if not text:
        return None
    if text in ("this year", "last year", "next year"):
        return now.today.year + {"this year": 0, "last year": -1, "next year": 1}[text]
    return int(text) if len(text) == 4 else 2000 + int(text.lstrip("'"))


def _month_of(found: re.Match[str]) -> int:
    return _MONTHS.index(found["month"][:3]) + 1


def _relative_unit(found: re.Match[str], now: Now) -> DateRange:
    """ "this month", "last week", "next year", "the month before last"."""
    steps = {"this": 0, "current": 0, "last": -1, "previous": -1, "prior": -1, "next": 1, "coming": 1}
    return containing(found["unit"], _moved(now.today, found["unit"], steps[found["which"]]), now)


def _to_date(found: re.Match[str], now: Now) -> DateRange:
    unit = {"w": "week", "m": "month", "q": "quarter", "y": "year"}[(found["unit"] or found["short"])[0]]
    return DateRange(containing(unit, now.today, now).start, now.today)


def _next_to_topic(found: re.Match[str], now: Now) -> DateRange:
    """ "the month before": next to the period spoken of, by default to the present one."""
    step = 1 if found["side"] in ("after", "following") else -1
    topic = now.topic or containing("month", now.today, now)
    unit = found["unit"]
    if unit == "one":
        whole = (u for u in ("month", "week", "quarter", "year", "day") if topic == containing(u, topic.start, now))
        unit = next(whole, None)
        if unit is None:
            return topic.before() if step < 0 else _one_day(topic.end + timedelta(days=1))
    return containing(unit, _moved(topic.start, unit, step), now)


def _rolling(found: re.Match[str], now: Now) -> DateRange:
    """ "last 30 days", "past 3 months": up to today, which counts."""
    return DateRange(_moved(now.today, found["unit"], -_number(found["n"])) + timedelta(days=1), now.today)


def _ago(found: re.Match[str], now: Now) -> DateRange:
    return containing(found["unit"], _moved(now.today, found["unit"], -_number(found["n"])), now)


def _named_month(found: re.Match[str], now: Now) -> DateRange | None:
    number, which = _month_of(found), found.groupdict().get("which")
    year = _year(found.groupdict().get("year"), now)
    if year is not None:
        return Month(year, number).days
    leans: dict[str | None, Lean] = {
        "next": "future",
        "coming": "future",
        "last": "past",
        "past": "past",
        "this": "nearest",
    }
    near = replace(now, lean=leans.get(which, now.lean), near=Month.of(now.near).first)
    firsts = [date(y, number, 1) for y in range(now.near.year - 1, now.near.year + 2)]
    if which and which != "this":
        firsts = [first for first in firsts if first != near.near]
    first = _pick(firsts, near)
    return Month.of(first).days if first else None


def _month_and_year(found: re.Match[str], now: Now) -> DateRange | None:
    if not 1 <= int(found["m"]) <= 12:
        return None
    return Month(int(found["y"]), int(found["m"])).days


def _quarter(found: re.Match[str], now: Now) -> DateRange | None:
    text = found["quarter"]
    return _part_of_year(int(text) if text.isdigit() else _ORDINALS[text], 3, found, now)


def _half(found: re.Match[str], now: Now) -> DateRange | None:
    text = found["half"]
    return _part_of_year(int(text) if text.isdigit() else _ORDINALS[text], 6, found, now)


def _part_of_year(number: int, months: int, found: re.Match[str], now: Now) -> DateRange | None:
    year = _year(found["year"], now)
    years = [year] if year else range(now.near.year - 1, now.near.year + 2)
    firsts = [date(y, (number - 1) * months + 1, 1) for y in years]
    first = firsts[0] if year else _pick(firsts, now)
    return DateRange(first, Month.of(first).plus(months - 1).last) if first else None


def _named_day(found: re.Match[str], now: Now) -> DateRange | None:
    """ "Nov 1", "1st of November 2025"; Feb 29 without a year is in the nearest leap year."""
    number, when = _month_of(found), int(found["day"])
    year = _year(found["year"], now)
    if year is not None:
        return _one_day(date(year, number, when))
    return _nearest_day(number, when, now)


def _nearest_day(number: int, when: int, now: Now) -> DateRange | None:
    if not (1 <= number <= 12 and when >= 1):
        return None
    years = range(now.near.year - 8, now.near.year + 9)
    candidates = [date(year, number, when) for year in years if when <= Month(year, number).last.day]
    chosen = _pick(candidates, now)
    return _one_day(chosen) if chosen else None


def _numeric_day(found: re.Match[str], now: Now) -> DateRange | None:
    """ "11/1/2026" in the order of the locale, or in the only order that can be."""
    first, second = int(found["a"]), int(found["b"])
    day_first = (now.day_first or found["sep"] == "." or first > 12) and second <= 12
    number, when = (second, first) if day_first else (first, second)
    if found["year"]:
        return _one_day(date(_year(found["year"], now) or 0, number, when))
    return _nearest_day(number, when, now)


def _day_of_month(found: re.Match[str], now: Now) -> DateRange | None:
    months = (Month.of(now.near).plus(step) for step in range(-12, 13))
    days = [date(m.year, m.month, int(found["day"])) for m in months if 1 <= int(found["day"]) <= m.last.day]
    chosen = _pick(days, now)
    return _one_day(chosen) if chosen else None


def _weekday(found: re.Match[str], now: Now) -> DateRange:
    number, which = _WEEKDAYS.index(found["weekday"][:3]), found["which"]
    if which == "this":
        week = containing("week", now.today, now)
        return _one_day(next(d for d in (week.start + timedelta(days=n) for n in range(7)) if d.weekday() == number))
    if which == "next" or (which is None and now.lean == "future"):
        start = now.today + timedelta(days=1) if which else now.near
        return _one_day(start + timedelta(days=(number - start.weekday()) % 7))
    start = now.today - timedelta(days=1) if which else now.near
    return _one_day(start - timedelta(days=(start.weekday() - number) % 7))


def _weekend(found: re.Match[str], now: Now) -> DateRange:
    saturday = now.today + timedelta(days=5 - now.today.weekday())
    saturday += timedelta(days=7 * {"last": -1, "past": -1, "previous": -1, "next": 1}.get(found["which"] or "", 0))
    return DateRange(saturday, saturday + timedelta(days=1))


def _since(found: re.Match[str], now: Now) -> DateRange | None:
    start = read(normal(found["start"]), now)
    return DateRange(start.start, now.today) if start and start.start <= now.today else None


def _unit_of(found: re.Match[str], now: Now) -> DateRange | None:
    inside = read(normal(found["start"]), now)
    return containing(found["unit"], inside.start, now) if inside else None


def _from_to(found: re.Match[str], now: Now) -> DateRange | None:
    """Both ends are phrases; the one without a year follows the other: "dec 20 - jan 5", "oct 5 to oct 12 2025"."""
    left, right = normal(found["start"]), normal(found["end"])
    named = re.match(_MONTH, left)
    if re.fullmatch(_DAY, right) and named:
        right = f"{named['month']} {right}"
    named = re.search(_MONTH, right)
    if re.fullmatch(_DAY, left) and named:
        left = f"{named['month']} {left}"
    has_year = re.search(YEAR, right) is not None and re.search(YEAR, left) is None
    if has_year:
        end = read(right, now)
        start = read(left, replace(now, near=end.end, lean="past")) if end else None
    else:
        start = read(left, now)
        end = read(right, replace(now, near=start.start, lean="future")) if start else None
    if not start or not end or start.start > end.end:
        return None
    days = DateRange(start.start, end.end)
    turned_round = len(start) == len(end) == 1 and len(days) > 330 and not re.search(YEAR, left + right)
    return None if turned_round else days


def _fixed(days: int) -> Callable[[re.Match[str], Now], DateRange]:
    return lambda found, now: _one_day(now.today + timedelta(days=days))


_YEAR_WORDS = rf"(?P<year>{YEAR}|'\d\d|this year|last year|next year)"
_GRAMMAR: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], Now], DateRange | None]], ...] = tuple(
    (re.compile(pattern), meaning)
    for pattern, meaning in (
        (r"today|now|just now|tonight|earlier|earlier today|this (?:morning|afternoon|evening|noon)", _fixed(0)),
        (r"yesterday(?: (?:morning|afternoon|evening|night))?|last (?:night|evening)", _fixed(-1)),
        (r"day before yesterday", _fixed(-2)),
        (r"tomorrow", _fixed(1)),
        (r"(?:all|any) ?time|ever|always|everything|all|lifetime", lambda _, now: DateRange(BEGINNING, now.today)),
        (rf"(?P<which>this|current|last|previous|prior|next|coming) {_UNIT[:-2]}", _relative_unit),
        (rf"{_UNIT[:-2]} before last", lambda f, now: containing(f["unit"], _moved(now.today, f["unit"], -2), now)),
        (r"(?P<unit>week|month|quarter|year)[ -]to[ -]date|(?P<short>[wmqy])td", _to_date),
        (r"(?:this|the|current) (?P<unit>week|month|quarter|year) (?:so far|to date)(?P<short>)", _to_date),
        (r"so far this (?P<unit>week|month|quarter|year)(?P<short>)", _to_date),
        (r"(?P<unit>day|week|month|quarter|year|one) (?P<side>before|after)(?: (?:that|it|this))?", _next_to_topic),
        (r"(?P<side>following|preceding) (?P<unit>day|week|month|quarter|year)", _next_to_topic),
        (rf"(?:(?:last|past|previous|trailing) )?{_N} {_UNIT}", _rolling),
        (rf"past {_UNIT[:-2]}(?P<n>)", _rolling),
        (rf"{_N} {_UNIT} ago", _ago),
        (rf"{_MONTH}(?: of)?,? {_YEAR_WORDS}", _named_month),
        (rf"(?P<year>{YEAR}) {_MONTH}", _named_month),
        (rf"(?:(?P<which>this|last|past|next|coming) )?{_MONTH}", _named_month),
        (rf"(?P<y>{YEAR})[-/](?P<m>\d\d)", _month_and_year),
        (rf"(?P<m>\d\d?)/(?P<y>{YEAR})", _month_and_year),
        (rf"q(?P<quarter>[1-4])(?:(?: of)?,? {_YEAR_WORDS})?", _quarter),
        (rf"(?P<quarter>first|second|third|fourth|[1-4](?:st|nd|rd|th)) quarter(?:(?: of)? {_YEAR_WORDS})?", _quarter),
        (rf"h(?P<half>[12])(?: {_YEAR_WORDS})?", _half),
        (rf"(?P<half>first|second) half(?:(?: of)? {_YEAR_WORDS})?", _half),
        (rf"(?P<y>{YEAR})", lambda f, _: DateRange(date(int(f["y"]), 1, 1), date(int(f["y"]), 12, 31))),
        (
            rf"(?P<y>{YEAR})-(?P<m>\d\d)-(?P<d>\d\d)",
            lambda f, _: _one_day(date(int(f["y"]), int(f["m"]), int(f["d"]))),
        ),
        (rf"{_MONTH} {_DAY}(?:,? {_YEAR_WORDS})?", _named_day),
        (rf"{_DAY}(?: of)? {_MONTH}(?:,? {_YEAR_WORDS})?", _named_day),
        (rf"{_DAY.removesuffix('?')}", _day_of_month),
        (rf"(?P<a>\d\d?)(?P<sep>[/.])(?P<b>\d\d?)(?:(?P=sep)(?P<year>{YEAR}|\d\d)|\.)?", _numeric_day),
        (rf"(?:(?P<which>this|last|past|this past|next|coming) )?{_WEEKDAY}(?: (?:morning|evening|night))?", _weekday),
        (r"(?:(?P<which>this|last|past|previous|next) )?weekend", _weekend),
        (r"since (?P<start>.+)", _since),
        (r"(?P<unit>week|month) of (?P<start>.+)", _unit_of),
        (r"(?:between )?(?P<start>.+?) and (?P<end>.+)", _from_to),
        (r"(?:from )?(?P<start>.+?) (?:to|through|thru|until|till|-) (?P<end>.+)", _from_to),
        (r"(?P<start>[^-]+)-(?P<end>[^-]+)", _from_to),
        (r"(?P<start>[\d-]+)(?:/|\.\.)(?P<end>[\d-]+)", _from_to),
        (r"from (?P<start>.+?)(?: on| onwards?)?", _since),
    )
)
