"""How a person wants to be spoken to: locale, time zone and the currency their budget is kept in."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo, available_timezones

from babel import Locale, UnknownLocaleError

from db.engine import Transaction
from domain.errors import InvalidInput
from domain.money import check_currency


@dataclass(frozen=True, slots=True)
class Preferences:
    """`locale` is a BCP 47 tag ("en-US"), `time_zone` an IANA name, `currency` the ISO 4217 code of budgets."""

    locale: str = "en-US"
    time_zone: str = "UTC"
    currency: str = "USD"

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


def checked(preferences: Preferences) -> Preferences:
    """The same preferences in canonical spelling. Raises InvalidInput for a locale, zone or currency that is none."""
    try:
        Locale.parse(preferences.locale.replace("-", "_"))
    except (ValueError, UnknownLocaleError):
        raise InvalidInput(
            f"{preferences.locale[:32]!r} is not a known locale; use one such as en-US or de-DE."
        ) from None
    if preferences.time_zone not in available_timezones():
        raise InvalidInput(f"{preferences.time_zone[:48]!r} is not a time zone; use one such as Europe/Berlin.")
    return Preferences(preferences.locale, preferences.time_zone, check_currency(preferences.currency))


async def get(tx: Transaction) -> Preferences:
    """The user's preferences, or the defaults (en-US, UTC, USD) when none are stored."""
    row = await tx.pg.fetchrow("SELECT locale, time_zone, currency FROM preference WHERE user_id = $1", tx.user)
    return Preferences(row["locale"], row["time_zone"], row["currency"]) if row else Preferences()


async def put(tx: Transaction, preferences: Preferences) -> Preferences:
    """Stores all preferences and returns them in canonical spelling. Raises InvalidInput as `checked` does."""
    kept = checked(preferences)
    await tx.pg.execute(
        """
        INSERT INTO preference (user_id, locale, time_zone, currency) VALUES ($1, $2, $3, $4)
        ON CONFLICT (user_id) DO UPDATE
           SET locale = excluded.locale, time_zone = excluded.time_zone, currency = excluded.currency
        """,
        tx.user,
        kept.locale,
        kept.time_zone,
        kept.currency,
    )
    return kept
