"""Preferences: how the user is spoken to, and the currency the budget is kept in."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from api.caller import JSON_BODY, CallerDep
from api.problems import documented
from api.shapes import Input, Output, Text
from ledger import preferences

router = APIRouter(prefix="/v1/preferences", tags=["preferences"])


class PreferencesView(Output):
    """`locale` is a BCP 47 tag (en-US), `time_zone` an IANA name (Europe/Berlin), `currency` an ISO 4217 code (EUR)."""

    locale: str
    time_zone: str
    currency: str

    @classmethod
    def of(cls, kept: preferences.Preferences) -> PreferencesView:
        return cls(locale=kept.locale, time_zone=kept.time_zone, currency=kept.currency)


class PreferencesChange(Input):
    """Those to change; one that is left out stays as it is."""

    locale: Annotated[Text, Field(min_length=2, max_length=35)] | None = None
    time_zone: Annotated[Text, Field(min_length=1, max_length=64)] | None = None
    currency: Annotated[Text, Field(min_length=3, max_length=3)] | None = None


@router.get("", summary="Get the preferences")
async def get(caller: CallerDep) -> PreferencesView:
    """The user's preferences, or the defaults."""
    async with caller.read() as tx:
        return PreferencesView.of(await preferences.get(tx))


@router.patch("", summary="Change preferences", dependencies=[JSON_BODY], responses=documented(400, 413, 415))
async def change(caller: CallerDep, wanted: PreferencesChange) -> PreferencesView:
    """Changes the preferences that are named. Amounts stay in the currency they were entered in."""
    async with caller.transaction() as tx:
        kept = replace(await preferences.get(tx), **wanted.model_dump(exclude_none=True))
        return PreferencesView.of(await preferences.put(tx, kept))
