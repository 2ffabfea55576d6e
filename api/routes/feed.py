"""The feed of a session: what happens in it, on whatever channel."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Header, Query, Response
from pydantic import Field

from api.caller import CallerDep
from api.negotiation import STREAM
from api.openapi import event_schema
from api.problems import documented
from api.protocols import native
from api.shapes import Instant, Output, SessionId
from api.streams import event_stream
from memory import sessions

LAST_SEQ = 2**31 - 1

router = APIRouter(prefix="/v1/sessions/{session_id}", tags=["sessions"])


class FeedMessage(Output):
    """`message.added`: a message of the user, the whole of a reply's closing message, a decision on a proposal, or what
    Penny sent unasked."""

    message_id: UUID
    role: Literal["user", "assistant", "decision"]
    text: str
    run_id: UUID | None
    edit_of: UUID | None = Field(
        None, description="The message whose place it takes; what was said from that one on is superseded."
    )
    notice: Literal["weekly", "budget", "unusual", "bills"] | None = Field(
        None, description="Of a message that Penny sent unasked: what it tells of. No run made it."
    )
    at: Instant


class FeedRun(Output):
    """`run.started`, and `run.ended` with how; `message_id` is the reply's. The run's own events tell the rest."""

    run_id: UUID
    status: Literal["running", "finished", "failed", "cancelled"]
    message_id: UUID
    at: Instant


class FeedProposal(Output):
    """`proposal.made`, and `proposal.decided` with what became of it."""

    proposal_id: UUID
    status: Literal["pending", "applied", "rejected", "expired", "superseded"]
    text: str = Field(description="What would change, in a sentence.")
    run_id: UUID | None
    at: Instant


KINDS: dict[str, type[Output]] = {
    "message.added": FeedMessage,
    "run.started": FeedRun,
    "run.ended": FeedRun,
    "proposal.made": FeedProposal,
    "proposal.decided": FeedProposal,
}


@router.get(
    "/events",
    summary="Follow a session",
    response_class=Response,
    responses=documented(404)
    | {
        200: {
            "description": "What happened in the session, and what happens.",
            "content": {
                STREAM: {
                    **event_schema(),
                    "x-events": {name: kind.model_json_schema() for name, kind in KINDS.items()},
                }
            },
        }
    },
)
async def events(
    caller: CallerDep,
    session_id: SessionId,
    after: Annotated[int | None, Query(ge=0, le=LAST_SEQ, description="Leave out the events up to this one.")] = None,
    last_event_id: Annotated[int | None, Header(ge=0, le=LAST_SEQ, description="The last event seen.")] = None,
) -> Response:
    """New messages, runs started and ended, proposals made and decided, on whatever channel and server: all that
    happened from the session's start, or after the event named by `Last-Event-ID` (which counts more than `after`), and
    then what happens. `id` rises by one from 1; what one transaction did comes together. The stream does not end by
    itself: one that does is to be asked for again with the last id. Clients ignore types that they do not know."""
    async with caller.read() as tx:
        await sessions.get(tx, session_id)
    start = last_event_id if last_event_id is not None else after or 0
    return event_stream(native.frames(caller.services.runner.feed(caller.user, session_id, start)))
