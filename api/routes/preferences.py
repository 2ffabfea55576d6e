"""Preferences: how the user is spoken to, the currency the budget is kept in, and what they are told unasked."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field

from api.caller import JSON_BODY, CallerDep
from api.problems import documented
from api.shapes import Input, Output, Text
from domain.money import MAX_MINOR
from ledger import preferences, setup

router = APIRouter(prefix="/v1/preferences", tags=["preferences"])


class PreferencesView(Output):
    """`locale` is a BCP 47 tag (en-US), `time_zone` an IANA name (Europe/Berlin), `currency` an ISO 4217 code (EUR)."""

    locale: str
    time_zone: str
    currency: str
    envelopes_since: date | None = Field(
        description="First day of the month from which money without a budget adds up; null: each month starts anew."
    )
    auto_apply: bool = Field(description="Whether small expenses in the user's own words are recorded without asking.")
    auto_each_minor: int | None = Field(description="They are less than so many minor units; null: 50 whole ones.")
    auto_day_minor: int | None = Field(description="And at most so many minor units a day; null: 200 whole ones.")

    weekly_summary: bool = Field(description="Whether a summary of the week is sent to a linked chat, unasked.")
    budget_alerts: bool = Field(description="Whether the user is told there of budgets nearly spent, and overspent.")
    unusual_charges: bool = Field(description="Whether they are told of unusual and possibly doubled charges.")
    upcoming_bills: bool = Field(description="Whether they are told of recurring charges due within three days.")
    weekly_day: str = Field(description="The day of the weekly summary, `monday` to `sunday`.")
    weekly_time: str = Field(description="Its time of day there, HH:MM.")
    quiet_from: str | None = Field(description="From this local time (HH:MM) messages unasked wait; null: never.")
    quiet_until: str | None = Field(description="Until this one, over midnight when it is earlier; null: never.")
    messages_to: str | None = Field(description="The app they go to; null: the chat that was used last.")

    @classmethod
    def of(cls, kept: preferences.Preferences) -> PreferencesView:
        return cls.model_validate(asdict(kept))


TimeOfDay = Annotated[Text, Field(min_length=4, max_length=5)]


class PreferencesChange(Input):
    """Those to change; one that is left out stays as it is."""

    locale: Annotated[Text, Field(min_length=2, max_length=35)] | None = None
    time_zone: Annotated[Text, Field(min_length=1, max_length=64)] | None = None
    currency: Annotated[Text, Field(min_length=3, max_length=3)] | None = None
    envelopes_since: date | None = None
    auto_apply: bool | None = None
    auto_each_minor: Annotated[int, Field(gt=0, le=MAX_MINOR)] | None = None
    auto_day_minor: Annotated[int, Field(gt=0, le=MAX_MINOR)] | None = None
    weekly_summary: bool | None = None
    budget_alerts: bool | None = None
    unusual_charges: bool | None = None
    upcoming_bills: bool | None = None
    weekly_day: Annotated[Text, Field(max_length=16)] | None = None
    weekly_time: TimeOfDay | None = None
    quiet_from: TimeOfDay | None = None
    quiet_until: TimeOfDay | None = None
    messages_to: Annotated[Text, Field(max_length=32)] | None = None


@router.get("", summary="Get the preferences")
async def get(caller: CallerDep) -> PreferencesView:
    """The user's preferences, or the defaults."""
    async with caller.read() as tx:
        return PreferencesView.of(await preferences.get(tx))


@router.patch("", summary="Change preferences", dependencies=[JSON_BODY], responses=documented(400, 409, 413, 415))
async def change(caller: CallerDep, wanted: PreferencesChange) -> PreferencesView:
    """Changes the preferences that are named, at once; it can be undone like every change. Amounts stay in the currency
    they were entered in."""
    async with caller.transaction() as tx:
        kept = replace(await preferences.get(tx), **_named(wanted))
        return PreferencesView.of(await setup.change_preferences(tx, kept, "http"))


def _named(wanted: PreferencesChange) -> dict[str, Any]:
    """What is to change; null only where a preference can be nothing."""
    named = wanted.model_dump(exclude_unset=True)
    return {name: value for name, value in named.items() if value is not None or name in preferences.MAY_BE_NONE}
