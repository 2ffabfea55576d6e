"""What a model says on its way to the user: as it comes, or held sentence by sentence until its figures are verified.

Only the sentence that is held may change: a wrong figure becomes the fact when just one can be meant, else the sentence
is left out, and the reply says so. What was sent stands.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final, Protocol

import structlog

from agent.grounding.context import Context
from agent.grounding.facts import Fact, Known
from agent.grounding.matching import clash, same_unit
from agent.grounding.reply import Grounded, ground
from agent.grounding.sentences import spans, whole
from domain.money import Money

log = structlog.get_logger(__name__)

LEFT_OUT: Final = "(I left out a sentence here: I could not verify a figure in it.)"
NO_FIGURE: Final = "—"
CONTEXT: Final = 2_000
"""So many characters before a sentence are looked at with it."""

_ITEM: Final = re.compile(r"\s*(?:(?:[-*•]|\d+[.)])\s+)?")


class Voice(Protocol):
    """Takes a step's text as it comes and gives what may be sent."""

    held: str
    """What was heard and not given yet."""

    def hear(self, text: str) -> str: ...
    def rest(self) -> str: ...


class Plain:
    """Everything is sent as it comes."""

    held = ""

    def hear(self, text: str) -> str:
        return text

    def rest(self) -> str:
        return ""


class Strict:
    """Sentence by sentence, a table row by row. `said` is what the reply has said before this step."""

    def __init__(self, known: Known, locale: str, said: str = "") -> None:
        self.held = ""
        self._known, self._locale, self._said = known, locale, said

    def hear(self, text: str) -> str:
        """The sentences that this text completed, as they may be sent."""
        self.held += text
        end = whole(self.held)
        ready, self.held = self.held[:end], self.held[end:]
        return "".join(self._checked(ready[a:b]) for a, b in spans(ready))

    def rest(self) -> str:
        """What is still held, when nothing more will come."""
        ready, self.held = self.held, ""
        return "".join(self._checked(ready[a:b]) for a, b in spans(ready))

    def _checked(self, sentence: str) -> str:
        try:
            spoken = self._judged(sentence)
        except Exception:  # a defect here must not cost the reply, nor let a figure through
            log.exception("grounding.failed")
            spoken = LEFT_OUT if any(c.isdigit() for c in sentence) else sentence
        self._said += spoken
        return spoken

    def _judged(self, sentence: str) -> str:
        wrong = self._wrong(sentence)
        if not wrong:
            return sentence
        mended = self._mended(sentence, wrong)
        if mended is not None and not self._wrong(mended):
            return mended
        if sentence.lstrip().startswith("|"):
            return _replaced(sentence, [(g.figure.start, g.figure.end, NO_FIGURE) for g in wrong])
        lead, body = _ITEM.match(sentence), sentence.rstrip()
        tail = sentence[len(body) :]
        if self._said.endswith(LEFT_OUT) and not body.startswith("\n"):
            return tail  # said once, that holds for several
        return (lead[0] if lead else "") + LEFT_OUT + tail

    def _wrong(self, sentence: str) -> list[Grounded]:
        """The figures of the sentence that are not verified, with their places in it."""
        before = self._said[-CONTEXT:]
        if len(self._said) > CONTEXT:
            before = before[before.find("\n") + 1 :]
        shift = len(before)
        wrong = []
        for found in ground(before + sentence, self._known):
            figure = found.figure
            if figure.start < shift or found.verified:
                continue
            if figure.kind == "count" and sentence.rstrip().endswith(":"):  # counts the list that is to come
                continue
            moved = replace(figure, start=figure.start - shift, end=figure.end - shift)
            wrong.append(replace(found, figure=moved))
        return wrong

    def _mended(self, sentence: str, wrong: Sequence[Grounded]) -> str | None:
        """The sentence with the facts in place of the wrong figures, or None when it is not clear which are meant."""
        edits = []
        for found in wrong:
            fact = meant(found, self._known)
            if fact is None:
                return None
            edits.append((found.figure.start, found.figure.end, self._written(fact)))
        return _replaced(sentence, edits)

    def _written(self, fact: Fact) -> str:
        number = fact.number or Decimal(0)
        if fact.unit.isupper():
            return Money.of(abs(number), fact.unit).format(self._locale)
        return f"{number}%" if fact.unit == "percent" else f"{number:f}"


def meant(found: Grounded, known: Known) -> Fact | None:
    """The one fact that a wrong figure must have meant: the same name, unit, period and measure, and no other value."""
    figure, context = found.figure, found.context
    if context is None or not figure.is_number or not _clear(context):
        return None
    fitting = [
        fact
        for fact in known.facts
        if same_unit(figure, fact)
        and fact.measure == context.measure
        and not clash(context, fact, known)
        and _about(context, fact)
    ]
    values = {fact.number for fact in fitting}
    return fitting[0] if len(values) == 1 else None


def _clear(context: Context) -> bool:
    return bool(context.measure) and (bool(context.bound) or len(context.subjects) == 1)


def _about(context: Context, fact: Fact) -> bool:
    named = context.bound or context.subjects
    return all(name in fact.subjects for name in named) and not fact.label.startswith("expected")


def _replaced(text: str, edits: Sequence[tuple[int, int, str]]) -> str:
    for start, end, new in sorted(edits, reverse=True):
        text = text[:start] + new + text[end:]
    return text
