"""Where sentences end: in a whole text, and while it still comes in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from agent.grounding.spelled import words

_ABBREVIATIONS: Final = words(
    """
    mr mrs ms dr prof st no nr vs etc e.g i.e eg ie approx ca inc ltd co corp jan feb mar apr jun jul aug
    sep sept oct nov dec mon tue tues wed thu thurs fri sat sun a.m p.m am pm z.b d.h bzw usw ggf tsd mio
    mrd m mme cf env p.ej sr sra fig est dept u.s u.k
    """
)
_END = re.compile(r"(?P<line>\n)|(?P<stop>[.!?…]+[\"'”’»)*_\]]*)(?=\s)|(?P<wide>[。！？]+[」』）]*)")


def spans(text: str) -> Iterator[tuple[int, int]]:
    """The sentences and lines of a text as (start, end), one after the other without gaps."""
    start = 0
    for end in _ends(text):
        yield start, end
        start = end
    if start < len(text):
        yield start, len(text)


def whole(text: str) -> int:
    """How much of a text that is still coming in consists of whole sentences: what follows may yet go on. A full stop
    is known to end one only when the next word is there."""
    return max((end for end in _ends(text) if _is_over(text, end)), default=0)


def _is_over(text: str, end: int) -> bool:
    last = text[end - 1]
    return last == "\n" or (last in _WIDE and end < len(text)) or _FOLLOWED.match(text, end) is not None


_WIDE = "。！？」』）"
_FOLLOWED = re.compile(r"\s+\S+\s|\n")


def _ends(text: str) -> Iterator[int]:
    for found in _END.finditer(text):
        if found["stop"] and not _stops(text, found.start(), found["stop"]):
            continue
        yield found.end()


def _stops(text: str, at: int, mark: str) -> bool:
    """Whether a full stop ends a sentence: not after an abbreviation, an initial, a list's number or an ordinal."""
    if mark[0] != ".":
        return True
    before = re.search(r"[\w.'’]*$", text[max(0, at - 24) : at])
    word = before[0].casefold() if before else ""
    if word in _ABBREVIATIONS or re.fullmatch(r"[^\W\d_]", word):
        return False
    if word.isdigit():
        line = text.rfind("\n", 0, at) + 1
        if not text[line : at - len(word)].strip(" \t-*>"):
            return False  # "1." at the head of a line
        follows = re.match(r"\.\s+([^\W\d_]+)", text[at : at + 24])
        return not (len(word) <= 2 and follows and follows[1].casefold() in _GERMAN_MONTHS)
    return True


_GERMAN_MONTHS: Final = words(
    """
    januar februar märz april mai juni juli august september oktober november dezember
    """
)
