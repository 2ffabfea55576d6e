"""The journal: what was changed, who approved it, and taking it back."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from api.caller import CallerDep
from api.cursors import decode, encode
from api.shapes import Cursor, Instant, Limit, Output, Page
from ledger import journal

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
    after = decode(cursor, lambda at, id_: (datetime.fromisoformat(at), UUID(id_)))
    async with caller.read() as tx:
        found, place = await journal.list_(tx, limit, after)
    return Page(items=[JournalView(**entry.json()) for entry in found], next=encode(place))
