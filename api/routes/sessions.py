"""Sessions: a user's conversations."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from api.caller import JSON_BODY, CallerDep
from api.cursors import decode, encode, instant
from api.problems import documented
from api.shapes import Cursor, Input, Limit, Output, Page, SessionId, Text
from memory import sessions

router = APIRouter(prefix="/v1/sessions", tags=["sessions"])

Title = Annotated[Text, Field(max_length=sessions.TITLE_LENGTH)]


class NewSession(Input):
    """A session to make; without a title it gets one from its first message."""

    title: Title = ""


class Renaming(Input):
    """Another title."""

    title: Title


class SessionView(Output):
    """A session."""

    id: UUID
    title: str
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, session: sessions.Session) -> SessionView:
        return cls(id=session.id, title=session.title, created_at=session.created_at, updated_at=session.updated_at)


@router.post(
    "", status_code=201, summary="Start a session", dependencies=[JSON_BODY], responses=documented(400, 413, 415)
)
async def create(caller: CallerDep, new: NewSession | None = None) -> SessionView:
    """Makes an empty session. The body may be left out."""
    async with caller.transaction() as tx:
        return SessionView.of(await sessions.create(tx, new.title if new else ""))


@router.get("", summary="List sessions")
async def index(caller: CallerDep, limit: Limit = 50, cursor: Cursor = None) -> Page[SessionView]:
    """The user's sessions, the most recently used first."""
    before = decode(cursor, lambda at, id_: (instant(at), UUID(id_)))
    async with caller.read() as tx:
        found, place = await sessions.list_(tx, limit, before)
    return Page(items=[SessionView.of(session) for session in found], next=encode(place))


@router.get("/{session_id}", summary="Get a session", responses=documented(404))
async def get(caller: CallerDep, session_id: SessionId) -> SessionView:
    """One session of the user."""
    async with caller.read() as tx:
        return SessionView.of(await sessions.get(tx, session_id))


@router.patch(
    "/{session_id}", summary="Rename a session", dependencies=[JSON_BODY], responses=documented(400, 404, 413, 415)
)
async def rename(caller: CallerDep, session_id: SessionId, change: Renaming) -> SessionView:
    """Gives the session another title."""
    async with caller.transaction() as tx:
        return SessionView.of(await sessions.rename(tx, session_id, change.title))


@router.delete("/{session_id}", status_code=204, summary="Delete a session", responses=documented(404))
async def delete(caller: CallerDep, session_id: SessionId) -> None:
    """Deletes the session, its messages and its undecided proposals. Changes that were applied stay in the journal."""
    async with caller.transaction() as tx:
        await sessions.delete(tx, session_id)
