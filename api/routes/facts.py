"""Facts: what Penny remembers of the user, seen, entered, corrected and deleted by them."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from api.caller import JSON_BODY, CallerDep
from api.problems import documented
from api.shapes import FactId, Input, Instant, Output, Page, Text
from memory import facts
from memory.facts import LONGEST, Kind
from tools import facts as acts

router = APIRouter(prefix="/v1/facts", tags=["facts"])

Words = Annotated[Text, Field(min_length=1, max_length=LONGEST)]


class FactView(Output):
    """Something the user said of themselves. It is in the context of every reply."""

    id: UUID
    kind: Kind
    text: str
    message_id: UUID | None = Field(description="The user's message it was said in; null when entered by hand.")
    created_at: Instant

    @classmethod
    def of(cls, fact: facts.Fact) -> FactView:
        return cls(
            id=fact.id,
            kind=fact.kind,
            text=fact.text,
            message_id=fact.message_id,
            created_at=fact.created_at.isoformat(),
        )


class NewFact(Input):
    """What to remember. What accounts hold, numbers of cards and passwords are refused."""

    text: Words
    kind: Kind = "other"


class FactChange(Input):
    """What to correct; what is left out stays as it is."""

    text: Words | None = None
    kind: Kind | None = None


@router.get("", summary="List facts")
async def index(caller: CallerDep) -> Page[FactView]:
    """All that Penny remembers, the oldest first."""
    async with caller.read() as tx:
        found = await facts.list_(tx)
    return Page(items=[FactView.of(fact) for fact in found], next=None)


@router.post(
    "", status_code=201, summary="Remember", dependencies=[JSON_BODY], responses=documented(400, 409, 413, 415)
)
async def create(caller: CallerDep, wanted: NewFact) -> FactView:
    """Remembers it at once; it can be undone like every change. The same words again are the same fact."""
    async with caller.transaction() as tx:
        return FactView.of(await acts.add(tx, wanted.kind, wanted.text, "http"))


@router.patch(
    "/{fact_id}", summary="Correct a fact", dependencies=[JSON_BODY], responses=documented(400, 404, 413, 415)
)
async def change(caller: CallerDep, fact_id: FactId, wanted: FactChange) -> FactView:
    """Changes it at once; it can be undone like every change."""
    async with caller.transaction() as tx:
        return FactView.of(await acts.correct(tx, fact_id, wanted.kind, wanted.text, "http"))


@router.delete("/{fact_id}", status_code=204, summary="Forget a fact", responses=documented(404))
async def delete(caller: CallerDep, fact_id: FactId) -> None:
    """Forgets it at once. The journal keeps that it was there, so that it can be undone; DELETE /v1/me deletes that
    too."""
    async with caller.transaction() as tx:
        await acts.drop(tx, fact_id, "http")
