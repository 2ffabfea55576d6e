"""The offline model says so when a message is in a language that it was not made for."""

from __future__ import annotations

import pytest

from agent.local.english import other_language, sorry


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("wie viel habe ich im Oktober für Lebensmittel ausgegeben?", "de"),
        ("Setze mein Budget für Restaurants auf 250", "de"),
        ("combien ai-je dépensé pour les courses ce mois ?", "fr"),
        ("¿Cuánto gasté en comida el mes pasado?", "es"),
        ("quanto ho speso per la spesa questo mese?", "it"),
        ("quanto gastei com comida no mês passado?", "pt"),
        ("hoeveel heb ik deze maand uitgegeven?", "nl"),
        ("كم أنفقت هذا الشهر؟", "ar"),
        ("今月はいくら使いましたか", ""),
        ("сколько я потратил в октябре?", ""),
    ],
)
def test_other_languages_are_known_as_such(text: str, language: str) -> None:
    """By their small words or their letters."""
    assert other_language(text) == language


@pytest.mark.parametrize(
    "text",
    [
        "how much did I spend at La Taqueria de los Muertos last month?",
        "paid 12.50 at Café de la Paix",
        "set dining to 250",
        "hola",
        "groceries?",
        "42.50 lunch",
        "what did I get at El Corte Inglés",
        "1234",
        "",
        "move 50 from eating out to travel",
        "show me Das Auto in October",
    ],
)
def test_english_with_foreign_names_is_english(text: str) -> None:
    """A shop's name does not make a message foreign, and too few words tell nothing."""
    assert other_language(text) is None


def test_it_is_said_in_the_users_language_and_in_english() -> None:
    """Who does not read English is told in words of their own, where there are any."""
    assert sorry("de").startswith("Ich bin ein kleines Offline-Modell")
    assert "only English" in sorry("de")
    assert sorry("") == "I am a small offline model and understand only English so far."
