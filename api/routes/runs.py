"""Runs: the making of a reply, followed and stopped."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Header, Query, Response
from pydantic import Field

from api.caller import CallerDep
from api.negotiation import STREAM
from api.openapi import EVENTS, event_stream_content
from api.problems import documented
from api.protocols import native
from api.shapes import Instant, Output, RunId
from api.streams import event_stream
from memory import events as run_events
from memory import runs

LAST_SEQ = 2**31 - 1

router = APIRouter(prefix="/v1/runs/{run_id}", tags=["runs"])

Seq = Annotated[int | None, Query(ge=0, le=LAST_SEQ, description="Leave out the events up to this one.")]


class RunView(Output):
    """A run: how one reply was, or is being, made."""

    id: UUID
    session_id: UUID
    message_id: UUID = Field(description="The reply's.")
    status: Literal["queued", "running", "finished", "failed", "cancelled"]
    model: str
    prompt_version: str
    usage: dict[str, int] = Field(description="Tokens, as the provider counts them.")
    cost: Any = Field(description="US dollars, or null when the price is not known.")
    created_at: Instant
    finished_at: Instant | None
    error: dict[str, Any] | None = Field(None, description="Of a failed run: `{code, message, retryable}`.")


class CancelRequested(Output):
    """The run will stop; its events end with run.cancelled, or otherwise when it was quicker."""

    run_id: UUID


@router.get("", summary="Get a run", responses=documented(404))
async def get(caller: CallerDep, run_id: RunId) -> RunView:
    """How the run stands."""
    async with caller.read() as tx:
        return RunView(**await runs.get(tx, run_id))


@router.get(
    "/events",
    summary="Follow a run",
    response_class=Response,
    responses=documented(404, 410)
    | {200: {"description": "The run's events, as they happen.", "content": {STREAM: event_stream_content()}}},
    description=f"""The run's events from its start, or after the one named by `Last-Event-ID` (which counts more than
`after`); the events of a run that is over are served from the log, as long
as they are kept: 410 afterwards. The stream ends after the terminal event. A stream
that ends without one is to be asked for again with the last id.

{EVENTS}""",
)
async def events(
    caller: CallerDep,
    run_id: RunId,
    after: Seq = None,
    last_event_id: Annotated[int | None, Header(ge=0, le=LAST_SEQ, description="The last event seen.")] = None,
) -> Response:
    async with caller.read() as tx:
        await run_events.day_of(tx, run_id)
    start = last_event_id if last_event_id is not None else after or 0
    return event_stream(native.frames(caller.services.runner.events(caller.user, run_id, start)), str(run_id))


@router.post("/cancel", status_code=202, summary="Stop a run", responses=documented(404))
async def cancel(caller: CallerDep, run_id: RunId) -> CancelRequested:
    """Asks the run to stop, on whatever server it is; the model's answer is no longer read. Again does no harm."""
    await caller.services.runner.cancel(caller.user, run_id)
    return CancelRequested(run_id=run_id)


class Retried(Output):
    """The run that makes the reply again; GET /v1/runs/{run_id}/events follows it."""

    run_id: UUID


@router.post("/retry", status_code=202, summary="Try a run again", responses=documented(404, 409, 503))
async def retry(caller: CallerDep, run_id: RunId) -> Retried:
    """Says the message of a failed or cancelled run again; asked again, it is the same run. It takes the place of the
    first one when nothing was said since."""
    return Retried(run_id=(await caller.services.runner.retry(caller.user, run_id)).run_id)
