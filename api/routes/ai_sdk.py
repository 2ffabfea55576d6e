"""The AI SDK's chat: its UI message stream over Penny's runs, for DefaultChatTransport of `ai` v6 and v7."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Response
from pydantic import Field

from api import conversation
from api.caller import JSON_BODY, Caller, CallerDep
from api.negotiation import STREAM
from api.openapi import event_schema
from api.problems import documented
from api.protocols import ai_sdk, ai_sdk_decided
from api.protocols.ai_sdk import Encoder
from api.protocols.ai_sdk_chunks import DONE, HEADERS
from api.protocols.ai_sdk_request import Asked, ChatBody, Decision, asked
from api.shapes import Output
from api.streams import event_stream
from domain.ids import new_id
from memory import messages
from memory.transcript import last_named
from tools import proposals
from tools.catalog import CATALOG

PAGE_TURNS = 200
WIRE = "ai-sdk"

router = APIRouter(prefix="/ai-sdk/chat", tags=["AI SDK"])

ChatId = Annotated[str, Path(description="The client's id of the chat, or the id of a session.")]


class Conversation(Output):
    """A chat as `useChat` takes it: `messages` are UI messages."""

    session_id: UUID
    messages: list[dict[str, Any]] = Field(description="UI messages, oldest first, of the last 200 turns.")


_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The UI message stream, version 1.",
        "headers": {"x-vercel-ai-ui-message-stream": {"schema": {"type": "string", "const": "v1"}}},
        "content": {STREAM: event_schema("`[DONE]` comes last.")},
    }
}


@router.post(
    "",
    summary="Chat",
    dependencies=[JSON_BODY],
    response_class=Response,
    responses=documented(400, 404, 409, 413, 415) | _STREAM,
)
async def chat(caller: CallerDep, body: ChatBody) -> Response:
    """Takes the user's new message, or their answers to tool calls that asked for approval, from the end of `messages`,
    and streams the reply; all else is known here already. An approval applies the proposal that was shown,
    by its hash. A message that is edited (`messageId`) or answered anew (`regenerate-message`) takes its own place, and
    what came after it no longer counts. The run goes on when the client leaves: GET `/ai-sdk/chat/{id}/stream` follows
    it, DELETE stops it."""
    want = asked(body)
    session_id = await conversation.session_named(caller, body.id)
    decided = [(decision, await _decide(caller, decision)) for decision in want.decisions]
    if want.text is None:
        chunks = ai_sdk_decided.whole(want.message_id, decided)
        return event_stream(_told([ai_sdk.frame(chunk) for chunk in chunks]), headers=HEADERS)
    return _stream(caller, await _say(caller, session_id, want, want.text))


@router.get(
    "/{chat_id}/stream",
    summary="Resume a chat's stream",
    response_class=Response,
    responses=documented(404) | _STREAM | {204: {"description": "Nothing is being said in this chat."}},
)
async def resume(caller: CallerDep, chat_id: ChatId) -> Response:
    """The reply that is being made, from its first part on."""
    run_id = await conversation.active_run(caller, await conversation.known_session(caller, chat_id))
    return _stream(caller, run_id) if run_id else Response(status_code=204)


@router.delete("/{chat_id}/stream", status_code=204, summary="Stop a chat's reply", responses=documented(404))
async def stop(caller: CallerDep, chat_id: ChatId) -> None:
    """Stops the reply that is being made; the model's answer is no longer read. Leaving a stream does not."""
    run_id = await conversation.active_run(caller, await conversation.known_session(caller, chat_id))
    if run_id:
        await caller.services.runner.cancel(caller.user, run_id)


@router.get("/{chat_id}", summary="Load a chat", responses=documented(404))
async def load(caller: CallerDep, chat_id: ChatId) -> Conversation:
    """The conversation as UI messages, to start `useChat` with. A reply that is being made is not among them: resume
    its stream."""
    session_id = await conversation.known_session(caller, chat_id)
    async with caller.read() as tx:
        items, _ = await messages.page(tx, session_id, PAGE_TURNS)
    said = [item for item in items if item.get("status") != "open"]
    ids = [UUID(id_) for item in said for id_ in item["proposals"]]
    known = await proposals.get_all(caller.services.db, caller.user, ids)
    return Conversation(session_id=session_id, messages=[ai_sdk_decided.ui_message(item, known) for item in said])


async def _say(caller: Caller, session_id: UUID, want: Asked, text: str) -> UUID:
    """The run that answers. A message that is edited, or answered anew, takes its own place; its id stays the same in
    the client, so the run gets another. An edit that is sent again is the one that was made."""
    before = None
    if want.anew or want.replaces:
        async with caller.read() as tx:
            before = await last_named(tx, session_id, want.message_id, _uuid(want.message_id))
    if before is None:
        return (await conversation.say(caller, session_id, text, client_id=want.message_id)).run_id
    if not want.anew and before.text == text.strip():
        return before.run_id
    accepted = await conversation.say(
        caller,
        session_id,
        before.text if want.anew else text,
        client_id=f"{want.message_id} {new_id()}",
        edit_of=before.message_id,
    )
    return accepted.run_id


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


async def _decide(caller: Caller, decision: Decision) -> conversation.Decided:
    return await conversation.decide(caller, decision.proposal_id, decision.hash, approved=decision.approved, wire=WIRE)


def _stream(caller: Caller, run_id: UUID) -> Response:
    events = conversation.events_of(caller.services.runner.events(caller.user, run_id))
    writers = frozenset(tool.name for tool in CATALOG if tool.writes)
    return event_stream(ai_sdk.frames(events, Encoder(writers)), str(run_id), HEADERS)


async def _told(frames: list[bytes]) -> AsyncGenerator[bytes, None]:
    for frame in frames:
        yield frame
    yield DONE
