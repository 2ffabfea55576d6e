"""How a person wants to be spoken to: locale, time zone, the currency their budget is kept in, and what they want to be
told unasked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields, replace
from datetime import date
from functools import cache
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo, available_timezones

from babel import Locale, UnknownLocaleError

from db.engine import Transaction
from domain.errors import InvalidInput
from domain.hours import WEEKDAYS, clock_time
from domain.money import MAX_MINOR, check_currency
from ledger.changes import Change, apply, inserted, read, updated
from ledger.rows import to_json

Notice = Literal["weekly", "budget", "unusual", "bills"]
"""A kind of message that is sent unasked to those who want it, by the word that people switch it with."""

SWITCHES: Final[dict[Notice, str]] = {
    "weekly": "weekly_summary",
    "budget": "budget_alerts",
    "unusual": "unusual_charges",
    "bills": "upcoming_bills",
}
"""The preference that switches each kind."""

APPS: Final = ("standard", "slack", "telegram", "whatsapp", "twilio")
"""The messaging apps there are, in the order in which they are offered; channels/ has a folder for each."""

MAY_BE_NONE: Final = frozenset(
    {"envelopes_since", "auto_each_minor", "auto_day_minor", "quiet_from", "quiet_until", "messages_to"}
)
"""Preferences that can be nothing."""


@dataclass(frozen=True, slots=True)
class Preferences:
    """`locale` is a BCP 47 tag ("en-US"), `time_zone` an IANA name, `currency` the ISO 4217 code of budgets.

    `envelopes_since` is the first day of the month from which money that has no budget yet adds up; without it each
    month starts anew. With `auto_apply` the user lets expenses in their own words of less than `auto_each_minor` be
    recorded without asking, up to `auto_day_minor` a day, both in minor units of `currency` (default: 50 and 200).

    The switches of SWITCHES have messages sent unasked: a summary of the week on `weekly_day` ("monday") at
    `weekly_time`, others when there is cause. From `quiet_from` to `quiet_until` none is sent; both None: at any hour.
    They go to the channel `messages_to`, None: to the chat that was used last. Times are "HH:MM" in `time_zone`.
    """

    locale: str = "en-US"
    time_zone: str = "UTC"
    currency: str = "USD"
    envelopes_since: date | None = None
    auto_apply: bool = False
    auto_each_minor: int | None = None
    auto_day_minor: int | None = None
    weekly_summary: bool = False
    budget_alerts: bool = False
    unusual_charges: bool = False
    upcoming_bills: bool = False
    weekly_day: str = "monday"
    weekly_time: str = "09:00"
    quiet_from: str | None = "22:00"
    quiet_until: str | None = "08:00"
    messages_to: str | None = None

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def notices(self) -> frozenset[Notice]:
        """The kinds of messages that are sent unasked."""
        return frozenset(kind for kind, switch in SWITCHES.items() if getattr(self, switch))

    def switched(self, kinds: Iterable[Notice], on: bool) -> Preferences:
        """The same with these kinds on or off."""
        changed: dict[str, Any] = {SWITCHES[kind]: on for kind in kinds}
        return replace(self, **changed)


@cache
def _zones() -> frozenset[str]:
    """Python looks through all of the system's files for them, 15 ms each time."""
    return frozenset(available_timezones())


def checked(preferences: Preferences) -> Preferences:
    """The same preferences in canonical spelling. Raises InvalidInput for a locale, zone or currency that is none."""
    try:
        Locale.parse(preferences.locale.replace("-", "_"))
    except (ValueError, UnknownLocaleError):
        raise InvalidInput(
            f"{preferences.locale[:32]!r} is not a known locale; use one such as en-US or de-DE."
        ) from None
    if preferences.time_zone not in _zones():
        raise InvalidInput(f"{preferences.time_zone[:48]!r} is not a time zone; use one such as Europe/Berlin.")
    if preferences.envelopes_since and preferences.envelopes_since.day != 1:
        raise InvalidInput("Envelopes begin with a month; give its first day, such as 2026-11-01.")
    for cap in (preferences.auto_each_minor, preferences.auto_day_minor):
        if cap is not None and not 0 < cap <= MAX_MINOR:
            raise InvalidInput("A cap is a positive number of minor units.")
    if preferences.weekly_day.lower() not in WEEKDAYS:
        raise InvalidInput(f"{preferences.weekly_day[:16]!r} is not a day of the week; use one such as monday.")
    if preferences.messages_to is not None and preferences.messages_to.lower() not in APPS:
        raise InvalidInput(f"{preferences.messages_to[:32]!r} is no messaging app here; there are: {', '.join(APPS)}.")
    start, end = (time and clock_time(time) for time in (preferences.quiet_from, preferences.quiet_until))
    if (start is None) != (end is None) or (start is not None and start == end):
        raise InvalidInput("Quiet hours have a start and another end, or neither.")
    return replace(
        preferences,
        currency=check_currency(preferences.currency),
        weekly_day=preferences.weekly_day.lower(),
        weekly_time=clock_time(preferences.weekly_time),
        quiet_from=start,
        quiet_until=end,
        messages_to=preferences.messages_to and preferences.messages_to.lower(),
    )


_COLUMNS = ", ".join(field.name for field in fields(Preferences))

NAMES: Final = {
    "locale": "locale",
    "time_zone": "time zone",
    "currency": "currency",
    "envelopes_since": "first month of the envelopes",
    "auto_apply": "recording of small expenses without asking",
    "auto_each_minor": "limit of each such expense",
    "auto_day_minor": "limit of such expenses in a day",
    "weekly_summary": "weekly summary",
    "budget_alerts": "warning of budgets nearly spent",
    "unusual_charges": "warning of unusual charges",
    "upcoming_bills": "reminder of upcoming bills",
    "weekly_day": "day of the weekly summary",
    "weekly_time": "time of the weekly summary",
    "quiet_from": "start of the quiet hours",
    "quiet_until": "end of the quiet hours",
    "messages_to": "app for messages unasked",
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
        f"the {name} from {shown(was[key])} to {shown(will[key])}"
        for key, name in NAMES.items()
        if was[key] != will[key]
    ]
    return f"Set {' and '.join([', '.join(parts[:-1]), parts[-1]]) if len(parts) > 1 else ''.join(parts)}."


def shown(value: object) -> str:
    """A preference in words."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, date):
        return f"{value:%Y-%m}"
    return "none" if value is None else f"{value:,}" if isinstance(value, int) else str(value)
