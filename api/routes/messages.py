"""Messages: what was said in a session, and saying something, which starts a run."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import Field

from api.caller import JSON_BODY, CallerDep
from api.connected import while_connected
from api.cursors import decode, encode, whole
from api.negotiation import JSON, STREAM, preferred, prefers_async
from api.openapi import EVENTS, event_stream_content
from api.problems import RETRY_AFTER_SECONDS, documented, problem
from api.protocols import native
from api.reply import RunEnded, collect
from api.routes.proposals import ProposalView
from api.shapes import Cursor, Input, Instant, Limit, Output, Page, SessionId, Text
from api.streams import event_stream
from memory import messages, sessions
from memory.acceptance import IfRunning

LAST_TURN = 2**31 - 1

router = APIRouter(prefix="/v1/sessions/{session_id}/messages", tags=["messages"])


class NewMessage(Input):
    """What the user says."""

    text: Annotated[
        Text, Field(min_length=1, description="At most 8,000 characters, unless the server is set otherwise.")
    ]
    client_id: Annotated[Text, Field(min_length=1, max_length=128)] | None = Field(
        None, description="A name the client gives this message, so that sending it again makes no second run."
    )
    if_running: IfRunning = Field(
        "enqueue", description="While a reply is being made in this session: wait for it, refuse with 409, or stop it."
    )
    edit_of: UUID | None = Field(
        None,
        description="An earlier message of the user in this session that this one takes the place of. What was said "
        "from that one on is superseded: it stays in the log, and what was proposed in it and not decided is closed.",
    )


class MessageView(Output):
    """One thing said in a session, by the user or by Penny, or a decision on a proposal. `seq` rises."""

    id: UUID
    seq: int
    role: str = Field(description="user, assistant or decision.")
    text: str
    created_at: Instant | None
    run_id: UUID | None
    tools: list[dict[str, Any]] = Field(
        description="The tools the reply used: `{call_id, name, label, ok, summary, facts}`."
    )
    proposals: list[Any] = Field(description="The proposals made for it.")
    figures: list[dict[str, Any]] = Field(
        description="The figures in the text: `{start, end, text, fact_id?, derived_from?, verified}`."
    )
    status: str | None = Field(
        None, description="Of a reply: finished, failed, cancelled or open; of a decision: what became of the proposal."
    )
    notice: str | None = Field(
        None,
        description="Of a message that Penny sent unasked: weekly, budget, unusual or bills. Its one tool holds the "
        "facts that it stands on; no run made it.",
    )
    edit_of: UUID | None = Field(None, description="The message whose place this one took.")
    superseded_by: UUID | None = Field(None, description="The edited message that took the place of this one.")


class ReplyView(Output):
    """The reply of a run that is done."""

    run_id: UUID
    reply: str
    figures: list[dict[str, Any]]
    proposals: list[ProposalView]
    usage: dict[str, Any] = Field(description="Tokens, as the usage event has them; empty when the model counted none.")


class RunAccepted(Output):
    """The run that will answer; GET /v1/runs/{run_id}/events follows it."""

    run_id: UUID


@router.get("", summary="Read a session", responses=documented(404))
async def index(
    caller: CallerDep,
    session_id: SessionId,
    limit: Limit = 50,
    cursor: Cursor = None,
    superseded: Annotated[bool, Query(description="With what edited messages took the place of.")] = False,
) -> Page[MessageView]:
    """The latest `limit` turns (a message with what answers it), oldest first; `next` leads to earlier ones. What an
    edited message took the place of is left out, unless it is asked for; decisions always stand."""
    before = decode(cursor, lambda turn: whole(turn, LAST_TURN))
    async with caller.read() as tx:
        await sessions.get(tx, session_id)
        found, place = await messages.page(tx, session_id, limit, before, superseded=superseded)
    return Page(items=[MessageView(**item) for item in found], next=encode(None if place is None else (place,)))


@router.post(
    "",
    summary="Say something",
    dependencies=[JSON_BODY],
    response_model=ReplyView,
    responses=documented(400, 404, 406, 409, 413, 415)
    | {
        200: {
            "description": "The reply when it is done, or, for `Accept: text/event-stream`, the run as it happens.",
            "headers": {"Penny-Run-Id": {"schema": {"type": "string", "format": "uuid"}}},
            "content": {STREAM: event_stream_content()},
        },
        202: {
            "model": RunAccepted,
            "description": "For `Prefer: respond-async`: the run, which goes on by itself.",
            "headers": {"Penny-Run-Id": {"schema": {"type": "string", "format": "uuid"}}},
        },
    },
    description=f"""Stores the message and starts its run, which goes on to its end whether or not the client stays.

`Accept: {STREAM}` streams the run's events; `Accept: {JSON}` waits for the reply; `Prefer: respond-async` answers 202
at once. Every answer names the run in the header `Penny-Run-Id`. The same `client_id` again gives the same run (with
another text: 409). With `edit_of` the message takes the place of an earlier one; a reply to what it replaces is
stopped. A run that fails while the client waits is a problem with the run's code, one cancelled is 409.

{EVENTS}""",
)
async def say(
    request: Request,
    caller: CallerDep,
    session_id: SessionId,
    message: NewMessage,
    accept: Annotated[str | None, Header(include_in_schema=False)] = None,
    prefer: Annotated[str | None, Header(description="`respond-async` for 202 at once.")] = None,
) -> Response:
    at_once = prefers_async(prefer)
    wanted = "json" if at_once else preferred(accept)
    runner = caller.services.runner
    accepted = await runner.submit(
        caller.user,
        session_id,
        message.text,
        client_id=message.client_id,
        if_running=message.if_running,
        edit_of=message.edit_of,
    )
    run_id = accepted.run_id
    headers = {"Penny-Run-Id": str(run_id)}
    if at_once:
        body = RunAccepted(run_id=run_id).model_dump_json()
        headers |= {"Preference-Applied": "respond-async", "Location": f"/v1/runs/{run_id}"}
        return Response(body, 202, headers, JSON)
    events = runner.events(caller.user, run_id)
    if wanted == "stream":
        return event_stream(native.frames(events), str(run_id))
    try:
        reply = await while_connected(request, collect(events))
    except RunEnded as error:
        if error.status == 503:
            headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
        return problem(
            request.state.request_id,
            error.status,
            error.code,
            error.message,
            headers,
            run_id=str(run_id),
            retryable=error.retryable,
        )
    if reply is None:  # nobody is there to read it
        return Response(status_code=204)
    view = ReplyView(
        run_id=run_id,
        reply=reply.text,
        figures=reply.figures,
        proposals=[ProposalView(**made) for made in reply.proposals],
        usage=reply.usage,
    )
    return Response(view.model_dump_json(), 200, headers, JSON)
