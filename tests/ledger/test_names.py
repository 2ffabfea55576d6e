"""Preferences and rules: what is stored comes back in canonical spelling, what cannot be is refused."""

from __future__ import annotations

from uuid import UUID

import pytest

from db.engine import Database
from domain.errors import InvalidInput
from ledger import preferences, rules
from ledger.preferences import Preferences


async def test_a_new_user_has_the_defaults(database: Database, user: UUID) -> None:
    """Nobody has to set anything up before asking."""
    async with database.read(user) as tx:
        assert await preferences.get(tx) == Preferences("en-US", "UTC", "USD")


async def test_preferences_are_stored_in_canonical_spelling(database: Database, user: UUID) -> None:
    """A currency in small letters is kept in capitals."""
    async with database.transaction(user) as tx:
        await preferences.put(tx, Preferences("de-DE", "Europe/Berlin", "eur"))
        assert await preferences.get(tx) == Preferences("de-DE", "Europe/Berlin", "EUR")


@pytest.mark.parametrize(
    "wrong",
    [
        Preferences(locale="xx-YY"),
        Preferences(locale=""),
        Preferences(time_zone="Mars/Olympus"),
        Preferences(time_zone="../etc/passwd"),
        Preferences(currency="ABC"),
    ],
)
def test_what_is_no_locale_zone_or_currency_is_refused(wrong: Preferences) -> None:
    """The message says what is accepted."""
    with pytest.raises(InvalidInput, match="use one such as"):
        preferences.checked(wrong)


async def test_a_rule_is_found_by_its_merchant_in_any_case(database: Database, resident: UUID) -> None:
    """Whole names only: part of a name is another merchant."""
    async with database.read(resident) as tx:
        found = await rules.for_merchant(tx, " NETFLIX ")
        assert found is not None
        assert found.category == "Subscriptions"
        assert await rules.for_merchant(tx, "Net") is None
