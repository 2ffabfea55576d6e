"""Currencies, time zones and locales as people name them."""

from __future__ import annotations

import pytest

from domain.errors import InvalidInput
from tools.currencies import currency
from tools.names import Ambiguous
from tools.regions import locale, time_zone


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("eur", "EUR"),
        ("Euros", "EUR"),
        ("€", "EUR"),
        ("pounds", "GBP"),
        ("British pound", "GBP"),
        ("Swiss francs", "CHF"),
        ("francs", "CHF"),
        ("yen", "JPY"),
        ("kuwaiti dinars", "KWD"),
        ("Mexican pesos", "MXN"),
        ("zł", "PLN"),
    ],
)
def test_a_currency_is_known_by_code_name_or_sign(said: str, code: str) -> None:
    """In the singular or plural, the country named or not where one is meant."""
    assert currency(said, "USD") == code


def test_dollars_are_the_users_own_or_asked_about() -> None:
    """Who keeps Canadian dollars means those; who keeps euros is asked."""
    assert currency("dollars", "CAD") == "CAD"
    assert currency("$", "USD") == "USD"
    with pytest.raises(Ambiguous, match="Which currency: USD, CAD, AUD"):
        currency("dollars", "EUR")


@pytest.mark.parametrize("said", ["moon coins", "XYZ", "x", ""])
def test_what_is_no_currency_is_refused(said: str) -> None:
    """By name, with what would be one."""
    with pytest.raises(InvalidInput, match="ISO 4217"):
        currency(said, "USD")


@pytest.mark.parametrize(
    ("said", "zone"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        ("europe/berlin", "Europe/Berlin"),
        ("Berlin", "Europe/Berlin"),
        ("new york", "America/New_York"),
        ("EST", "America/New_York"),
        ("pacific time", "America/Los_Angeles"),
        ("Japan", "Asia/Tokyo"),
        ("india", "Asia/Kolkata"),
        ("utc", "UTC"),
        ("buenos aires", "America/Buenos_Aires"),
        ("berlln", "Europe/Berlin"),
    ],
)
def test_a_time_zone_is_known_by_city_country_or_habit(said: str, zone: str) -> None:
    """And as IANA writes it; "EST" is the zone that has summer time too."""
    found = time_zone(said)
    assert found == zone or (zone, found) == ("America/Buenos_Aires", "America/Argentina/Buenos_Aires")


def test_a_country_of_many_zones_is_asked_about() -> None:
    """With the zones."""
    with pytest.raises(Ambiguous, match="Which time zone: America/"):
        time_zone("Canada")
    with pytest.raises(InvalidInput, match="no time zone called “Atlantis City”"):
        time_zone("Atlantis City")


@pytest.mark.parametrize(
    ("said", "tag"),
    [
        ("de-DE", "de-DE"),
        ("de_at", "de-AT"),
        ("German", "de-DE"),
        ("british english", "en-GB"),
        ("Switzerland", "de-CH"),
        ("Brazil", "pt-BR"),
        ("fr", "fr-FR"),
        ("japanese", "ja-JP"),
    ],
)
def test_a_locale_is_known_by_tag_language_or_country(said: str, tag: str) -> None:
    """A language alone is that of the country where most speak it."""
    assert locale(said) == tag


def test_what_is_no_locale_is_refused() -> None:
    """Not guessed."""
    with pytest.raises(InvalidInput, match="no language or country"):
        locale("Klingonia")
