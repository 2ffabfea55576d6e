"""The user themselves: what they used, and leaving for good."""

from __future__ import annotations

import datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from api.caller import CallerDep
from api.cursors import decode, encode
from api.shapes import Cursor, Limit, Output, Page
from domain.errors import NotFound
from memory import erase, usage

router = APIRouter(prefix="/v1", tags=["me"])


class UsageView(Output):
    """What the calls of one model took on one day (UTC). `cost_usd` is exact decimal text, without the calls whose
    price is not known, which `unpriced_calls` counts."""

    day: datetime.date
    model: str
    purpose: str = Field(description="reply, or summary: of older turns, made in the background.")
    calls: int
    input_tokens: int = Field(description="Without those read from or written to the provider's cache.")
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    cost_usd: str
    unpriced_calls: int


class TodayView(Output):
    """What counts towards the day's caps: tokens, those read from a cache a tenth, and US dollars."""

    day: datetime.date
    tokens: int
    cost_usd: str


class UsagePage(Page[UsageView]):
    """Usage by day, model and purpose, and today's sum."""

    today: TodayView


@router.get("/usage", summary="Usage and its cost")
async def usage_by_day(caller: CallerDep, limit: Limit = 50, cursor: Cursor = None) -> UsagePage:
    """The user's own usage, the latest day first."""
    before = decode(cursor, lambda day, model, purpose: (datetime.date.fromisoformat(day), str(model), str(purpose)))
    async with caller.read() as tx:
        found, place = await usage.by_day(tx, limit, before)
        day, tokens, usd = await usage.today(tx)
    return UsagePage(
        items=[UsageView(**item) for item in found],
        next=encode(place),
        today=TodayView(day=day, tokens=tokens, cost_usd=f"{usd:f}"),
    )


@router.delete("/me", status_code=204, summary="Erase everything")
async def leave(caller: CallerDep) -> None:
    """Stops running replies and deletes all that there is of the user: ledger, sessions, memory, journal, usage. It
    cannot be undone; whoever comes again with the same token is a new user. Again does no harm."""
    runner, user = caller.services.runner, caller.user

    async def stop(run_id: UUID) -> None:
        try:
            await runner.cancel(user, run_id)
        except NotFound:
            return  # it ended, and its session was deleted, in between

    await erase.erase(caller.services.db, user, stop)
