"""Holding a figure against a fact: whether the value is the same as far as it is written, and the words agree."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from agent.grounding.context import Context
from agent.grounding.facts import Fact, Known
from agent.grounding.figures import Figure
from agent.grounding.labels import Measure, Subject
from domain.periods import DateRange

_NEAR: Final = Decimal("0.06")
_BOUND: Final = Decimal("0.1")
_SHARE: Final = Decimal("0.1")

_OPPOSITES: Final[dict[Measure, frozenset[Measure]]] = {
    "left": frozenset({"share", "over", "spent", "budget", "more", "less"}),
    "over": frozenset({"share", "left", "spent", "budget", "less"}),
    "more": frozenset({"share", "less", "left", "spent", "budget", "income"}),
    "less": frozenset({"share", "more", "over", "spent", "budget", "income"}),
    "spent": frozenset({"budget", "left", "income", "over"}),
    "budget": frozenset({"spent", "left", "over", "income"}),
    "income": frozenset({"spent", "budget", "left", "over"}),
    "share": frozenset({"left", "more", "less", "over"}),
    "expected": frozenset({"budget", "left", "over"}),
}


def same_value(figure: Figure, value: Decimal, *, cents: bool = True) -> bool:
    """Whether the figure says the value: exactly as written, or near it when a hedge says so. Signs are apart."""
    value = abs(value)
    return any(_says(figure, abs(said), value, cents) for said in figure.values)


def _says(figure: Figure, said: Decimal, value: Decimal, cents: bool) -> bool:
    off = abs(said - value)
    if figure.kind == "money" and figure.step <= Decimal("0.01") and cents and not figure.hedge:
        return off == 0
    if off == 0 or (off * 2 <= figure.step and value != 0 and said != 0):
        return figure.kind != "count" or figure.hedge != "" or off == 0 or figure.step < 1
    if not figure.hedge or value == 0:
        return False
    if figure.hedge == "over":
        return said < value and off <= value * _BOUND
    if figure.hedge == "under":
        return said > value and off <= value * _BOUND
    if figure.kind == "percent" and not figure.text[:1].isdigit():  # "a third", "half"
        return off <= value * _SHARE
    return off <= value * _NEAR and off * 2 <= max(_place(said), figure.step)


def _place(number: Decimal) -> Decimal:
    """What the last digit that is not 0 is worth; a 5 there counts for five."""
    _, digits, exponent = number.normalize().as_tuple()
    if not isinstance(exponent, int):
        return Decimal(0)
    return Decimal(1).scaleb(exponent) * (5 if digits[-1] == 5 else 1)


def same_unit(figure: Figure, fact: Fact) -> bool:
    """Whether the fact is a figure of this sort; an unlike currency is not."""
    if fact.number is None:
        return False
    if figure.kind == "money":
        return fact.unit in figure.currencies
    if figure.kind == "percent":
        return fact.unit == "percent"
    if figure.kind == "times":
        whole = figure.value == figure.value.to_integral_value()
        return fact.unit == "times" or (whole and fact.unit == "count" and _counts("transaction", fact))
    if fact.unit in ("count", "days"):
        return _counts(figure.noun, fact)
    return not figure.noun and fact.unit != "date"  # a bare number in a table


def _counts(noun: str, fact: Fact) -> bool:
    if not noun or noun in ("item", "time"):
        return True
    label = fact.label.casefold()
    if noun == "day":
        return fact.unit == "days" or "day" in label
    if noun == "transaction":
        return fact.unit == "count" and any(
            w in label for w in ("transaction", "purchase", "charge", "earlier", "twice")
        )
    if noun == "merchant":
        return fact.unit == "count" and "merchant" in label
    if noun == "category":
        return fact.unit == "count" and ("categor" in label or "budget" in label)
    if noun == "subscription":
        return fact.unit == "count" and "recurring" in label
    return fact.unit == "count" and noun in label


def same_period(said: DateRange, fact: DateRange, known: Known) -> bool:
    """Whether two periods are one: "November" is also November so far."""
    if said == fact:
        return True
    return said.start == fact.start and min(said.end, known.today) == min(fact.end, known.today)


def clash(context: Context, fact: Fact, known: Known) -> str:
    """What the words around the figure say against the fact: "subject", "period", "measure", or nothing."""
    if _other_subject(context, fact, known):
        return "subject"
    if context.measure and fact.measure in _OPPOSITES.get(context.measure, ()):
        return "measure"
    change_from = len(fact.periods) == 1 and fact.label.startswith("change")
    if fact.periods and fact.measure != "budget" and not change_from:
        said = (context.period,) if context.period else context.periods
        long = [p for p in said if len(p) > 1]
        if long and not any(_meant(p, f, context, known) for p in long for f in fact.periods):
            return "period"
    return ""


def _meant(said: DateRange, fact: DateRange, context: Context, known: Known) -> bool:
    """Whether a period that is said may be the fact's: the same; its beginning, when "the same days" are spoken of; a
    part of several months that are gone through one by one."""
    if same_period(said, fact, known):
        return True
    inside = said.start <= fact.start and fact.end <= said.end
    return inside and ((context.partly and said.start == fact.start) or (context.listing and 31 < len(said) < 360))


def _other_subject(context: Context, fact: Fact, known: Known) -> bool:
    subjects = fact.subjects
    if fact.transaction:
        subjects = known.by_transaction.get(fact.transaction, subjects)
    if context.bound:
        shop = context.direct and all(s.kind == "other" for s in context.bound)
        if (
            shop
            and subjects
            and not any(s.kind == "other" for s in subjects)
            and _has_own(context.bound[0], fact, known)
        ):
            return True  # what the shop's category cost, said of the shop
        return any(_differs(s, subjects) or (s.kind == "category" and fact.is_total) for s in context.bound)
    if context.subjects:
        kinds = {s.kind for s in context.subjects}
        return any(
            s.kind in kinds and not any(_alike(s, m) for m in context.subjects if m.kind == s.kind) for s in subjects
        )
    return context.carried is not None and not fact.is_total and _differs(context.carried, subjects)


def _has_own(subject: Subject, fact: Fact, known: Known) -> bool:
    return any(subject in other.subjects and other.unit == fact.unit for other in known.facts)


def _differs(named: Subject, subjects: frozenset[Subject]) -> bool:
    same_kind = [s for s in subjects if s.kind == named.kind]
    return bool(same_kind) and not any(_alike(named, s) for s in same_kind)


def _alike(one: Subject, other: Subject) -> bool:
    a, b = set(one.tokens), set(other.tokens)
    return a <= b or b <= a


def fitness(context: Context, fact: Fact, known: Known, nth: int) -> tuple[int, int]:
    """How well a fact of the same value fits the words, to choose among several; earlier facts win."""
    points = 0
    if any(_alike(bound, s) for bound in context.bound for s in fact.subjects):
        points += 4
    elif any(_alike(m, s) for m in context.subjects for s in fact.subjects):
        points += 3
    if not context.subjects and fact.is_total:
        points += 1
    if context.period and any(same_period(context.period, p, known) for p in fact.periods):
        points += 2
    if context.measure and context.measure == fact.measure:
        points += 2
    return points, -nth
