"""Preferences: how the user is spoken to, and the currency the budget is kept in."""

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

    @classmethod
    def of(cls, kept: preferences.Preferences) -> PreferencesView:
        return cls.model_validate(asdict(kept))


class PreferencesChange(Input):
    """Those to change; one that is left out stays as it is."""

    locale: Annotated[Text, Field(min_length=2, max_length=35)] | None = None
    time_zone: Annotated[Text, Field(min_length=1, max_length=64)] | None = None
    currency: Annotated[Text, Field(min_length=3, max_length=3)] | None = None
    envelopes_since: date | None = None
    auto_apply: bool | None = None
    auto_each_minor: Annotated[int, Field(gt=0, le=MAX_MINOR)] | None = None
    auto_day_minor: Annotated[int, Field(gt=0, le=MAX_MINOR)] | None = None


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
    return {name: value for name, value in named.items() if value is not None or name in _MAY_BE_NULL}


_MAY_BE_NULL = frozenset({"envelopes_since", "auto_each_minor", "auto_day_minor"})
