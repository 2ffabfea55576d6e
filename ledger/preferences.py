"""How a person wants to be spoken to: locale, time zone and the currency their budget is kept in."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from babel import Locale, UnknownLocaleError

from db.engine import Transaction
from domain.errors import InvalidInput
from domain.money import MAX_MINOR, check_currency
from ledger.changes import Change, apply, inserted, read, updated
from ledger.rows import to_json


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

NAMES: Final = {
    "locale": "locale",
    "time_zone": "time zone",
    "currency": "currency",
    "envelopes_since": "first month of the envelopes",
    "auto_apply": "recording of small expenses without asking",
    "auto_each_minor": "limit of each such expense",
    "auto_day_minor": "limit of such expenses in a day",
}
"""What each preference is called, in the order in which they are told."""


async def get(tx: Transaction) -> Preferences:
    """The user's preferences, or the defaults (en-US, UTC, USD) when none are stored."""
    row = await tx.pg.fetchrow(f"SELECT {_COLUMNS} FROM preference WHERE user_id = $1", tx.user)  # noqa: S608
    return Preferences(**row) if row else Preferences()


async def changing(tx: Transaction, wanted: Preferences) -> Change | None:
    """The change that makes the preferences be so, None when they are. Raises InvalidInput as `checked` does."""
    kept = {name: to_json(value) for name, value in asdict(checked(wanted)).items()}
    before = await read(tx, "preference", {})
    if before is None:
        return inserted("preference", {}, **kept) if checked(wanted) != Preferences() else None
    return updated("preference", {}, before, **kept) if any(before[n] != v for n, v in kept.items()) else None


async def put(tx: Transaction, wanted: Preferences) -> Preferences:
    """Stores all preferences and returns them in canonical spelling; nothing is journalled, as for a user who is being
    made. Raises InvalidInput as `checked` does."""
    if change := await changing(tx, wanted):
        await apply(tx, [change])
    return checked(wanted)


def told(before: Preferences, after: Preferences) -> str:
    """What is different, as a sentence: "Set the currency from USD to EUR and the time zone from UTC to Asia/Tokyo."""
    was, will = asdict(before), asdict(after)
    parts = [
        f"the {name} from {_shown(was[key])} to {_shown(will[key])}"
        for key, name in NAMES.items()
        if was[key] != will[key]
    ]
    return f"Set {' and '.join([', '.join(parts[:-1]), parts[-1]]) if len(parts) > 1 else ''.join(parts)}."


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, date):
        return f"{value:%Y-%m}"
    return "none" if value is None else f"{value:,}" if isinstance(value, int) else str(value)
