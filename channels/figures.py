"""Text by code whose figures are known: each is marked as it is written, so that nobody has to find it again."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final

from channels.texts import Texts
from domain.money import Money
from tools.result import Fact

_OPEN, _MIDDLE, _CLOSE = "\ue000", "\ue001", "\ue002"
"""No name from outside holds these: tools.wording.cell leaves out what is not printable."""

_TENTH: Final = Decimal("0.1")
_MARKED: Final = re.compile(f"{_OPEN}(\\d+){_MIDDLE}(.*?){_CLOSE}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Backed:
    """A text, the facts it stands on as clients get them, and where each of its figures stands, all of them verified
    (offsets in code points). The facts' ids are numbers within the text; who stores it makes them unique."""

    text: str
    facts: tuple[dict[str, Any], ...]
    figures: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Figures:
    """Writes figures in the words of `say`, and remembers of what fact each is. Labels are English, as those of tools'
    facts are: replies are held against them."""

    say: Texts
    _facts: list[Fact] = field(default_factory=list)

    def money(self, amount: Money, label: str) -> str:
        return self._marked(self.say.money(amount), Fact(label, amount))

    def percent(self, share: Decimal, label: str, *, signed: bool = False) -> str:
        """A share (0.925)."""
        return self._marked(
            self.say.percent(share, signed=signed),
            Fact(label, (share * 100).quantize(_TENTH, "ROUND_HALF_UP"), "percent"),
        )

    def day(self, day: date, label: str) -> str:
        return self._marked(self.say.day(day), Fact(label, day, "date"))

    def count(self, number: int, label: str, unit: str = "count") -> str:
        return self._marked(self.say.count(number), Fact(label, Decimal(number), unit))

    def read(self, marked: str) -> Backed:
        """The text without its marks. Facts are in the order of their figures, those of equal content once."""
        ids: dict[Fact, str] = {}
        figures: list[dict[str, Any]] = []
        plain, at = "", 0
        for found in _MARKED.finditer(marked):
            plain += marked[at : found.start()]
            id_ = ids.setdefault(self._facts[int(found[1])], f"{len(ids) + 1}")
            end = len(plain) + len(found[2])
            figures.append({"start": len(plain), "end": end, "text": found[2], "fact_id": id_, "verified": True})
            plain, at = plain + found[2], found.end()
        return Backed(plain + marked[at:], tuple(fact.json(id_) for fact, id_ in ids.items()), tuple(figures))

    def _marked(self, shown: str, fact: Fact) -> str:
        self._facts.append(fact)
        return f"{_OPEN}{len(self._facts) - 1}{_MIDDLE}{shown}{_CLOSE}"
