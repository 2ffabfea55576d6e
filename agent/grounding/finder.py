"""Finds the figures of a text: every money amount, share, count and date, and none of the numbers that are names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Final

from agent.grounding import spelled
from agent.grounding.calendar import Calendar, calendar
from agent.grounding.figures import Figure, Kind
from agent.grounding.numerals import Numerals, numerals
from agent.grounding.spelled import words
from agent.grounding.units import AND_CHANGE, HEDGED_AFTER, NOUNS, Units, hedge_before, units
from domain.periods import DateRange

_NAMES: Final = re.compile(
    r"""
      https?://\S+ | www\.\S+ | \S+@\S+\.\w+            # addresses
    | \#\w+                                             # transaction numbers
    | \bNo\.\s?\d+ | \bNr\.\s?\d+
    | (?m:^[ \t>]*(?:\#{1,6}\s*)?\(?\d{1,3}[.)](?=\s))  # list markers, numbered headings
    | \[\d{1,3}\]                                       # footnotes
    | \b\d{1,2}:\d{2}(?::\d{2})?\b                      # times of day
    | \b24/7\b | \b401\s?\(?k\)? | \b529\s(?=plan) | \b\d{1,2}/\d{1,2}/\d{1,2}(?=\s(?:rule|budget|split|plan|method))
    | \+?\d{1,3}[-\s.]\(?\d{3}\)?[-\s.]\d{3}[-\s.]\d{4}  # telephone numbers
    | \(\d{3}\)\s?\d{3}-\d{4} | \b\d{3}-\d{3}-\d{4}\b | \+\d[\d\s-]{8,}\d
    | \bx{2,}\d{2,4}\b | \bending\sin\s\d{2,4}
    | \b(?i:transaction|order|account|card|step|option|tip|line)\s\d+\b(?!\s?(?:%|days|transactions|purchases))
    | (?<![\w$€£¥])[A-Za-z]+\d[\w-]*                         # G20, v1.2, S3
    | \bv\d+(?:\.\d+)*
    | \b\d+(?:st|nd|rd|th)\b
    """,
    re.VERBOSE,
)
_NEGATIVE = re.compile(r"(?<![\w\d%€£])[-−‒–]\s?$|\bminus\s$")
_WORD: Final = re.compile(r"[\s\u00a0-]+([^\W\d_][\w'’]*)")
_RANGE = re.compile(r"\s?(?:[-–—]|to|bis|à|a|and|und|et|y)\s?$")
_CJK_NOUN = re.compile(r"\s?(件|回|日(?![本間])|か月|ヶ月)")


@dataclass(frozen=True)
class Finder:
    """Looks for figures as a user's locale and currency have them. `names` are names with digits in them."""

    numerals: Numerals
    units: Units
    calendar: Calendar
    language: str
    currency: str
    names: tuple[str, ...] = ()

    @classmethod
    def of(cls, locale: str, currency: str, names: Iterable[str] = ()) -> Finder:
        return cls(
            numerals(locale),
            units(locale, currency),
            calendar(locale),
            locale.replace("_", "-").partition("-")[0].lower(),
            currency,
            tuple(name for name in names if any(c.isdigit() for c in name)),
        )

    def find(self, text: str, today: date) -> list[Figure]:
        """The figures in the order of the text; none overlaps another."""
        taken = list(self._taken(text))
        found: list[Figure] = []
        for mention in self.calendar.find(text, today):
            if not _within(taken, mention.start, mention.end):
                kind: Kind = "period" if mention.period else "day"
                found.append(
                    Figure(
                        mention.start,
                        mention.end,
                        text[mention.start : mention.end],
                        kind,
                        days=mention.days,
                        wrong_weekday=mention.wrong_weekday,
                    )
                )
                taken.append((mention.start, mention.end))
        for figure in self._written(text, taken):
            found.append(figure)
            taken.append((figure.start, figure.end))
        for figure in self._spelled(text):
            if _free(taken, figure.start, figure.end):
                found.append(figure)
                taken.append((figure.start, figure.end))
        found.sort(key=lambda figure: figure.start)
        return list(_ranges(text, _more_days(text, _with_cents(text, found))))

    def _taken(self, text: str) -> Iterator[tuple[int, int]]:
        for match in _NAMES.finditer(text):
            head = re.match(r"[^\W\d_]+", match[0])
            if not (head and self.units.currencies(head[0]) and match[0][-1:].isdigit()):
                yield match.span()
        folded = text.casefold() if self.names else ""
        for name in self.names if len(folded) == len(text) else ():
            at = folded.find(name.casefold())
            while at >= 0:
                yield at, at + len(name)
                at = folded.find(name.casefold(), at + 1)

    def _written(self, text: str, taken: Sequence[tuple[int, int]]) -> Iterator[Figure]:
        free_from = 0
        for match in self.numerals.pattern.finditer(text):
            start, end = match.span()
            if not _free(taken, start, end) or (end < len(text) and text[end] == "\u20e3"):
                continue
            read = self.numerals.read(match[0])
            if read:
                values, step = tuple(v for v, _ in read), Decimal(1).scaleb(-read[0][1])
                figure = self._number(text, start, end, values, step, read, free_from)
                free_from = figure.end
                yield figure

    def _number(
        self,
        text: str,
        start: int,
        end: int,
        values: tuple[Decimal, ...],
        step: Decimal,
        read: Sequence[tuple[Decimal, int]] = (),
        free_from: int = 0,
    ) -> Figure:
        """The figure around a number: its sign, unit, multiplier and what is counted."""
        first, currencies = self.units.before(text, start)
        inner_minus = first == start and text[max(0, start - 1) : start] in ("-", "−")
        if inner_minus:
            first, currencies = self.units.before(text, start - 1)
            inner_minus = bool(currencies)
        if first < free_from or not currencies:
            first, currencies, inner_minus = start, frozenset(), False
        after = self.units.after(text, end)
        last = after.end
        values, step = tuple(v * after.factor for v in values), step * after.factor
        kind: Kind = "money" if currencies else "count"
        if after.kind == "percent":
            kind, first, currencies = "percent", start, frozenset()
        elif after.kind == "times" and not currencies:
            kind = "times"
        elif after.kind == "cents" and not currencies:
            values, step = tuple(v / 100 for v in values), step / 100
            kind, currencies = "money", frozenset({self.currency})
        elif after.kind == "money":
            kind, currencies = "money", (currencies & after.currencies) or after.currencies
        elif after.kind:
            last = end
        if kind == "money" and len(values) > 1:  # three decimals are no amount in a currency that has two
            fitting = tuple(v for v, (_, decimals) in zip(values, read, strict=False) if decimals != 3)
            values, step = (fitting, Decimal(1)) if self.currency not in _THREE_DECIMALS else (values, step)
        elif kind == "percent":
            values = values[:1]
        minus = _NEGATIVE.search(text, max(0, first - 8), first)
        figure = Figure(first, last, text[first:last], kind, values, step, currencies)
        lead = minus.start() if minus else first
        noun = _noun(text, last) if kind == "count" else ""
        hedge = hedge_before(text, lead) if noun not in _SPANS else ""
        hedge = hedge or ("about" if HEDGED_AFTER.match(text, last) else "over" if AND_CHANGE.match(text, last) else "")
        return replace(figure, negative=bool(minus) or inner_minus, hedge=hedge, noun=noun)

    def _spelled(self, text: str) -> Iterator[Figure]:
        for found in spelled.find(text, self.language):
            start, end = found.start, found.end
            words = text[start:end]
            if found.sort == "share":
                yield Figure(start, end, words, "percent", (found.value,), Decimal(1), hedge="about")
                continue
            if found.sort == "times":
                yield Figure(start, end, words, "times", (found.value,), Decimal(1), hedge="about")
                continue
            figure = self._number(text, start, end, (found.value,), _spoken_step(found.value))
            if figure.kind == "count":
                if not figure.noun or figure.noun == "item" or (found.value <= 1 and not _adjacent_noun(text, end)):
                    continue
                if re.match(r"\s(?:or|to|and)\s", text[end : end + 5]) and not figure.noun:
                    continue
            if figure.kind == "times" and found.value <= 1:
                continue
            if figure.kind == "money" and found.value == 0:
                continue
            yield figure


def _spoken_step(value: Decimal) -> Decimal:
    return Decimal(1) if value == value.to_integral_value() else Decimal("0.1")


def _adjacent_noun(text: str, end: int) -> bool:
    found = _WORD.match(text, end)
    return found is not None and NOUNS.get(found[1].casefold()) not in (None, "item", "time", "change")


def _noun(text: str, end: int) -> str:
    """What sort of thing is counted, when a word that says so follows closely."""
    cjk = _CJK_NOUN.match(text, end)
    if cjk:
        return NOUNS[cjk[1]]
    at = end
    for _ in range(3):
        found = _WORD.match(text, at)
        if not found:
            return ""
        sort = NOUNS.get(found[1].casefold())
        if sort:
            return sort
        if found[1].casefold() in _STOPS:
            return ""
        at = found.end()
    return ""


_THREE_DECIMALS: Final = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})
_SPANS: Final = frozenset({"day", "week", "month", "year"})
_STOPS: Final = words(
    """
    this last next per each every
    in on at for to from and or is are was were with by as than that a i you it we if but so
    """
)


def _within(taken: Sequence[tuple[int, int]], start: int, end: int) -> bool:
    """Whether it is but a part of something else."""
    return any(a <= start and end <= b and b - a > end - start for a, b in taken)


def _free(taken: Sequence[tuple[int, int]], start: int, end: int) -> bool:
    return all(end <= a or b <= start for a, b in taken)


def _more_days(text: str, figures: list[Figure]) -> list[Figure]:
    """In "November 9, 10 and 15" every number is a day."""
    for at in range(1, len(figures)):
        last, figure = figures[at - 1], figures[at]
        if last.kind != "day" or figure.kind != "count" or figure.noun or not 1 <= figure.value <= 31:
            continue
        if not _ANOTHER.fullmatch(text, last.end, figure.start) or figure.step != 1:
            continue
        days = []
        for span in last.days:
            with suppress(ValueError):
                day = span.start.replace(day=int(figure.value))
                days.append(DateRange(day, day))
        if days:
            figures[at] = replace(figure, kind="day", days=tuple(days), values=())
    return figures


_ANOTHER: Final = re.compile(r",?\s(?:(?:and|&|und|et|y)\s)?")


def _with_cents(text: str, figures: list[Figure]) -> list[Figure]:
    """ "Forty dollars and three cents" is one amount."""
    joined: list[Figure] = []
    for figure in figures:
        last = joined[-1] if joined else None
        if last and _are_cents(text, last, figure):
            whole = last.value + figure.value
            joined[-1] = replace(
                last, end=figure.end, text=text[last.start : figure.end], values=(whole,), step=figure.step
            )
        else:
            joined.append(figure)
    return joined


def _are_cents(text: str, amount: Figure, figure: Figure) -> bool:
    both = amount.kind == figure.kind == "money" and amount.step == 1 and figure.value < 1
    return both and bool(_AND.fullmatch(text, amount.end, figure.start) and _CENTS.search(figure.text))


_AND: Final = re.compile(r",?\s(?:(?:and|und|et|con|y)\s)?")
_CENTS: Final = re.compile(r"(?:cents?|centimes|céntimos|pence)$", re.IGNORECASE)


def _ranges(text: str, figures: list[Figure]) -> Iterator[Figure]:
    """The ends of "$200-300" and "between 200 and 300 dollars" share their unit; a hedge before the first is both's."""
    for at, figure in enumerate(figures):
        before = figures[at - 1] if at else None
        after = figures[at + 1] if at + 1 < len(figures) else None
        if figure.kind == "count" and not figure.noun:
            if before and before.kind in ("money", "percent") and _RANGE.fullmatch(text, before.end, figure.start):
                kin = before
            elif (
                after
                and after.kind in ("money", "percent", "count")
                and _RANGE.fullmatch(text, figure.end, after.start)
            ):
                kin = after
            else:
                kin = None
            if kin:
                figure = replace(
                    figure,
                    kind=kin.kind,
                    currencies=kin.currencies,
                    noun=kin.noun,
                    negative=False,
                    hedge=figure.hedge or kin.hedge,
                )
                figures[at] = figure
        yield figure
