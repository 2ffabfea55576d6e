"""Reading a fact's label: the names in it, and which measure it is.

Code writes labels in one style of English, with names as their owner wrote them. Each is read once and remembered.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final, Literal, NamedTuple

from babel.numbers import list_currencies

from agent.grounding.spelled import words

Measure = Literal["", "spent", "budget", "left", "over", "income", "more", "less", "expected", "share"]

_WORDS: Final = words(
    """
    a above account accounts after all amount an and any are as assigned at average away balance be before
    below bill bills bring brings brought budget budgets by card cards carried cash categories category
    change changed changes charge charged charges checking come compared converted count date day days debt
    difference due each earlier early end ended ends envelope envelopes equal even every everyday expected
    far for forecast free from full goal goals had held high in into is it its last late latest least left
    less long looked low lowered made many median merchant merchants missing month monthly months more moved
    much needed net new next no nobody not now number of off on once one onwards other others over overdue
    owed pace part per percent perhaps period periods possibly price purchase purchases quarterly raised
    rate received recurring rose safe same saved saving savings seen share shift short shown since single so
    spend spending spent spread still such sum taken than that the there they this three time times to today
    too total transaction transactions twice two typical under unusual until up used usual value was week
    weekly weeks what which while whole will with without worth would year yearly years your down fell day's
    already again away rest remaining available held
    """
)
_MONTHS: Final = words(
    """
    january february march april may june july august september october november december jan feb mar apr jun jul aug
    sep sept oct nov dec q1 q2 q3 q4
    """
)
_TOKEN: Final = re.compile(r"[^\W_]+(?:['’&.-][^\W_]+)*")


class Subject(NamedTuple):
    """A name that figures may be about; `kind` is "category", "account" or "other" (a merchant, a goal)."""

    kind: str
    tokens: tuple[str, ...]


@lru_cache(maxsize=8192)
def stem(word: str) -> str:
    """A word without the endings that come and go: "Groceries", "grocery", "Safeway's"."""
    word = word.casefold().replace("’", "'").removesuffix("'s").removesuffix("'")
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    return word[:-1] if word.endswith("s") and len(word) > 3 and not word.endswith("ss") else word


def tokens(text: str) -> list[tuple[str, int, int]]:
    """The words of a text, stemmed, with their places."""
    return [(stem(m[0]), m.start(), m.end()) for m in _TOKEN.finditer(text)]


class Names(NamedTuple):
    """The user's own names."""

    categories: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()


Words = list[tuple[str, int, int]]


@lru_cache(maxsize=256)
def by_first_word(names: Names) -> dict[str, list[Subject]]:
    """The names by their first word."""
    known: dict[str, list[Subject]] = {}
    for kind, group in (("category", names.categories), ("account", names.accounts)):
        for name in group:
            if parts := tuple(t[0] for t in tokens(name)):
                known.setdefault(parts[0], []).append(Subject(kind, parts))
    return known


def longest(names: Iterable[Subject], words: Words, at: int) -> Subject | None:
    """The longest of the names that stands whole at the word."""
    best: Subject | None = None
    for subject in names:
        size = len(subject.tokens)
        if tuple(w[0] for w in words[at : at + size]) == subject.tokens and (best is None or size > len(best.tokens)):
            best = subject
    return best


@lru_cache(maxsize=16384)
def subjects(label: str, names: Names) -> frozenset[Subject]:
    """The names in a label: the user's, and what is neither the language of labels nor a date nor a currency."""
    parts, known = tokens(label), by_first_word(names)
    found: set[Subject] = set()
    rest: list[str] = []
    at = 0
    while at < len(parts):
        word, start, end = parts[at]
        if named := longest(known.get(word, ()), parts, at):
            found.add(named)
            at += len(named.tokens)
            continue
        plain = word in _stemmed() and (label[start:end].islower() or word in _MONTHS)
        if plain or word.isdigit() or label[start:end] in _currencies():
            if rest:
                found.add(Subject("other", tuple(rest)))
            rest = []
        else:
            rest.append(word)
        at += 1
    if rest:
        found.add(Subject("other", tuple(rest)))
    return frozenset(found)


@lru_cache(maxsize=1)
def _stemmed() -> frozenset[str]:
    return frozenset(stem(word) for word in _WORDS) | _WORDS | _MONTHS


@lru_cache(maxsize=1)
def _currencies() -> frozenset[str]:
    return frozenset(list_currencies())


@lru_cache(maxsize=16384)
def measure(label: str, unit: str, sign: int) -> Measure:
    """What a fact measures, as far as saying the opposite would be wrong. `sign` is its value's: -1, 0 or 1."""
    label = label.casefold()
    counted = unit in ("percent", "times", "count", "days", "rate")
    if counted and not label.startswith(("change", "less", "more")):
        return "share" if unit == "percent" and re.match(r"used|share|spent", label) else ""
    if label.startswith(("change", "part of the difference")):
        return "more" if sign > 0 else "less" if sign < 0 else ""
    if re.match(r"(?:expected )?left\b", label):
        return "over" if sign < 0 else "left"
    return next((name for name, pattern in _MEASURES if pattern.search(label)), "")


_MEASURES: Final[tuple[tuple[Measure, re.Pattern[str]], ...]] = (
    ("less", re.compile(r"^less|\b(?:down|fell|lowered) by$")),
    ("over", re.compile(r"^more than is|^(?:expected )?over\b|^short\b")),
    ("more", re.compile(r"^more|\b(?:up|rose|raised) by$")),
    ("expected", re.compile(r"^(?:everyday spending )?expected|^(?:low|high) end")),
    ("spent", re.compile(r"^spent")),
    ("income", re.compile(r"^income in|^received")),
    (
        "budget",
        re.compile(r"^(?!.*\b(?:used|spent|without|carried|assigned|free|day|bills|expected)\b).*\bbudgets?\b"),
    ),
)
