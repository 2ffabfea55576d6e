"""What stands in a person's words: amounts, counts, category names, phrases. Pure functions, no model."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from tools.names import CATEGORY_WORDS, plain

_UNITS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SMALL = {word: n for n, word in enumerate(_UNITS)} | {word: 10 * n for n, word in enumerate(_TENS, 2)}
_SCALES = {"hundred": 100, "thousand": 1000, "grand": 1000}
_NUMBER = re.compile(r"(?<![\w.,])(\d{1,3}(?:[ ,.'’]\d{3})+(?:[.,]\d{1,2})?|\d+(?:[.,]\d+)?)\s?(k\b)?", re.I)
_SIGNS = "$€£¥"


@dataclass(frozen=True, slots=True)
class Named:
    """A phrase for a category, and the categories it may mean (several for "food")."""

    phrase: str
    meant: frozenset[str]

    @property
    def said(self) -> str:
        """The category's own name, or the phrase while it may mean several."""
        return next(iter(self.meant)) if len(self.meant) == 1 else self.phrase


def numbers(text: str) -> tuple[Decimal, ...]:
    """The numbers in the text, in digits ("$1,200.50", "1.2k", "12,50") or spelled ("fifty", "two hundred and ten")."""
    digits = [_decimal(found[1], found[2]) for found in _NUMBER.finditer(re.sub(f"[{_SIGNS}#]", " ", text))]
    return (*digits, *_spelled(plain(text).split()))


def _decimal(number: str, thousands: str | None) -> Decimal:
    compact = re.sub(r"[ '’]", "", number)
    grouped = re.fullmatch(r"\d{1,3}(?:[.,]\d{3})+(?:[.,]\d{1,2})?", compact)
    if grouped:
        whole, _, rest = compact.rpartition(compact[-3]) if compact[-3] in ".," else (compact, "", "")
        if not rest and compact[-2:-1] in ".,":
            whole, _, rest = compact.rpartition(compact[-2])
        value = Decimal(re.sub("[.,]", "", whole or compact) + (f".{rest}" if rest else ""))
    else:
        value = Decimal(compact.replace(",", "."))
    return value * 1000 if thousands else value


def _spelled(words: Sequence[str]) -> list[Decimal]:
    found, total, part, inside = [], 0, 0, False
    for at, word in enumerate([*words, ""]):
        if word in _SMALL:
            part, inside = part + _SMALL[word], True
        elif word in _SCALES and (inside or words[at - 1 : at] == ["a"]):
            part, inside = max(part, 1) * _SCALES[word], True
            if word != "hundred":
                total, part = total + part, 0
        elif not (inside and word == "and" and words[at + 1 : at + 2] and words[at + 1] in _SMALL):
            if inside:
                found.append(Decimal(total + part))
            total, part, inside = 0, 0, False
    return found


def within(phrase: str, text: str) -> bool:
    """Whether the phrase occurs in the text, whatever its case, accents and punctuation; an empty one does not."""
    wanted, there = plain(phrase), plain(text)
    return bool(wanted) and (
        f" {wanted} " in f" {there} " or (len(wanted) > 3 and wanted.replace(" ", "") in there.replace(" ", ""))
    )


def meanings(phrase: str, categories: Iterable[str]) -> frozenset[str]:
    """The categories that the phrase is a name of, or a word for; several for "food"."""
    wanted = _singular(plain(phrase))
    named = frozenset(name for name in categories if _singular(plain(name)) == wanted)
    meant = {_singular(word) for concept in CATEGORY_WORDS if wanted in map(_singular, concept) for word in concept}
    return named or frozenset(name for name in categories if _singular(plain(name)) in meant)


def named(text: str, categories: Sequence[str]) -> tuple[Named, ...]:
    """The categories that are spoken of in the text, in order.

    Longer phrases go before the words in them: "food shopping" is groceries and no shopping.
    """
    words = plain(text).split()
    found: dict[int, Named] = {}
    taken: set[int] = set()
    for size in (4, 3, 2, 1):
        for at in range(len(words) - size + 1):
            span, phrase = range(at, at + size), " ".join(words[at : at + size])
            if taken.isdisjoint(span) and (meant := meanings(phrase, categories)):
                found[at] = Named(phrase, meant)
                taken.update(span)
    by_meaning = {found[at].meant: found[at] for at in sorted(found, reverse=True)}
    return tuple(found[at] for at in sorted(found) if by_meaning[found[at].meant] is found[at])


def _singular(text: str) -> str:
    return text[:-3] + "y" if text.endswith("ies") else text.removesuffix("s")
