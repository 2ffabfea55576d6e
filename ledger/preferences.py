"""How a person wants to be spoken to: locale, time zone and the currency their budget is kept in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from zoneinfo import ZoneInfo, available_timezones

from babel import Locale, UnknownLocaleError

from db.engine import Transaction
from domain.errors import InvalidInput
from domain.money import MAX_MINOR, check_currency


@dataclass(frozen=True, slots=True)
class Preferences:
    """`locale` is a BCP 47 tag ("en-US"), `time_zone` an IANA name, `currency` the ISO 4217 code of budgets.

    `envelopes_since` is the first day of the month from which money that has no budget yet adds up; without it each
    month starts anew. With `auto_apply` the user lets expenses in their own words of less than `auto_each_minor` be
    recorded without asking, up to `auto_day_minor` a day, both in minor units of `currency` (default: 50 and 200).
    """

    locale: str = "en-US"
    time_zone: str = "UTC"
    currency: str = "USD"
    envelopes_since: date | None = None
    auto_apply: bool = False
    auto_each_minor: int | None = None
    auto_day_minor: int | None = None

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
    if preferences.envelopes_since and preferences.envelopes_since.day != 1:
        raise InvalidInput("Envelopes begin with a month; give its first day, such as 2026-11-01.")
    for cap in (preferences.auto_each_minor, preferences.auto_day_minor):
        if cap is not None and not 0 < cap <= MAX_MINOR:
            raise InvalidInput("A cap is a positive number of minor units.")
    return replace(preferences, currency=check_currency(preferences.currency))


_COLUMNS = "locale, time_zone, currency, envelopes_since, auto_apply, auto_each_minor, auto_day_minor"


async def get(tx: Transaction) -> Preferences:
    """The user's preferences, or the defaults (en-US, UTC, USD) when none are stored."""
    row = await tx.pg.fetchrow(f"SELECT {_COLUMNS} FROM preference WHERE user_id = $1", tx.user)  # noqa: S608
    return Preferences(**row) if row else Preferences()


async def put(tx: Transaction, preferences: Preferences) -> Preferences:
    """Stores all preferences and returns them in canonical spelling. Raises InvalidInput as `checked` does."""
    kept = checked(preferences)
    await tx.pg.execute(
        f"""
        INSERT INTO preference (user_id, {_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (user_id) DO UPDATE
           SET ({_COLUMNS}) = (SELECT {", ".join(f"excluded.{name}" for name in _COLUMNS.split(", "))})
        """,  # noqa: S608
        tx.user,
        kept.locale,
        kept.time_zone,
        kept.currency,
        kept.envelopes_since,
        kept.auto_apply,
        kept.auto_each_minor,
        kept.auto_day_minor,
    )
    return kept
