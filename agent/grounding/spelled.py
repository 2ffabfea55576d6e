"""Numbers written as words: "three hundred and twelve", "dreihundertzwölf", "two thirds of", "twice what"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from text_to_num import find_numbers


def words(text: str) -> frozenset[str]:
    """The words of a text, as a set."""
    return frozenset(text.split())


LANGUAGES: Final = frozenset({"en", "fr", "es", "pt", "de", "nl", "da", "it"})

_TOKEN = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*|\s+|[^\s]")
_ENGLISH = re.compile(
    r"\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|twenty|thirty|forty|fifty|sixty|"
    r"seventy|eighty|ninety|hundred|thousand|million|zero|dozen)\b",
    re.IGNORECASE,
)
_PARTS: Final[dict[str, tuple[int, int]]] = {
    "half": (1, 2),
    "third": (1, 3),
    "quarter": (1, 4),
    "fifth": (1, 5),
    "tenth": (1, 10),
    "thirds": (2, 3),
    "quarters": (3, 4),
    "fifths": (2, 5),
}
_FRACTION = re.compile(
    r"\b(?:(?:a|one|two|three|four)[\s-])?(?P<part>half|third|quarter|fifth|tenth|thirds|quarters|fifths)"
    r"(?=\s(?:of|the|your|what|as)\b)",
    re.IGNORECASE,
)
_MULTIPLE = re.compile(
    r"\b(?P<word>twice|double|triple|doubled|tripled)(?=\s(?:as|what|the|your|that|last|its|from|since|in\b))",
    re.IGNORECASE,
)
_COUNTS: Final = {"two": 2, "three": 3, "four": 4}


@dataclass(frozen=True, slots=True)
class Spelled:
    """A number in words. `sort` is "number", "share" (a fraction, in percent) or "times"."""

    start: int
    end: int
    value: Decimal
    sort: str


class _Word:
    """A token as text_to_num asks for it."""

    __slots__ = ("word",)

    def __init__(self, word: str) -> None:
        self.word = word

    def text(self) -> str:
        return self.word

    def nt_separated(self, previous: _Word) -> bool:
        return False

    def not_a_number_part(self) -> bool:
        return False


def find(text: str, language: str) -> Iterator[Spelled]:
    """The numbers in words, in English and in `language`."""
    languages = [code for code in dict.fromkeys(("en", language)) if code in LANGUAGES]
    for code in languages:
        if code == "en" and not _ENGLISH.search(text):
            continue
        yield from _numbers(text, code)
    for found in _FRACTION.finditer(text):
        top, bottom = _PARTS[found["part"].lower()]
        said = re.split(r"[\s-]", found[0].lower())[0]
        top = _COUNTS.get(said, top)
        if not re.search(
            r"\b(?:the|first|second|last|this|next|other)\s$", text[max(0, found.start() - 8) : found.start()]
        ):
            yield Spelled(found.start(), found.end(), Decimal(top * 100) / bottom, "share")
    for found in _MULTIPLE.finditer(text):
        yield Spelled(found.start(), found.end(), Decimal(3 if found["word"].lower().startswith("tri") else 2), "times")


def _numbers(text: str, language: str) -> Iterator[Spelled]:
    places = [(m.start(), m.end()) for m in _TOKEN.finditer(text)]
    for found in find_numbers([_Word(text[a:b]) for a, b in places], language, 0.0):
        if found.is_ordinal or found.value is None:
            continue
        start, end = places[found.start][0], places[found.end - 1][1]
        if not any(c.isdigit() for c in text[start:end]):
            yield Spelled(start, end, Decimal(str(found.value)), "number")
