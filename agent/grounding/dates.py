"""Whether a date in a reply is one of the conversation's facts, or simply true of the calendar."""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple

from agent.grounding.context import Context
from agent.grounding.facts import Fact, Known
from agent.grounding.figures import Figure
from agent.grounding.matching import clash, same_period
from domain.periods import DateRange, Month


class Dated(NamedTuple):
    """The outcome for a date: whether it stands, and the fact behind it if there is one."""

    verified: bool
    fact: Fact | None = None


def check(figure: Figure, context: Context, known: Known) -> Dated:
    """A date stands when a fact has it for what the sentence is about, when the user said it, or when the calendar
    itself does (today, the ends of months and of the periods in the facts)."""
    if figure.wrong_weekday:
        return Dated(False)
    if figure.kind == "period":
        return _period(figure.days[0], context, known)
    days = [span.start for span in figure.days]
    wrong = False
    for day in days:
        for fact in known.days.get(day, ()):
            if not clash(context, fact, known):
                return Dated(True, fact)
            wrong = True
    if any(day in _calendar(known) for day in days) or any(span in figure_days(known) for span in figure.days):
        return Dated(True)
    for day in days:
        for fact in known.facts:
            if day in fact.label_days:
                return Dated(True, fact)
            if any(day in (period.start, period.end) for period in fact.periods):
                return Dated(True)
    return Dated(context.question and not wrong)


def _period(span: DateRange, context: Context, known: Known) -> Dated:
    month = Month.of(known.today)
    if month.plus(-13).first <= span.start and span.end <= month.plus(13).last and len(span) > 27:
        return Dated(True)  # the name of a month or year says nothing; what is said of it is held against the fact's
    for fact in known.facts:
        if any(same_period(span, period, known) for period in fact.periods):
            return Dated(True)
        if any(period.start >= span.start and period.end <= span.end for period in fact.periods):
            return Dated(True)
        if fact.day and fact.day in span:
            return Dated(True)
    if span in figure_days(known) or (known.today in span and len(span) < 32):
        return Dated(True)
    return Dated(context.question)


def figure_days(known: Known) -> set[DateRange]:
    """The dates and periods in the user's own words."""
    return {span for figure in known.theirs for span in figure.days}


def _calendar(known: Known) -> frozenset[date]:
    """Days that need no fact: yesterday, today, tomorrow, and the ends of the months around."""
    month, one = Month.of(known.today), timedelta(1)
    ends = [day for m in (month.plus(-1), month, month.plus(1)) for day in (m.first, m.last)]
    return frozenset({known.today - one, known.today, known.today + one, *ends})
