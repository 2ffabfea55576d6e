"""Grounding a reply: each figure in it with the fact that it is, or without one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from agent.grounding import dates
from agent.grounding.context import Context, contexts
from agent.grounding.derived import SUM, derive
from agent.grounding.facts import Fact, Known
from agent.grounding.figures import Figure
from agent.grounding.labels import Subject
from agent.grounding.matching import clash, fitness, same_unit, same_value
from agent.grounding.sentences import spans
from domain.periods import Month

MOST_COMPUTED = 80
"""So many figures of a reply that are no fact by themselves are looked into; further ones are not verified."""

NEAR = 400
"""Characters around a figure in which its sentence may say which sum it is."""

_SHARES = ("percent", "times")
_OPERANDS = frozenset({"spent", "budget", "left", "income"})
_CLAIMS = frozenset({"spent", "left", "over", "more", "less", "income"})
_YOURS = re.compile(
    r"\b(?:you (?:said|mentioned|told|asked|want(?:ed)?|gave|set|entered)|your (?:goal|request|purchase|target))\b",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Grounded:
    """A figure of a reply. `facts` are what it repeats (one) or is computed from (several); without any it stands for
    what the user said or for the calendar when it is verified."""

    figure: Figure
    verified: bool
    facts: tuple[Fact, ...] = ()
    context: Context | None = None

    def json(self) -> dict[str, Any]:
        """As `grounding` events and messages have it; `derived_from` names the facts of a computed figure."""
        shown: dict[str, Any] = {"start": self.figure.start, "end": self.figure.end, "text": self.figure.text}
        if self.verified and len(self.facts) == 1:
            shown["fact_id"] = self.facts[0].id
        elif self.verified and self.facts:
            shown["derived_from"] = [fact.id for fact in self.facts]
        return shown | {"verified": self.verified}


def ground(text: str, known: Known) -> list[Grounded]:
    """The figures of the text in order, each held against what is known."""
    figures = known.finder.find(text, known.today)
    if not figures:
        return []
    around = contexts(text, figures, known)
    found: list[Grounded | None] = [_direct(f, c, known) for f, c in zip(figures, around, strict=True)]
    _same_transactions(found)
    left = [at for at, grounded in enumerate(found) if grounded is None]
    for at in left[:MOST_COMPUTED]:
        found[at] = _otherwise(text, at, figures[at], around[at], found, known)
    for at in left[MOST_COMPUTED:]:
        found[at] = Grounded(figures[at], False, (), around[at])
    return [g for g in found if g is not None]


def _direct(figure: Figure, context: Context, known: Known) -> Grounded | None:
    """A date, or a number that is a fact as it stands; None when nothing fits."""
    if not figure.is_number:
        dated = dates.check(figure, context, known)
        return Grounded(figure, dated.verified, (dated.fact,) if dated.fact else (), context)
    fitting = [
        (fitness(context, fact, known, nth), fact)
        for nth, fact in enumerate(known.facts)
        if fact.number is not None
        and same_unit(figure, fact)
        and same_value(figure, fact.number)
        and not clash(context, fact, known)
    ]
    if not fitting:
        return None
    return Grounded(figure, True, (max(fitting, key=lambda pair: pair[0])[1],), context)


def _otherwise(
    text: str, at: int, figure: Figure, context: Context, found: Sequence[Grounded | None], known: Known
) -> Grounded:
    """A number that is no fact by itself: computed from facts in play, the user's, of the list it heads, or repeated
    from a tool's own sentence."""
    line = _line(text, figure.start)
    if line in known.summary_lines:
        return Grounded(figure, True, (), context)
    sentence = text[max(context.start, figure.start - NEAR) : min(context.end, figure.end + NEAR)]
    if _is_theirs(figure, context, sentence, known):
        return Grounded(figure, True, (), context)
    near = _in_play(figure, context, found, known, sentence)
    days = [f for f in known.facts if f.unit in ("days", "count")]
    own = [f.value for f in known.theirs if f.kind == "money" or (f.kind == "count" and not f.noun)][:4]
    facts = (
        None
        if figure.hedge in ("over", "under")
        else derive(figure, sentence, near, days, own, _groups(context, sentence, known))
    )
    if facts and not _turned(figure, context, facts, sentence) and not _misplaced(figure, known):
        return Grounded(figure, True, facts, context)
    if figure.kind == "count" and _counts(text, figure, context, known, found[at + 1 :]):
        return Grounded(figure, True, (), context)
    if figure.kind == "percent" and "month" in sentence and same_value(figure, _passed(known)):
        return Grounded(figure, True, (), context)
    if (
        context.question
        and context.measure in ("", "budget")
        and figure.kind == "money"
        and not _misplaced(figure, known)
    ):
        return Grounded(figure, True, (), context)  # an offer claims nothing
    return Grounded(figure, False, (), context)


def _misplaced(figure: Figure, known: Known) -> bool:
    """Whether the figure is a fact that the words speak against: no sum that happens to give it makes it right."""
    return (figure.kind == "money" or (figure.kind == "percent" and figure.step < 1)) and any(
        fact.number and same_unit(figure, fact) and same_value(figure, fact.number) for fact in known.facts
    )


def _turned(figure: Figure, context: Context, facts: Sequence[Fact], sentence: str) -> bool:
    """Whether a difference of spending is said the wrong way round: "less" where the later period has more."""
    if context.measure not in ("more", "less") or len(facts) != 2:
        return False
    one, two = facts
    if not (one.periods and two.periods) or one.subjects != two.subjects or one.periods == two.periods:
        return False
    first, later = sorted((one, two), key=lambda f: f.periods[0].start)
    rising = (later.number or 0) > (first.number or 0)
    if _THAN.search(sentence) and context.periods and context.periods[0] == first.periods[0]:
        rising = not rising  # "in September more than in October"
    return rising != (context.measure == "more")


_BUT = re.compile(r"\b(?:apart from|without|besides|except|excluding|other than|aside from|not counting)\b", re.I)
_THAN = re.compile(r"\b(?:than|above|below)\b", re.I)


def _in_play(
    figure: Figure, context: Context, found: Sequence[Grounded | None], known: Known, sentence: str
) -> list[Fact]:
    """The facts that a computation may take: of this sentence, of what it names, then of the sentences before."""
    same: list[Fact] = []
    earlier: list[Fact] = []
    for grounded in found:
        if grounded is None or not grounded.facts or grounded.figure is figure:
            continue
        mine = grounded.context is not None and grounded.context.start == context.start
        taken = list(grounded.facts)
        if len(taken) > 1 and grounded.figure.kind == "money" and mine:  # what was computed may be taken again
            taken.insert(0, replace(taken[0], label="", number=grounded.figure.value))
        (same if mine else earlier).extend(taken)
    share = figure.kind in _SHARES
    total = share or not context.subjects or _BUT.search(sentence) is not None
    loose = Context(context.start, context.end, subjects=context.subjects, periods=context.periods)
    around = replace(loose, bound=context.bound) if share else loose
    named = [
        fact
        for fact in known.facts
        if fact.unit.isupper()
        and (fact.measure in _OPERANDS or fact.label.startswith("balance"))
        and _named(fact, context, total)
        and (fact.is_total or not clash(around, fact, known))
    ]
    return list({id(f): f for f in (*same, *named[:10], *earlier[-8:][::-1])}.values())


def _groups(context: Context, sentence: str, known: Known) -> list[tuple[Fact, ...]]:
    """Facts that may be added up without more words: the transactions of one merchant, what several names cost."""
    found: list[tuple[Fact, ...]] = []
    for subject in context.bound:
        if subject.kind == "other":
            own = [f for f in known.facts if f.transaction and f.measure == "spent" and subject in f.subjects]
            found.append(tuple({f.transaction: f for f in own}.values()))
    names = context.subjects or context.earlier
    listed = len(context.subjects) > 1 and not context.bound
    if len(names) > 1 and (listed or SUM.search(sentence)):
        around = Context(context.start, context.end, period=context.period, periods=context.periods)
        found.append(tuple(fact for name in names if (fact := _cost(name, around, known))))
    return [group for group in found if len(group) > 1]


def _cost(name: Subject, around: Context, known: Known) -> Fact | None:
    """The first fact that says what the name cost, or holds."""
    return next(
        (
            fact
            for fact in known.facts
            if name in fact.subjects
            and fact.measure in ("spent", "")
            and fact.unit.isupper()
            and not clash(around, fact, known)
        ),
        None,
    )


def _named(fact: Fact, context: Context, total: bool) -> bool:
    """Whether the sentence speaks of the fact: by name, as the total, or by one of the periods that it compares."""
    if any(subject in fact.subjects for subject in context.subjects):
        return True
    if fact.is_total:
        return total
    return len(context.periods) > 1 and not fact.subjects and any(p in context.periods for p in fact.periods)


def _is_theirs(figure: Figure, context: Context, sentence: str, known: Known) -> bool:
    """Whether the user said the figure, and the reply does not claim it of something that the facts have otherwise."""
    said = [t for t in known.theirs if t.is_number and _alike(t, figure)]
    if not said:
        return False
    if _YOURS.search(sentence) or context.measure not in _CLAIMS:
        return True
    told = [
        f for f in known.facts if f.measure == context.measure and same_unit(figure, f) and not clash(context, f, known)
    ]
    return not told


def _alike(theirs: Figure, figure: Figure) -> bool:
    kinds = {theirs.kind, figure.kind}
    if len(kinds) > 1 and kinds != {"money", "count"}:
        return False
    if theirs.currencies and figure.currencies and not theirs.currencies & figure.currencies:
        return False
    if theirs.kind == figure.kind == "count" and theirs.noun and figure.noun and theirs.noun != figure.noun:
        return False
    return any(same_value(figure, value) for value in theirs.values)


def _passed(known: Known) -> Decimal:
    """How much of the month has passed, in percent."""
    return Decimal(known.today.day * 100) / Month.of(known.today).last.day


def _counts(text: str, figure: Figure, context: Context, known: Known, after: Sequence[Grounded | None]) -> bool:
    """Counts that need no fact: the entries of the list or table that follows, the names in the sentence, the changes
    that are proposed, days and months of the calendar."""
    value = figure.value
    if value != value.to_integral_value():
        return False
    count = int(value)
    word = f" {figure.text.casefold()} "
    if any(word in f" {fact.label} " for fact in known.facts if not fact.transaction):
        return True
    if figure.noun == "change" and count == known.proposed:
        return True
    month = Month.of(known.today)
    if figure.noun == "day":
        left = (month.last - known.today).days
        lengths = {len(p) for f in known.facts for p in f.periods}
        dated = {abs((day - known.today).days) for day in known.days}
        return count in {left, left + 1, month.last.day, known.today.day, *lengths, *dated}
    if figure.noun in ("week", "month", "year"):
        unit = {"week": 7, "month": 30.4, "year": 365}[figure.noun]
        spoken = {round(len(p) / unit) for f in known.facts for p in f.periods}
        due = {round((day - known.today).days / unit) for day in known.days if day > known.today}
        return count in {12, *spoken, *due} or (figure.noun == "year" and count == 1)
    amounts = sum(1 for g in after if g and g.figure.kind == "money" and g.context and g.context.start == context.start)
    return count > 1 and count in (amounts, _entries(text, context), len(context.subjects), len(context.periods))


def _entries(text: str, context: Context) -> int:
    """How many entries the list or table has that follows a sentence."""
    items = rows = 0
    for start, end in spans(text):
        line = text[start:end].strip()
        if start < context.end or not line:
            continue
        if line.startswith("|"):
            rows += 1
        elif re.match(r"(?:[-*•–]|\d+[.)])\s", line):
            items += 1
        elif items or rows:
            break
    return items or max(0, rows - 2)


def _line(text: str, at: int) -> str:
    start, end = text.rfind("\n", 0, at) + 1, text.find("\n", at)
    return text[start : end if end >= 0 else len(text)].strip()


def _same_transactions(found: list[Grounded | None]) -> None:
    """An amount and a date of one sentence or row that belong to different transactions: the date does not stand."""
    groups: dict[int, list[int]] = {}
    for at, grounded in enumerate(found):
        if grounded and grounded.context:
            groups.setdefault(grounded.context.start, []).append(at)
    for places in groups.values():
        entries = [found[at] for at in places]
        amounts = [g for g in entries if g and g.figure.kind == "money" and g.facts and g.facts[0].transaction]
        days = [
            at for at in places if (g := found[at]) and g.figure.kind == "day" and g.facts and g.facts[0].transaction
        ]
        if len(amounts) != 1 or len(days) != 1 or amounts[0] is None:
            continue
        dated = found[days[0]]
        if dated is None or dated.context is None:
            continue
        fact = amounts[0].facts[0]
        same = [f for f in fact.known.days.get(dated.figure.days[0].start, ()) if f.transaction == fact.transaction]
        if same:
            found[days[0]] = Grounded(dated.figure, True, (same[0],), dated.context)
        elif not any(
            same_value(amounts[0].figure, f.number)
            for f in fact.known.facts
            if f.number is not None
            and f.transaction
            and f.transaction in {d.transaction for d in fact.known.days.get(dated.figure.days[0].start, ())}
        ):
            found[days[0]] = Grounded(dated.figure, False, (), dated.context)
