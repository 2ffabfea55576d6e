"""The journal: what was changed, who approved it, and taking it back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from api.caller import CallerDep
from api.cursors import decode, encode, instant
from api.problems import documented
from api.routes.proposals import AppliedView, ProposalView
from api.shapes import Cursor, Instant, JournalId, Limit, Output, Page
from ledger import journal
from tools import proposals

router = APIRouter(prefix="/v1/journal", tags=["journal"])


class CauseView(Output):
    """What the user had said."""

    id: UUID
    text: str | None


class JournalView(Output):
    """A change that was applied."""

    id: UUID
    who: UUID
    at: Instant
    kind: str
    text: str
    message: CauseView | None = Field(description="The user's message it came from, when it came from one.")
    prompt_version: str
    approval: str = Field(description="How the user agreed: http, cli.")
    changes: list[dict[str, Any]] = Field(description="The rows: `{table, key, before, after}`.")
    proposal_id: UUID | None
    session_id: UUID | None
    run_id: UUID | None
    undoes: UUID | None
    undone_by: UUID | None


@router.get("", summary="List changes")
async def index(caller: CallerDep, limit: Limit = 50, cursor: Cursor = None) -> Page[JournalView]:
    """What was changed, newest first."""
    after = decode(cursor, lambda at, id_: (instant(at), UUID(id_)))
    async with caller.read() as tx:
        found, place = await journal.list_(tx, limit, after)
    return Page(items=[JournalView(**entry.json()) for entry in found], next=encode(place))


@router.post("/{journal_id}/undo", summary="Undo a change", responses=documented(404, 409))
async def undo(caller: CallerDep, journal_id: JournalId) -> AppliedView:
    """Takes the change back at once, if everything it changed is still as it left it; the undoing is a change of its
    own and can be undone. A change that was undone before, or that a later one stands on, is 409."""
    undone = await proposals.undo_now(caller.services.db, caller.user, journal_id, approval="http")
    return AppliedView(journal_id=undone.journal_id, proposal=ProposalView(**undone.proposal))
