"""What of a change the user did not say themselves: a payee, an amount or a text that a model took from somewhere else.

A model may rightly take an amount from the records ("the same as last month"), and a compromised one may take it from a
memo. Code cannot tell these apart, so it does not try: what is not in the user's own words is said to be so, by the
server, beside the difference that the user decides on.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Final, TypedDict

from pydantic import BaseModel
from text_to_num import alpha2digit

from domain.money import Money
from tools.names import plain
from tools.wording import cell

TEXTS: Final = frozenset({"merchant", "memo", "note"})
"""Arguments that go into the records as they are."""

AMOUNTS: Final = frozenset({"parts"})
"""Arguments that are text with amounts in it."""

_MESSAGES, _CHARACTERS = 20, 4_000
_FIGURE = re.compile(r"\d[\d.,'’\u00a0\u202f]*")
_TIMES: Final = {"k": 1_000, "m": 1_000_000}
_LANGUAGES: Final = ("en", "de", "fr", "es", "it", "pt", "nl")


class Unsaid(TypedDict):
    """A field of a change and its value as people read it."""

    field: str
    value: str


def unsaid(
    args: BaseModel, said: Sequence[str], diff: Sequence[Mapping[str, Any]], locale: str = "en-US"
) -> list[Unsaid]:
    """The texts and amounts among a write's arguments that do not occur in the user's own messages, in their order.

    An amount counts as said as well when the change by which `diff` brings it about was said, in money or percent
    ("lower it by 50", "10 % more").
    """
    words = [text[:_CHARACTERS] for text in said[-_MESSAGES:]]
    figures = _figures(words, locale)
    found: list[Unsaid] = []
    for name, value in _values(args):
        if isinstance(value, Decimal):
            if not (figures & {value}) and not figures & _steps(diff, value):
                found.append({"field": name, "value": _shown(value, diff, locale)})
        elif name in AMOUNTS:
            own = [each for each in _FIGURE.findall(value) if not figures & set(_readings(each))]
            found += [{"field": name, "value": each.strip(".,")} for each in own]
        elif name in TEXTS and not _occurs(value, words):
            found.append({"field": name, "value": f"“{cell(value)}”"})
    return found


def notice(found: Sequence[Unsaid]) -> str | None:
    """One sentence that says so; None when everything was said."""
    if not found:
        return None
    named = ", ".join(dict.fromkeys(f"{each['field'].replace('_', ' ')} {each['value']}" for each in found))
    return f"Not in your own words: {named}."


def lookalike(name: str, said: Sequence[str]) -> bool:
    """Whether the name may only look like what the user said: it has a word with a figure in it, or letters of a
    script, that the user never wrote."""
    own = " ".join(said)
    tokens = set(plain(own).split())
    if any(any(c.isdigit() for c in word) and word not in tokens for word in plain(name).split()):
        return True
    return bool(_scripts(name) - _scripts(own))


def _scripts(text: str) -> set[str]:
    """The scripts of the letters, by Unicode's names of them: LATIN, CYRILLIC."""
    return {unicodedata.name(c, "?").split(" ")[0] for c in unicodedata.normalize("NFKC", text) if c.isalpha()}


def _values(value: Any, name: str = "") -> Iterator[tuple[str, str | Decimal]]:
    if isinstance(value, BaseModel):
        for field in type(value).model_fields:
            yield from _values(getattr(value, field), field)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _values(each, name)
    elif isinstance(value, str | Decimal):
        yield name, value


def _occurs(text: str, words: Sequence[str]) -> bool:
    """In any case and spacing, but with the very letters: a likeness is not the same."""
    wanted = _folded(text)
    return any(f" {wanted} " in f" {_folded(said)} " for said in words)


def _folded(text: str) -> str:
    letters = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(re.sub(r"[^\w]+", " ", re.sub(r"['’`]", "", letters)).split())


def _figures(words: Sequence[str], locale: str) -> set[Decimal]:
    """Every amount that the messages may mean, with a comma or a point for the decimals, in figures or in words."""
    found: set[Decimal] = set()
    language = locale.partition("-")[0]
    spoken = {"en", language} & set(_LANGUAGES)
    for text in words:
        for version in (text, *(alpha2digit(text, own) for own in sorted(spoken))):
            for match in _FIGURE.finditer(version):
                times = _TIMES.get(version[match.end() : match.end() + 1].lower(), 1)
                for reading in _readings(match[0]):
                    found.update((reading, reading * times))
    return found


def _readings(figure: str) -> Iterator[Decimal]:
    digits = re.sub(r"['’\u00a0\u202f]", "", figure).strip(".,")
    for thousands, decimal in ((",", "."), (".", ",")):
        try:
            yield Decimal(digits.replace(thousands, "").replace(decimal, "."))
        except InvalidOperation:
            continue


def _steps(diff: Sequence[Mapping[str, Any]], value: Decimal) -> set[Decimal]:
    """By how much the difference brings an amount to `value`, in money and in percent."""
    steps: set[Decimal] = set()
    for entry in diff:
        before, after = _money(entry["before"]), _money(entry["after"])
        if before is not None and after is not None and abs(after) == value:
            by = abs(abs(after) - abs(before))
            steps.add(by)
            if before:
                steps.add(by * 100 / abs(before))
    return steps


def _money(value: Any) -> Decimal | None:
    return Money(value["minor"], value["currency"]).amount if isinstance(value, Mapping) else None


def _shown(value: Decimal, diff: Sequence[Mapping[str, Any]], locale: str) -> str:
    """As the difference has it, with its currency."""
    for entry in diff:
        after = entry["after"]
        if isinstance(after, Mapping) and abs(_money(after) or 0) == value:
            return abs(Money(after["minor"], after["currency"])).format(locale)
    return f"{value:,f}"
