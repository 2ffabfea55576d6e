"""What chats are told by code, in the languages of the files beside this one. English is there for all others."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any, Final

from babel import Locale, UnknownLocaleError
from babel.dates import format_interval, format_skeleton
from babel.numbers import format_decimal, format_percent

from domain.money import Money

LANGUAGES: Final = ("en", "de", "fr", "es", "ar")


@dataclass(frozen=True)
class Texts:
    """The texts of one language, with figures and dates as people of `locale` write them."""

    locale: str
    _sections: Mapping[str, Mapping[str, str]]
    _babel: Locale

    def say(self, text: str, /, **values: str) -> str:
        """The text ("notices.weekly") with its placeholders filled."""
        section, _, key = text.partition(".")
        return self._sections[section][key].format(**values)

    @property
    def language(self) -> str:
        """Of the texts, one of LANGUAGES."""
        return str(self._babel.language)

    def get(self, section: str, key: str) -> str | None:
        """The text of that key, where there is one."""
        return self._sections[section].get(key)

    def refusal(self, code: str, message: str) -> str:
        """Why a decision on a proposal was refused: `message`, which is English, or what this language has for it."""
        if self.language == "en":
            return message
        return self._sections["proposals"].get(code, message)

    def answer(self, verdict: str, code: str) -> str:
        """What is typed to decide, by "yes" or "no": "ja K7"."""
        return f"{self.say(f'proposals.{verdict}')} {code}"

    def status(self, proposal: Mapping[str, Any]) -> str:
        """What became of a proposal, in a word or a few."""
        return self._sections["proposals"].get(proposal["status"], proposal["status"])

    def progress(self, tool: str, label: str) -> str:
        """What is being done: a tool's own label, which is English, or what this language has for the tool. What has
        nothing there changes something."""
        if self.language == "en":
            return label
        return self._sections["doing"].get(tool) or self._sections["doing"]["change"]

    def prompts(self) -> tuple[str, ...]:
        """What might be asked, to begin with."""
        return tuple(self._sections["prompts"].values())

    def money(self, amount: Money) -> str:
        return amount.format(self.locale)

    def count(self, number: int) -> str:
        return str(format_decimal(number, locale=self._babel))

    def percent(self, share: Decimal, *, signed: bool = False) -> str:
        """A share (0.925) in percent: "92%", or with its sign "+8%"; cut, so that nothing unspent is 100%."""
        cut = share.quantize(Decimal("0.01"), "ROUND_DOWN")
        plus = "+" if signed and cut > 0 else ""
        return plus + str(format_percent(cut, locale=self._babel))

    def day(self, day: date) -> str:
        """ "Nov 20"."""
        return str(format_skeleton("MMMd", day, locale=self._babel))

    def full_day(self, day: date) -> str:
        """ "Nov 20, 2026"."""
        return str(format_skeleton("yMMMd", day, locale=self._babel))

    def month(self, day: date) -> str:
        """ "November 2026"."""
        return str(format_skeleton("yMMMM", day, locale=self._babel))

    def days(self, start: date, end: date) -> str:
        """ "Nov 16 – 22"."""
        return " ".join(str(format_interval(start, end, "MMMd", locale=self._babel)).split())


def texts(locale: str) -> Texts:
    """The texts for people of the locale (a BCP 47 tag); where we do not have its language, the English ones, with
    dates to match."""
    language, _, territory = locale.partition("-")
    if language not in LANGUAGES:
        language = "en"
    try:
        spelled = Locale(language, territory[-3:].upper().strip("-") or None)
    except (ValueError, UnknownLocaleError):
        spelled = Locale(language)
    return Texts(locale, sections(language), spelled)


@cache
def sections(language: str) -> Mapping[str, Mapping[str, str]]:
    """The file of a language: sections of texts by key."""
    return tomllib.loads((files(__package__) / f"{language}.toml").read_text("utf-8"))
