"""Figures of a reply, held against known answers: an amount counts only as it is, to the cent and in its currency."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from agent.grounding.figures import Figure
from agent.grounding.finder import Finder
from agent.grounding.matching import same_value
from domain.errors import PennyError
from domain.money import Money, check_currency
from lab.cases.answers import Books
from lab.cases.case import Answer, Given
from lab.cases.nodes import CaseError


@dataclass(frozen=True, slots=True)
class Known:
    """A known answer: a number with its unit (a currency, "percent", "count"), or a day."""

    said: str
    value: Decimal = Decimal(0)
    unit: str = ""
    day: date | None = None


def known(answer: Answer, books: Books) -> Known:
    """The answer worked out, or read as it is written. Raises CaseError when it is neither."""
    if answer.of:
        about = ", ".join(answer.where.values())
        try:
            value, unit = books.answer(answer.of, answer.where)
        except (KeyError, ValueError, PennyError) as error:
            raise CaseError(f"The answer {answer.of} ({about}) cannot be worked out: {error}.") from None
        return Known(f"{_number(value, unit)} ({answer.of}: {about})", value, unit)
    text = answer.text.strip()
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        return Known(text, day=date.fromisoformat(text))
    found = re.fullmatch(r"(-?[\d.]+)\s*(%|[A-Z]{3}|)", text)
    if found is None:
        raise CaseError(f"{text!r} is no figure; write it like 412.30 USD, 12 %, 3 or 2026-11-25.")
    unit = {"%": "percent", "": "count"}.get(found[2]) or check_currency(found[2])
    return Known(text, Decimal(found[1]), unit)


def _number(value: Decimal, unit: str) -> str:
    return str(value) if unit == "count" else f"{value} {unit}"


def found_in(text: str, given: Given) -> list[Figure]:
    """The figures of a reply, as the user's locale writes them."""
    return Finder.of(given.locale, given.currency).find(text, given.today)


def says(figures: Sequence[Figure], wanted: Known) -> bool:
    """Whether one of the figures is the answer. Signs are the words' matter, not the figure's."""
    return any(_is(figure, wanted) for figure in figures)


def _is(figure: Figure, wanted: Known) -> bool:
    if wanted.day is not None:
        return any(days.start == wanted.day == days.end for days in figure.days)
    if wanted.unit == "percent":
        return figure.kind == "percent" and same_value(figure, wanted.value)
    if wanted.unit == "count":
        return figure.kind in ("count", "times") and abs(wanted.value) in map(abs, figure.values)
    return (
        figure.kind == "money"
        and wanted.unit in figure.currencies
        and abs(wanted.value) in map(abs, figure.values)
        and Money.of(wanted.value, wanted.unit).amount == wanted.value
    )
