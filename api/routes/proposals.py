"""Proposals: changes that wait for the user's decision, which only the user makes."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from api.caller import JSON_BODY, CallerDep
from api.cursors import decode, encode
from api.problems import documented
from api.shapes import Cursor, Input, Instant, Limit, Output, Page, ProposalId, Text
from tools import proposals

router = APIRouter(prefix="/v1/proposals", tags=["proposals"])

Status = Literal["pending", "applied", "rejected", "expired", "superseded"]


class DiffLine(Output):
    """One value that changes; `before` is null for something new, `after` for something that goes."""

    what: str
    field: str
    before: Any
    after: Any


class UnsaidView(Output):
    """A payee, an amount or a text that is not in the user's own words: it comes from records, files or the model."""

    field: str
    value: str


class ProposalView(Output):
    """A change, exactly as it would be applied. `hash` names it: a decision is on this and nothing else."""

    id: UUID
    kind: str
    status: Status
    hash: str
    diff: list[DiffLine]
    text: str = Field(description="The change in one sentence.")
    unsaid: list[UnsaidView] = Field(default_factory=list, description="What of it the user did not say themselves.")
    notice: str | None = Field(None, description="The same as a sentence, to be shown beside the difference.")
    created_at: Instant
    expires_at: Instant
    session_id: UUID | None
    run_id: UUID | None
    journal_id: UUID | None = Field(None, description="Once applied: the change in the journal.")
    superseded_by: UUID | None = Field(None, description="The newer proposal that took its place.")


class Confirmation(Input):
    """The user's yes."""

    hash: Annotated[Text, Field(max_length=128, description="The proposal's hash, as it was shown to the user.")]
    follow_up: bool = Field(
        False,
        alias="continue",
        description="Asks for a short reply to the decision; `run_id` in the answer names its run.",
    )


class AppliedView(Output):
    """The change was made; its journal entry can be undone."""

    status: Literal["applied"] = "applied"
    journal_id: UUID
    proposal: ProposalView
    run_id: UUID | None = Field(
        None, description="With `continue`: the run that answers the decision; GET /v1/runs/{run_id}/events follows it."
    )


@router.get("", summary="List proposals")
async def index(
    caller: CallerDep,
    status: Annotated[Status | None, Query(description="Only those with this status.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[ProposalView]:
    """The user's proposals, newest first."""
    before = decode(cursor, lambda id_: str(UUID(id_)))
    found, place = await proposals.list_proposals(caller.services.db, caller.user, status, limit, before)
    return Page(items=[ProposalView(**item) for item in found], next=encode((place,) if place else None))


@router.get("/{proposal_id}", summary="Get a proposal", responses=documented(404))
async def get(caller: CallerDep, proposal_id: ProposalId) -> ProposalView:
    """One proposal, with its hash and its diff."""
    return ProposalView(**await proposals.get(caller.services.db, caller.user, proposal_id))


@router.post(
    "/{proposal_id}/confirm",
    summary="Apply a proposal",
    dependencies=[JSON_BODY],
    responses=documented(400, 404, 409, 413, 415),
)
async def confirm(caller: CallerDep, proposal_id: ProposalId, yes: Confirmation) -> AppliedView:
    """Makes the change, once; asked again, the answer is the same. With `continue`, a short run answers the decision,
    started with it and once too; asking for it only later starts none. When the data has changed since, nothing is
    written and the 409 carries a new `proposal` to decide on."""
    confirmed = await caller.services.runner.confirm(
        caller.user, proposal_id, yes.hash, approval="http", follow_up=yes.follow_up
    )
    applied = confirmed.applied
    return AppliedView(
        journal_id=applied.journal_id, proposal=ProposalView(**applied.proposal), run_id=confirmed.run_id
    )


@router.post("/{proposal_id}/reject", summary="Reject a proposal", responses=documented(404, 409))
async def reject(caller: CallerDep, proposal_id: ProposalId) -> ProposalView:
    """Decides against the change; asked again, the answer is the same."""
    return ProposalView(**await proposals.reject(caller.services.db, caller.user, proposal_id))
