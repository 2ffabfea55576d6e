"""What the model chose, and what it was chosen from: the guard rails compare the two."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from agent.local.routing import Said
from agent.local.words import Named, named, numbers, within
from domain.errors import InvalidInput
from domain.money import Money
from domain.periods import DateRange, Month
from tools import dates
from tools.names import plain


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call."""

    tool: str
    args: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Say:
    """An answer in text, without a tool."""

    text: str


@dataclass(frozen=True, slots=True)
class Heard:
    """The user's message `text`, what was said before it, and what is known of the user."""

    text: str
    earlier: tuple[Said, ...]
    today: date
    categories: tuple[str, ...]
    currency: str
    locale: str

    @property
    def user_words(self) -> str:
        """All that the user said, this message first."""
        return "\n".join([self.text, *(said.text for said in reversed(self.earlier) if said.who == "User")])

    @property
    def before(self) -> str:
        """All that was said before this message, by the user and the app, latest first."""
        return "\n".join(said.text for said in reversed(self.earlier))

    def named(self, without: str = "") -> tuple[Named, ...]:
        """The categories that this message speaks of; `without` (a shop's name, say) is left out of it."""
        spending = [name for name in self.categories if plain(name) in plain(self.text) or not _takes_no_budget(name)]
        text = plain(self.text)
        return named(text.replace(plain(without), " ; ") if without else text, spending)

    def period(self) -> DateRange | None:
        """The period that this message names, "the month before" the one spoken of earlier included."""
        here = dates.mentioned([self.text], self.today, locale=self.locale)
        if here is None or _is_a_bare_number(here, self.today):
            return None
        texts = [said.text for said in self.earlier]
        return dates.mentioned([*texts, self.text], self.today, locale=self.locale)

    def period_of(self, phrase: str) -> DateRange | None:
        """The days that the phrase means, None if nothing."""
        try:
            return dates.period(phrase, self.today, locale=self.locale)
        except InvalidInput:
            return None

    def show(self, amount: Decimal) -> str:
        """The amount as the user's locale writes it; plainly when the currency has no such amount."""
        try:
            return Money.of(amount, self.currency).format(self.locale)
        except InvalidInput:
            return f"{amount} {self.currency}"


def spoken(phrase: str, text: str) -> bool:
    """Whether the phrase, or the number it is, occurs in the text."""
    digits = re.sub(r"\D", "", phrase)
    return within(phrase, text) or (bool(digits) and Decimal(digits) in numbers(text))


def in_words(days: DateRange) -> str:
    """The period as the tools read it back: "October 2026", "2026", "2026-10-05 to 2026-10-12"."""
    month = Month.of(days.start)
    if days == month.days:
        return f"{calendar.month_name[month.month]} {month.year}"
    if days == DateRange(date(days.start.year, 1, 1), date(days.start.year, 12, 31)):
        return str(days.start.year)
    return days.start.isoformat() if len(days) == 1 else f"{days.start} to {days.end}"


def _takes_no_budget(category: str) -> bool:
    return plain(category) in {"income", "transfer", "transfers", "salary"}


def _is_a_bare_number(days: DateRange, today: date) -> bool:
    """An amount such as 2000 that was taken for a year."""
    whole_year = days == DateRange(date(days.start.year, 1, 1), date(days.start.year, 12, 31))
    return whole_year and not today.year - 15 <= days.start.year <= today.year + 1
