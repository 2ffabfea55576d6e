"""What is known in a conversation: the facts of its tools, the user's own figures, and what each is about.

A fact's label says in words what it is about ("left of the Dining budget in October 2026"). It is read once: the names
in it, its periods, and which measure it is, so that a figure can be held against it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cached_property, lru_cache
from typing import Any, Final, Literal, NamedTuple

from agent.grounding.figures import Figure
from agent.grounding.finder import Finder
from agent.grounding.spelled import words
from domain.periods import DateRange

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
_UNSPACED: Final = re.compile("[\u3040-\u30ff\u3400-\u9fff\u0e00-\u0e7f]")
_TXN: Final = re.compile(r"\btransaction (\d+)\b")


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


@dataclass
class Fact:
    """A fact of the conversation as grounding sees it. `unit` is a currency, "percent", "count", "days" or "times"."""

    id: str
    label: str
    unit: str
    number: Decimal | None
    day: date | None
    known: Known = field(repr=False)

    @cached_property
    def transaction(self) -> str:
        found = _TXN.search(self.label)
        return found[1] if found else ""

    @cached_property
    def periods(self) -> tuple[DateRange, ...]:
        """The periods that the label names."""
        found = [m.days[0] for m in self._mentions if m.period]
        if self.label.startswith(("spent:", "received:", "share of")):  # "spent: March 2026, 2026 so far" is of March
            found = [p for p in found if not any(o != p and o.start >= p.start and o.end <= p.end for o in found)]
        return tuple(found)

    @cached_property
    def label_days(self) -> tuple[date, ...]:
        return tuple(m.days[0].start for m in self._mentions if not m.period and m.days)

    @cached_property
    def _mentions(self) -> list[Any]:
        return list(self.known.finder.calendar.find(self.label, self.known.today))

    @cached_property
    def subjects(self) -> frozenset[Subject]:
        """The names in the label."""
        words = tokens(self.label)
        found: set[Subject] = set()
        rest: list[str] = []
        at = 0
        while at < len(words):
            named = self.known.named(words, at)
            if named:
                found.add(named)
                at += len(named.tokens)
                continue
            word = words[at][0]
            written = self.label[words[at][1] : words[at][2]]
            plain = word in _STEMMED and (written.islower() or word in _MONTHS)
            if plain or word.isdigit() or written in self.known.finder.units.signs:
                if rest:
                    found.add(Subject("other", tuple(rest)))
                rest = []
            else:
                rest.append(word)
            at += 1
        if rest:
            found.add(Subject("other", tuple(rest)))
        return frozenset(found)

    @cached_property
    def measure(self) -> Measure:
        """What the figure measures, as far as saying the opposite would be wrong."""
        label = self.label.casefold()
        if self.unit in ("percent", "times", "count", "days", "rate") and not label.startswith(
            ("change", "less", "more")
        ):
            return "share" if self.unit == "percent" and re.match(r"used|share|spent", label) else ""
        if label.startswith(("change", "part of the difference")):
            return "more" if (self.number or 0) > 0 else "less" if (self.number or 0) < 0 else ""
        if label.startswith("less") or re.search(r"\b(?:down|fell|lowered) by$", label):
            return "less"
        if label.startswith("more than is") or re.match(r"(?:expected )?over\b|short\b", label):
            return "over"
        if label.startswith("more") or re.search(r"\b(?:up|rose|raised) by$", label):
            return "more"
        if re.match(r"(?:expected )?left\b", label):
            return "over" if (self.number or 0) < 0 else "left"
        if label.startswith(("expected", "everyday spending expected", "low end", "high end")):
            return "expected"
        if label.startswith("spent"):
            return "spent"
        if label.startswith(("income in", "received")):
            return "income"
        if re.search(r"\bbudgets?\b", label) and not re.search(
            r"\b(?:used|spent|without|carried|assigned|free|day|bills|expected)\b", label
        ):
            return "budget"
        return ""

    @property
    def is_total(self) -> bool:
        """Whether it adds up everything, so that it is not the figure of one category."""
        named = self.subjects or self.label.startswith(("spent:", "received:"))
        return not named and self.measure in ("spent", "budget", "left", "over", "income", "expected")


_STEMMED: Final = frozenset(stem(word) for word in _WORDS) | _WORDS | _MONTHS


@dataclass
class Known:
    """The facts of a conversation, this turn's first, what the user said, and how they write.

    `summaries` are the sentences that tools wrote; what a reply repeats of them line by line is theirs.
    """

    finder: Finder
    today: date
    categories: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    said: tuple[str, ...] = ()
    summaries: tuple[str, ...] = ()
    facts: list[Fact] = field(default_factory=list)

    @classmethod
    def of(
        cls,
        facts: Iterable[Mapping[str, Any]],
        *,
        today: date,
        locale: str,
        currency: str,
        categories: Iterable[str] = (),
        accounts: Iterable[str] = (),
        said: Iterable[str] = (),
        summaries: Iterable[str] = (),
    ) -> Known:
        """From facts as tool results hold them (`{id, label, value, unit}`)."""
        categories, accounts = tuple(categories), tuple(accounts)
        finder = Finder.of(locale, currency, (*categories, *accounts))
        known = cls(finder, today, categories, accounts, tuple(said), tuple(summaries))
        for fact in facts:
            known.add(fact)
        return known

    def add(self, fact: Mapping[str, Any]) -> None:
        """One more fact; one that cannot be read is left out."""
        unit, value = str(fact.get("unit", "")), str(fact["value"])
        try:
            if unit == "date":
                self.facts.append(
                    Fact(str(fact["id"]), str(fact["label"]), unit, None, date.fromisoformat(value), self)
                )
            else:
                self.facts.append(Fact(str(fact["id"]), str(fact["label"]), unit, Decimal(value), None, self))
        except (ValueError, InvalidOperation):
            return

    @cached_property
    def _vocabulary(self) -> dict[str, list[Subject]]:
        known: dict[str, list[Subject]] = {}
        for kind, names in (("category", self.categories), ("account", self.accounts)):
            for name in names:
                if words := tuple(t[0] for t in tokens(name)):
                    known.setdefault(words[0], []).append(Subject(kind, words))
        return known

    def named(self, words: list[tuple[str, int, int]], at: int) -> Subject | None:
        """The category or account whose whole name begins at the word."""
        return _longest(self._vocabulary.get(words[at][0], ()), words, at)

    @cached_property
    def vocabulary(self) -> dict[str, list[Subject]]:
        """Every name, of facts too, by its first word; longer names also by a beginning that is theirs alone."""
        names = {subject for fact in self.facts for subject in fact.subjects}
        names |= {subject for subjects in self._vocabulary.values() for subject in subjects}
        known: dict[str, list[Subject]] = {}
        for subject in sorted(names):
            known.setdefault(subject.tokens[0], []).append(subject)
        for subject in sorted(names):  # "checking" is Everyday Checking, when only one account has that word
            if subject.kind == "account" and len(subject.tokens) > 1:
                known.setdefault(subject.tokens[-1], [subject])
        return known

    @cached_property
    def unspaced(self) -> tuple[Subject, ...]:
        """The names in scripts that set no spaces."""
        names = {subject for subjects in self.vocabulary.values() for subject in subjects}
        return tuple(s for s in sorted(names) if len(s.tokens) == 1 and _UNSPACED.search(s.tokens[0]))

    @cached_property
    def by_transaction(self) -> dict[str, frozenset[Subject]]:
        """The names that go with a transaction's number."""
        found: dict[str, frozenset[Subject]] = {}
        for fact in self.facts:
            if fact.transaction:
                found[fact.transaction] = found.get(fact.transaction, frozenset()) | fact.subjects
        return found

    @cached_property
    def days(self) -> dict[date, list[Fact]]:
        """The dates among the facts."""
        found: dict[date, list[Fact]] = {}
        for fact in self.facts:
            if fact.day:
                found.setdefault(fact.day, []).append(fact)
        return found

    @cached_property
    def theirs(self) -> list[Figure]:
        """The figures in the user's own words."""
        return [figure for text in self.said[-12:] for figure in self.finder.find(text[:4000], self.today)]

    @cached_property
    def summary_lines(self) -> frozenset[str]:
        return frozenset(line.strip() for text in self.summaries for line in text.split("\n") if line.strip())


def _longest(names: Iterable[Subject], words: list[tuple[str, int, int]], at: int) -> Subject | None:
    best: Subject | None = None
    for subject in names:
        size = len(subject.tokens)
        if tuple(w[0] for w in words[at : at + size]) == subject.tokens and (best is None or size > len(best.tokens)):
            best = subject
    return best


def mentioned(text: str, known: Known) -> list[tuple[int, int, Subject]]:
    """The names in a text, in order; those of scripts that set no spaces between words wherever they stand."""
    found = _spaced(text, known)
    for subject in known.unspaced:
        at = text.find(subject.tokens[0])
        while at >= 0:
            found.append((at, at + len(subject.tokens[0]), subject))
            at = text.find(subject.tokens[0], at + 1)
    found.sort(key=lambda place: place[0])
    return found


def _spaced(text: str, known: Known) -> list[tuple[int, int, Subject]]:
    """The names in a text, in order. A merchant's name counts only where it is written like one, with a capital."""
    words = tokens(text)
    found: list[tuple[int, int, Subject]] = []
    at = 0
    while at < len(words):
        choices = known.vocabulary.get(words[at][0])
        subject, size = None, 1
        if choices:
            upper = not text[words[at][1] : words[at][2]].islower()
            fitting = [s for s in choices if s.kind != "other" or upper]
            subject = _longest(fitting, words, at)
            if subject is None and len(fitting) == 1 and words[at][0] == fitting[0].tokens[-1]:
                subject = fitting[0]
            elif subject is None and len(fitting) == 1 and upper and len(fitting[0].tokens) > 1:
                shared = _shared(fitting[0], words, at)
                if shared > 1 or len(words[at][0]) > 4:
                    subject, size = fitting[0], shared
            elif subject is not None:
                size = len(subject.tokens)
        if subject is not None:
            found.append((words[at][1], words[at + size - 1][2], subject))
            at += size
        else:
            at += 1
    return found


def _shared(subject: Subject, words: list[tuple[str, int, int]], at: int) -> int:
    count = 0
    for token, word in zip(subject.tokens, words[at:], strict=False):
        if token != word[0]:
            break
        count += 1
    return count
