"""What is known in a conversation: the facts of its tools, the user's own figures, and what each is about.

A fact's label says in words what it is about ("left of the Dining budget in October 2026"): names, periods, a measure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import Any, Final

from agent.grounding import labels
from agent.grounding.figures import Figure
from agent.grounding.finder import Finder
from agent.grounding.labels import Measure, Names, Subject, longest, tokens
from domain.periods import DateRange

_UNSPACED: Final = re.compile("[\u3040-\u30ff\u3400-\u9fff\u0e00-\u0e7f]")
_TXN: Final = re.compile(r"\btransaction (\d+)\b")


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
        return self.known.mentions(self.label)

    @cached_property
    def subjects(self) -> frozenset[Subject]:
        """The names in the label."""
        return labels.subjects(self.label, self.known.names)

    @cached_property
    def measure(self) -> Measure:
        """What the figure measures, as far as saying the opposite would be wrong."""
        number = self.number or 0
        return labels.measure(self.label, self.unit, (number > 0) - (number < 0))

    @property
    def is_total(self) -> bool:
        """Whether it adds up everything, so that it is not the figure of one category."""
        named = self.subjects or self.label.startswith(("spent:", "received:"))
        return not named and self.measure in ("spent", "budget", "left", "over", "income", "expected")


@dataclass
class Known:
    """The facts of a conversation, this turn's first, what the user said, and how they write.

    `summaries` are the sentences that tools wrote; what a reply repeats of them line by line is theirs. `proposed` is
    how many changes this turn proposes.
    """

    finder: Finder
    today: date
    names: Names
    said: tuple[str, ...] = ()
    summaries: tuple[str, ...] = ()
    proposed: int = 0
    facts: list[Fact] = field(default_factory=list)
    _mentions: dict[str, list[Any]] = field(default_factory=dict, repr=False)

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
        proposed: int = 0,
    ) -> Known:
        """From facts as tool results hold them (`{id, label, value, unit}`)."""
        names = Names(tuple(categories), tuple(accounts))
        finder = Finder.of(locale, currency, (*names.categories, *names.accounts))
        known = cls(finder, today, names, tuple(said), tuple(summaries), proposed)
        told = set()
        for fact in facts:  # what was found before is found again in most turns of a conversation
            same = (fact["label"], fact["value"], fact.get("unit"))
            if same not in told:
                told.add(same)
                known.add(fact)
        return known

    def mentions(self, label: str) -> list[Any]:
        """The dates and periods in a label; labels that differ in their value alone are read once."""
        if label not in self._mentions:
            self._mentions[label] = list(self.finder.calendar.find(label, self.today))
        return self._mentions[label]

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
    def vocabulary(self) -> dict[str, list[Subject]]:
        """Every name, of facts too, by its first word; longer names also by a beginning that is theirs alone."""
        names = {subject for fact in self.facts for subject in fact.subjects}
        names |= {subject for subjects in labels.by_first_word(self.names).values() for subject in subjects}
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
            subject = longest(fitting, words, at)
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
