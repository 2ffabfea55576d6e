"""Periods, months and days as people say them ("last month", "since September", "oct 5 - 12"), resolved against today.

Pure functions. A phrase without a year means the nearest one on the side it leans to: the past for what was spent, the
future for a budget to set. What is not understood, or could mean two things, raises InvalidInput with examples; what
was understood is said back by `tools.wording.describe`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, time

from babel import Locale, UnknownLocaleError

from domain.errors import InvalidInput
from domain.periods import DateRange, Month
from tools.date_grammar import BEGINNING, YEAR, Lean, Now, containing, normal, read

__all__ = ["BEGINNING", "EXAMPLES", "Lean", "day", "mentioned", "month", "period", "week_start"]

EXAMPLES = "last month, October 2026, Q3, last 30 days, since September, or oct 5 - oct 12"


def period(text: str, today: date, *, locale: str = "en-US", topic: DateRange | None = None) -> DateRange:
    """The days that a phrase means for someone to whom it is `today`; weeks start as `locale` has it.

    `topic` is the period the conversation is about: "the month before" is before that one, else before this month.
    Raises InvalidInput for an unknown or ambiguous phrase.
    """
    return _period(text, _now(today, locale, "past", topic), locale)


def month(
    text: str, today: date, *, lean: Lean = "past", locale: str = "en-US", topic: DateRange | None = None
) -> Month:
    """The calendar month that a phrase means; a day or a week within one month means that month.

    "December" said in November is last year's with `lean` "past", next month with "future" or "nearest".
    Raises InvalidInput when it is unknown or not a single month.
    """
    days = _period(text, _now(today, locale, lean, topic), locale)
    if Month.of(days.start) != Month.of(days.end):
        raise InvalidInput(f"“{_short(text)}” is not one month; say one like this month, next month or October 2026.")
    return Month.of(days.start)


def day(text: str, today: date, *, lean: Lean = "past", locale: str = "en-US") -> date:
    """The single day that a phrase means: "yesterday", "on Friday", "Nov 1"; without a year the most recent one, or the
    coming one with `lean` "future".

    Raises InvalidInput when it is unknown or a longer period.
    """
    days = _period(text, _now(today, locale, lean, None), locale)
    if len(days) != 1:
        raise InvalidInput(f"“{_short(text)}” is not one day; say one like yesterday, Friday, Nov 1 or 2026-11-01.")
    return days.start


def mentioned(sentences: Sequence[str], today: date, *, locale: str = "en-US") -> DateRange | None:
    """The period that the latest of these sentences to name one is about, or None.

    Each is read with the earlier ones in mind, so that "the month before" can follow itself.
    """
    topic: DateRange | None = None
    for sentence in sentences:
        now = _now(today, locale, "past", topic)
        words = re.sub(r"[?!,;]", " ", normal(sentence)[:400]).split()
        for size in range(min(7, len(words)), 0, -1):
            phrases = (" ".join(words[at : at + size]) for at in range(len(words) - size + 1))
            found = next(
                (days for phrase in phrases if phrase not in _ALSO_WORDS and (days := read(phrase, now))), None
            )
            if found:
                topic = found
                break
    return topic


_ALSO_WORDS = {"may", "march", "mar", "sat", "sun", "mon", "wed", "fri", "now", "all", "ever", "always", "everything"}


def week_start(locale: str) -> int:
    """The day weeks start with where `locale` is spoken: 0 for Monday, 6 for Sunday."""
    return int(_babel(locale).first_week_day)


def _babel(locale: str) -> Locale:
    try:
        return Locale.parse(locale.replace("-", "_"))
    except (ValueError, UnknownLocaleError):
        return Locale("en", "US")


def _now(today: date, locale: str, lean: Lean, topic: DateRange | None) -> Now:
    pattern = str(_babel(locale).date_formats["short"].pattern)
    day_first = "d" in pattern and pattern.index("d") < pattern.index("M")
    return Now(today, today, lean, week_start(locale), day_first, topic)


def _period(text: str, now: Now, locale: str) -> DateRange:
    phrase = normal(text)
    try:
        days = read(phrase, now) or _free_form(phrase, now, locale)
    except (ValueError, OverflowError):
        days = None
    if days is None or not BEGINNING.year <= days.start.year <= days.end.year <= 2999:
        raise InvalidInput(f"“{_short(text)}” is not a period I know; say one like {EXAMPLES}.")
    return days


def _short(text: str) -> str:
    return " ".join(text.split())[:40]


def _free_form(text: str, now: Now, locale: str) -> DateRange | None:
    """Any other way to say one day or month, in the locale's language too ("ayer", "il y a 3 jours"), by dateparser."""
    if len(text) > 40 or not re.search(r"[^\W\d_]{3}", text):
        return None
    from dateparser.date import DateDataParser  # slow to import, and rarely needed

    languages = list(dict.fromkeys([str(_babel(locale).language), "en"]))
    parser = DateDataParser(
        languages=languages,
        settings={
            "RELATIVE_BASE": datetime.combine(now.today, time(12)),
            "PREFER_DATES_FROM": "future" if now.lean == "future" else "past",
            "DATE_ORDER": "DMY" if now.day_first else "MDY",
            "RETURN_AS_TIMEZONE_AWARE": False,
        },
    )
    found = parser.get_date_data(text)
    if found is None or found.date_obj is None or found.period not in ("day", "week", "month", "year"):
        return None
    if found.period != "day" and not all(re.fullmatch(YEAR, number) for number in re.findall(r"\d+", text)):
        return None
    return containing(str(found.period), found.date_obj.date(), now)
