"""AG-UI: one POST for the user's message, their decisions, and a look at the conversation."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Annotated, Any
from uuid import UUID

from ag_ui.core import (
    ActivityMessage,
    BaseEvent,
    Message,
    MessagesSnapshotEvent,
    RunAgentInput,
    StateSnapshotEvent,
    TextMessageContentEvent,
    TextMessageEndEvent,
    TextMessageStartEvent,
)
from fastapi import APIRouter, Header, Response

from api import conversation
from api.caller import JSON_BODY, Caller, CallerDep
from api.conversation import Decided
from api.negotiation import STREAM, accepts
from api.openapi import event_schema
from api.problems import NotAcceptable, documented_ag_ui
from api.protocols import ag_ui, ag_ui_events, ag_ui_names
from api.protocols.ag_ui import Encoder
from api.protocols.ag_ui_history import PROPOSAL, activity, calls_in, interrupt, messages_of, proposals_in
from api.protocols.ag_ui_request import Asked, Decision, as_uuid, asked
from api.streams import event_stream
from domain.errors import NotFound
from memory.transcript import Said, named, transcript
from tools import proposals

HISTORY_TURNS = 200
WIRE = "ag-ui"

router = APIRouter(prefix="/ag-ui", tags=["AG-UI"])

_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "AG-UI events; header `Penny-Run-Id` names the run when there is one.",
        "content": {STREAM: event_schema("Each an AG-UI event.")},
    }
}


@router.post(
    "",
    summary="Run the agent (AG-UI)",
    dependencies=[JSON_BODY],
    response_class=Response,
    responses=documented_ag_ui(404, 406, 409) | _STREAM,
)
async def run(
    caller: CallerDep,
    given: RunAgentInput,
    accept: Annotated[str | None, Header(include_in_schema=False)] = None,
) -> Response:
    """Takes the user's message from the end of `messages` and their answers from `resume`, and streams the reply. An
    input with neither, or whose message is known, shows the conversation and follows the reply that is being made. An
    answer `{approved: true}` applies the proposal that was shown, by its hash. The run goes on when the client leaves;
    POST /v1/runs/{id}/cancel stops it."""
    if not accepts(accept, STREAM):
        raise NotAcceptable(f"This route answers with {STREAM}; accept it.")
    want = asked(given)
    session_id = await conversation.session_named(caller, given.thread_id)
    decided = [await _decide(caller, decision) for decision in want.decisions]
    run_id = await _say(caller, session_id, want)
    if run_id is None and not decided:
        return await _look(caller, session_id, given)
    encoder = Encoder(given.thread_id, given.run_id, about={"ignored": list(want.ignored)} if want.ignored else {})
    before = _told(encoder, session_id, decided) if decided else []
    if run_id is None:
        before.append(ag_ui_events.finished(given.thread_id, given.run_id, encoder.pending))
        return event_stream(_sent(before))
    held = {message.id for message in given.messages}

    async def history() -> list[Message]:
        return _of_those(await _messages(caller, session_id, run_id), held | {want.message_id})

    return _stream(caller, run_id, encoder, history, before)


async def _decide(caller: Caller, decision: Decision) -> Decided:
    return await conversation.decide(caller, decision.proposal_id, decision.hash, approved=decision.approved, wire=WIRE)


async def _say(caller: Caller, session_id: UUID, want: Asked) -> UUID | None:
    """The run that answers the user's message, or None when there is none, or one that is known."""
    if want.text is None:
        return None
    edit_of = None
    if stored := as_uuid(want.message_id):
        async with caller.read() as tx:
            if await named(tx, session_id, "", stored):
                return None
    if want.edit_of is not None:
        async with caller.read() as tx:
            edit_of = await named(tx, session_id, want.edit_of, as_uuid(want.edit_of))
        if edit_of is None:
            raise NotFound(f"There is no message {want.edit_of[:64]!r} of the user's in this thread.")
    accepted = await conversation.say(
        caller, session_id, want.text, client_id=want.message_id, if_running=want.if_running, edit_of=edit_of
    )
    return None if accepted.replayed else accepted.run_id


async def _look(caller: Caller, session_id: UUID, given: RunAgentInput) -> Response:
    """The conversation, what waits for the user, and the reply that is being made."""
    run_id = await conversation.active_run(caller, session_id)
    said = await _said(caller, session_id, run_id)
    made = await proposals.get_all(caller.services.db, caller.user, proposals_in(said))
    waiting = [proposal for proposal in made.values() if proposal["status"] == "pending"]
    calls = calls_in(said)
    encoder = Encoder(given.thread_id, given.run_id, started=True, again=True)
    encoder.pending = [interrupt(proposal, calls.get(proposal["id"])) for proposal in waiting]
    about = {"sessionId": str(session_id)} | ({"runId": str(run_id)} if run_id else {})
    before: list[BaseEvent] = [
        ag_ui_events.begun(given.thread_id, given.run_id, about),
        MessagesSnapshotEvent(messages=messages_of(said, made)),
        StateSnapshotEvent(snapshot=ag_ui_events.state(waiting)),
    ]
    if run_id is None:
        before.append(ag_ui_events.finished(given.thread_id, given.run_id, encoder.pending))
        return event_stream(_sent(before))

    async def history() -> list[Message]:
        return await _messages(caller, session_id, run_id)

    return _stream(caller, run_id, encoder, history, before)


async def _said(caller: Caller, session_id: UUID, unanswered: UUID | None) -> list[Said]:
    """The conversation, of the run `unanswered` only what it answers."""
    async with caller.read() as tx:
        said = await transcript(tx, session_id, HISTORY_TURNS)
    return [one for one in said if one.message.pos == 0 or one.message.run_id != unanswered or not unanswered]


async def _messages(caller: Caller, session_id: UUID, unanswered: UUID | None) -> list[Message]:
    said = await _said(caller, session_id, unanswered)
    made = await proposals.get_all(caller.services.db, caller.user, proposals_in(said))
    return messages_of(said, made)


def _of_those(messages: list[Message], held: set[str]) -> list[Message]:
    """Those that the client has already, so that nothing comes in between; an activity goes with what it follows, and
    a decision has the name under which the client was told of it."""
    told = {name.rpartition(".")[0]: name for name in held if name.startswith(ag_ui_names.decision_id(""))}
    out, kept = [], False
    for message in messages:
        name = message.id if message.id in held else told.get(message.id)
        if not isinstance(message, ActivityMessage):
            kept = name is not None
        if kept:
            out.append(message.model_copy(update={"id": name}) if name else message)
    return out


def _told(encoder: Encoder, session_id: UUID, decided: Sequence[Decided]) -> list[BaseEvent]:
    """The beginning of a stream that answers decisions: each in a sentence, and the proposal as it now is. One that
    went stale is asked about again, as the proposal that took its place."""
    encoder.started = True
    fresh = [one.renewed for one in decided if one.renewed is not None]
    encoder.pending = [interrupt(proposal) for proposal in fresh]
    out: list[BaseEvent] = [
        ag_ui_events.begun(encoder.thread_id, encoder.run_id, {"sessionId": str(session_id)} | encoder.about),
        StateSnapshotEvent(snapshot=ag_ui_events.state(fresh)),
    ]
    for one in decided:
        out.append(ag_ui_events.shown(activity(ag_ui_names.proposal_id(one.proposal), PROPOSAL, one.proposal)))
        message_id = f"{ag_ui_names.decision_id(one.proposal['id'])}.{encoder.run_id}"
        sentence = one.error or f"{one.proposal['status'].capitalize()}: {one.proposal['text']}"
        out += [
            TextMessageStartEvent(message_id=message_id, role="assistant"),
            TextMessageContentEvent(message_id=message_id, delta=sentence),
            TextMessageEndEvent(message_id=message_id),
        ]
    out += [ag_ui_events.shown(activity(ag_ui_names.proposal_id(made), PROPOSAL, made)) for made in fresh]
    return out


def _stream(
    caller: Caller, run_id: UUID, encoder: Encoder, history: ag_ui.History, before: Sequence[BaseEvent]
) -> Response:
    events = conversation.events_of(caller.services.runner.events(caller.user, run_id))
    return event_stream(ag_ui.frames(events, encoder, history, before), str(run_id))


async def _sent(events: Sequence[BaseEvent]) -> AsyncGenerator[bytes, None]:
    for event in events:
        yield ag_ui_events.frame(event)
