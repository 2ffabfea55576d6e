"""What chats are told by code, language by language."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from string import Formatter

import pytest

from channels.texts import LANGUAGES, sections, texts
from domain.money import Money

OTHERS = [language for language in LANGUAGES if language != "en"]


def placeholders(text: str) -> list[str]:
    return sorted(name for _, name, _, _ in Formatter().parse(text) if name)


@pytest.mark.parametrize("language", OTHERS)
def test_every_language_has_every_text(language: str) -> None:
    """The same sections and keys as English, the same placeholders in each, the same words to type, and words of its
    own."""
    own, english = sections(language), sections("en")
    assert {name: list(texts) for name, texts in own.items()} == {name: list(t) for name, t in english.items()}
    for name, there in english.items():
        for key, text in there.items():
            assert placeholders(own[name][key]) == placeholders(text), f"{language} {name}.{key}"
            assert own[name][key].count("`") == text.count("`"), f"{language} {name}.{key}"
            assert own[name][key] != text or len(text) < 12, f"{language} {name}.{key} is English"


def test_figures_are_written_as_the_locale_has_them() -> None:
    """Amounts, shares, days and spans of days; nothing unspent is a hundred percent."""
    german = texts("de-DE")
    assert german.money(Money(123456, "EUR")) == "1.234,56\xa0€"
    assert german.percent(Decimal("0.9999")) == "99\xa0%"
    assert german.percent(Decimal("0.085"), signed=True) == "+8\xa0%"
    assert german.day(date(2026, 11, 3)) == "3. Nov."
    assert german.days(date(2026, 11, 16), date(2026, 11, 22)) == "16.–22. Nov."


def test_a_language_that_is_not_there_is_english_throughout() -> None:
    """Also the dates in its sentences; a locale of three parts too."""
    for locale in ("ja-JP", "zh-Hant-TW", "pt-BR"):
        say = texts(locale)
        assert say.say("notices.bills") == "**Upcoming bills**"
        assert "Nov" in say.day(date(2026, 11, 3))
