"""OpenAI's chat completions and responses over Penny's runs, for clients that know nothing of Penny."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from uuid import UUID

import orjson
from fastapi import APIRouter, Header, Request, Response
from pydantic import Field

from agent.events import Event, RunFailed
from api import conversation
from api.caller import JSON_BODY, Caller, CallerDep
from api.connected import while_connected
from api.negotiation import JSON, STREAM
from api.openapi import event_schema
from api.problems import documented_openai, problem
from api.protocols import openai_chat, openai_responses
from api.protocols.openai_chat import Completion
from api.protocols.openai_outcome import Outcome
from api.protocols.openai_request import MODEL, CompletionBody, Place, ResponseBody, place_of
from api.protocols.openai_responses import Reply
from api.shapes import Output
from api.streams import event_stream
from domain.ids import new_id
from memory import runs, sessions

NOT_AGAIN = {"x-should-retry": "false"}
"""OpenAI's clients repeat a request that failed; a message that was stored must not be said twice."""

router = APIRouter(prefix="/openai/v1", tags=["OpenAI"])

SessionName = Annotated[
    str | None,
    Header(alias="Penny-Session-Id", description="The conversation, by a name of the client's or a session's id."),
]
Key = Annotated[
    str | None, Header(alias="Idempotency-Key", max_length=128, description="The same key again: the same run.")
]


class CompletionView(Output):
    """A chat completion. `penny` has what OpenAI's shape has no place for."""

    id: str
    object: Literal["chat.completion"]
    created: int
    model: str
    choices: list[dict[str, Any]]
    usage: dict[str, Any]
    penny: dict[str, Any] = Field(description="`{run_id, session_id, proposals, figures, charts}`.")


class ResponseView(Output):
    """A response. `penny` has what OpenAI's shape has no place for."""

    id: str
    object: Literal["response"]
    created_at: int
    status: str
    model: str
    output: list[dict[str, Any]]
    usage: dict[str, Any]
    conversation: dict[str, Any]
    penny: dict[str, Any] = Field(description="`{run_id, session_id, proposals, figures, charts}`.")


class ModelCard(Output):
    """A model."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str = "penny"


class Models(Output):
    """The models."""

    object: Literal["list"] = "list"
    data: list[ModelCard]


@dataclass(frozen=True, slots=True)
class _Said:
    run_id: UUID
    session_id: UUID
    created: int

    @property
    def headers(self) -> dict[str, str]:
        return {"Penny-Run-Id": str(self.run_id), "Penny-Session-Id": str(self.session_id)}


def _answer(model: type[Output], streamed: str) -> dict[int | str, dict[str, Any]]:
    content = {STREAM: event_schema()}
    return {200: {"model": model, "description": f"The reply, or, with `stream`, {streamed}.", "content": content}}


@router.get("/models", summary="List models")
async def models(caller: CallerDep) -> Models:
    """There is one: Penny."""
    return Models(data=[ModelCard(id=MODEL, created=int(caller.services.clock.now().timestamp()))])


@router.post(
    "/chat/completions",
    summary="Complete a chat",
    dependencies=[JSON_BODY],
    response_model=CompletionView,
    responses=documented_openai(404, 409, 413, 415) | _answer(CompletionView, "its chunks, `[DONE]` last"),
)
async def complete(
    request: Request, caller: CallerDep, body: CompletionBody, session: SessionName = None, key: Key = None
) -> Response:
    """Answers the last of `messages`, which is the user's. The conversation is kept here: it is named by the header
    `Penny-Session-Id`, `metadata.session_id` or `user`; without a name each request starts one. Changes are proposals
    in `penny.proposals`, applied by POST `/v1/proposals/{id}/confirm`. Sampling settings and system messages have no
    effect; tools of the client, formats and several choices are refused."""
    said = await _say(caller, body.text(), place_of(body, session, key), key)
    usage = bool(body.stream_options and body.stream_options.include_usage)
    completion = Completion(str(said.run_id), str(said.session_id), said.created, usage)
    if body.stream:
        return event_stream(openai_chat.frames(_events(caller, said), completion), headers=said.headers)
    return await _whole(request, caller, said, completion)


@router.post(
    "/responses",
    summary="Make a response",
    dependencies=[JSON_BODY],
    response_model=ResponseView,
    responses=documented_openai(404, 409, 413, 415) | _answer(ResponseView, "its typed events"),
)
async def respond(
    request: Request, caller: CallerDep, body: ResponseBody, session: SessionName = None, key: Key = None
) -> Response:
    """Answers the last user message of `input`. The conversation is kept here: it is named by the header
    `Penny-Session-Id`, `metadata.session_id`, `conversation`, `previous_response_id` or `user`; without a name each
    request starts one. Changes are proposals in `penny.proposals`, applied by POST `/v1/proposals/{id}/confirm`."""
    said = await _say(caller, body.text(), place_of(body, session, key), key)
    metadata = body.metadata or {}
    reply = Reply(str(said.run_id), str(said.session_id), said.created, metadata, body.previous_response_id)
    if body.stream:
        return event_stream(openai_responses.frames(_events(caller, said), reply), headers=said.headers)
    return await _whole(request, caller, said, reply)


async def _say(caller: Caller, text: str, place: Place, key: str | None) -> _Said:
    if place.run_id is not None:
        async with caller.read() as tx:
            session_id = UUID((await runs.get(tx, place.run_id))["session_id"])
    elif place.name is not None:
        session_id = await conversation.session_named(caller, place.name)
    else:
        session_id = new_id()
        async with caller.transaction() as tx:
            await sessions.ensure(tx, session_id)
    accepted = await conversation.say(caller, session_id, text, client_id=key)
    return _Said(accepted.run_id, session_id, int(caller.services.clock.now().timestamp()))


def _events(caller: Caller, said: _Said) -> AsyncGenerator[Event, None]:
    return conversation.events_of(caller.services.runner.events(caller.user, said.run_id))


async def _whole(request: Request, caller: Caller, said: _Said, answer: Completion | Reply) -> Response:
    outcome = await while_connected(request, _read(_events(caller, said), answer.outcome))
    if outcome is None:  # nobody is there to read it
        return Response(status_code=204)
    if failure := outcome.failure:
        status = 503 if isinstance(outcome.end, RunFailed) and outcome.end.retryable else 500
        if not isinstance(outcome.end, RunFailed):
            status = 409
        path = request.url.path
        return problem(request.state.request_id, status, *failure, said.headers | NOT_AGAIN, path=path)
    return Response(orjson.dumps(answer.whole()), 200, said.headers, JSON)


async def _read(events: AsyncGenerator[Event, None], outcome: Outcome) -> Outcome:
    async with aclosing(events):
        async for event in events:
            outcome.add(event)
    return outcome
