"""Simple sums that a reply may do by itself, with facts that are in play and words that say which sum it is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import combinations, permutations
from typing import Final

from agent.grounding.facts import Fact
from agent.grounding.figures import Figure
from agent.grounding.matching import same_value

MOST_OPERANDS: Final = 14

SUM = re.compile(
    r"\b(?:total(?:s|ing|led)?|together|combined?|altogether|in all|sum|both|plus|overall|adds? up|add(?:ed|ing)|"
    r"all told|makes? up|accounts? for|"
    r"zusammen|insgesamt|total de|au total|en total|ensemble|juntos|summe)\b|合計|合わせて",
    re.I,
)
_DIFFERENCE = re.compile(
    r"\b(?:difference|left|remaining|remains?|more|less|fewer|save[ds]?|saving|between|gap|under|over|above|below|short|"
    r"increase[ds]?|decrease[ds]?|drop(?:ped)?|leaves?|leaving|"
    r"except|excluding|apart|minus|take off|cut|free|up|down|rose|fell|change[ds]?|higher|lower|ahead|behind|extra|"
    r"rest|without|after|other|spare|room|net|übrig|mehr|weniger|unterschied|rest|reste|différence|plus|moins|más|menos|quedan?|"
    r"diferencia)\b|残り|差",
    re.I,
)
_AVERAGE = re.compile(
    r"\b(?:average[sd]?|on average|mean|"
    r"durchschnitt(?:lich)?|schnitt|moyenne|promedio|media|per|each|apiece|a piece)\b|平均",
    re.I,
)
_YEAR = re.compile(
    r"\b(?:a year|per year|(?:each|every) year|annual(?:ly|ized)?|yearly|"
    r"over (?:a|the|12) (?:full )?(?:year|months)|year|im jahr|jährlich|par an|al año)\b|年間",
    re.I,
)
_MONTH = re.compile(
    r"\b(?:a month|per month|(?:each|every) month|monthly|im monat|monatlich|pro monat|par mois|al mes)\b|毎月", re.I
)
_WEEK = re.compile(r"\b(?:a week|per week|(?:each|every) week|weekly|pro woche|par semaine|a la semana)\b|週", re.I)
_DAY = re.compile(r"\b(?:a day|per day|(?:each|every) day|daily|am tag|pro tag|par jour|al día|/day)\b|1日", re.I)


def derive(
    figure: Figure,
    sentence: str,
    near: Sequence[Fact],
    known_days: Sequence[Fact],
    own: Sequence[Decimal] = (),
    groups: Sequence[tuple[Fact, ...]] = (),
) -> tuple[Fact, ...] | None:
    """The facts that the figure can be computed from, or None.

    `near` are the facts in play, those of the figure's own sentence first; `known_days` count days; `own` are amounts
    that the user said, which may be added or taken off; `groups` are facts that the sentence speaks of together.
    """
    money = [f for f in near if f.number is not None and f.unit.isupper()][:MOST_OPERANDS]
    if figure.kind == "money":
        money = [f for f in money if f.unit in figure.currencies]
        return _amount(figure, sentence, money, known_days, own, groups)
    if figure.kind in ("percent", "times"):
        return _ratio(figure, sentence, money, [f for f in near if f.unit == "percent"])
    if figure.kind == "count":
        counts = [f for f in near if f.number is not None and f.unit in ("count", "days")][:8]
        for a, b in combinations(counts, 2):
            for value, words in ((_n(a) + _n(b), SUM), (_n(a) - _n(b), _DIFFERENCE)):
                if value and words.search(sentence) and same_value(figure, value):
                    return (a, b)
    return None


def _n(fact: Fact) -> Decimal:
    return fact.number or Decimal(0)


def _amount(
    figure: Figure,
    sentence: str,
    money: Sequence[Fact],
    days: Sequence[Fact],
    own: Sequence[Decimal],
    groups: Sequence[tuple[Fact, ...]],
) -> tuple[Fact, ...] | None:
    for facts, value in _candidates(sentence, money, days, own, groups):
        if value and _about(figure, value):
            return facts
    return None


def _about(figure: Figure, value: Decimal) -> bool:
    """Sums of exact facts are exact; what was divided is rounded to the cent first."""
    exact = value.quantize(Decimal("0.01"))
    return same_value(figure, exact) or (exact != value and same_value(figure, value, cents=False))


def _candidates(
    sentence: str,
    money: Sequence[Fact],
    days: Sequence[Fact],
    own: Sequence[Decimal],
    groups: Sequence[tuple[Fact, ...]],
) -> Iterator[tuple[tuple[Fact, ...], Decimal]]:
    for group in groups:
        yield group, sum((_n(f) for f in group), Decimal(0))
    if SUM.search(sentence):
        for size in range(2, min(len(money), 10) + 1):
            yield tuple(money[:size]), sum((_n(f) for f in money[:size]), Decimal(0))
        for size in (2, 3):
            for group in combinations(money[:9], size):
                yield group, sum((_n(f) for f in group), Decimal(0))
        for fact in money:
            for amount in own:
                yield (fact,), _n(fact) + amount
    if _DIFFERENCE.search(sentence):
        for a, b in combinations(money, 2):
            yield (a, b), abs(_n(a)) - abs(_n(b))
        for a, b, c in permutations(money[:5], 3):
            yield (a, b, c), _n(a) - _n(b) - _n(c)
        for fact in money:
            for amount in own:
                yield (fact,), _n(fact) - amount
                yield (fact,), _n(fact) + amount
    if _AVERAGE.search(sentence):
        for size in range(2, min(len(money), 12) + 1):
            yield tuple(money[:size]), sum((_n(f) for f in money[:size]), Decimal(0)) / size
        for fact in money:
            for count in days:
                if count.unit == "count" and _n(count) > 1:
                    yield (fact, count), _n(fact) / _n(count)
    yield from _rates(sentence, money, days)


def _rates(sentence: str, money: Sequence[Fact], days: Sequence[Fact]) -> Iterator[tuple[tuple[Fact, ...], Decimal]]:
    for fact in money:
        value, yearly = _n(fact), "year" in fact.label
        if _YEAR.search(sentence) and not yearly:
            weekly = "every week" in fact.label
            yield (fact,), value * (52 if weekly else 12)
            if "every two weeks" in fact.label:
                yield (fact,), value * 26
            if "every three months" in fact.label:
                yield (fact,), value * 4
        if _MONTH.search(sentence):
            yield (fact,), value / 12
            for period in fact.periods:
                months = round(len(period) / 30.4)
                if months > 1:
                    yield (fact,), value / months
        if _WEEK.search(sentence):
            for period in fact.periods:
                if len(period) >= 14:
                    yield (fact,), value * 7 / len(period)
            yield (fact,), value * 12 / 52
            yield (fact,), value / 52
            yield (fact,), value / 4
        if _DAY.search(sentence):
            yield (fact,), value / 30
            for period in fact.periods:
                yield (fact,), value / len(period.until(fact.known.today))
                yield (fact,), value / len(period)
            for count in days:
                if count.unit == "days" and _n(count) > 1:
                    yield (fact, count), value / _n(count)


def _ratio(figure: Figure, sentence: str, money: Sequence[Fact], percents: Sequence[Fact]) -> tuple[Fact, ...] | None:
    scale = 100 if figure.kind == "percent" else 1
    for a, b in permutations(money, 2):
        whole = _n(b)
        if not whole or a.unit != b.unit:
            continue
        share = abs(_n(a) / whole) * scale
        if _close(figure, share):
            return (a, b)
        if figure.kind == "percent" and _DIFFERENCE.search(sentence) and _close(figure, share - 100):
            return (a, b)
    for fact in percents:
        if figure.kind == "percent" and _DIFFERENCE.search(sentence) and _close(figure, 100 - _n(fact)):
            return (fact,)
    for one, two in combinations(percents[:8], 2):
        if SUM.search(sentence) and _close(figure, _n(one) + _n(two)):
            return (one, two)
        if _DIFFERENCE.search(sentence) and _close(figure, abs(_n(one) - _n(two))):
            return (one, two)
    return None


def _close(figure: Figure, value: Decimal) -> bool:
    return value != 0 and same_value(figure, value)
