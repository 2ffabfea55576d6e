"""What the user saves for, as data. Goals are set and given up by proposals, made in a session."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from api.caller import CallerDep
from api.shapes import Amount, Output, Page
from domain.clock import today
from ledger import goals, preferences

router = APIRouter(prefix="/v1", tags=["money"])


class GoalView(Output):
    """An amount to have. `saved` is null when the goal is linked to no account or category, and what needs it or the
    due day is then null too: `monthly`, what each month up to the due one has to bring, this one included; `expected`,
    what an even pace would have by today; `on_track`, whether that is there."""

    id: UUID
    name: str
    amount: Amount
    due: date | None
    account: str | None = Field(description="The account whose balance counts.")
    category: str | None = Field(description="The category whose envelope counts.")
    saved: Amount | None
    missing: Amount
    months: int | None = Field(description="Months up to the due one, this one included; 0 when it is over.")
    monthly: Amount | None
    expected: Amount | None
    on_track: bool | None
    done: bool


@router.get("/goals", summary="List goals")
async def list_goals(caller: CallerDep) -> Page[GoalView]:
    """Every goal and how it stands, the earliest due first."""
    async with caller.read() as tx:
        own = await preferences.get(tx)
        found = await goals.progress(tx, today(caller.services.clock, own.time_zone), own.currency)
    return Page(items=[_view(each) for each in found], next=None)


def _view(each: goals.Progress) -> GoalView:
    goal = each.goal
    return GoalView(
        id=goal.id,
        name=goal.name,
        amount=Amount.of(goal.amount),
        due=goal.due,
        account=goal.account,
        category=goal.category,
        saved=Amount.of(each.saved) if each.saved is not None else None,
        missing=Amount.of(each.missing),
        months=each.months,
        monthly=Amount.of(each.monthly) if each.monthly is not None else None,
        expected=Amount.of(each.expected) if each.expected is not None else None,
        on_track=each.on_track,
        done=each.done,
    )
