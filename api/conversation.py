"""What wires of others need of Penny: the session behind a client's own id, saying something in it, deciding.

A client's id of a conversation (a chat, a thread) is a name that counts within its user: the session's id is derived
from user and name, so that the same name of two users is two sessions, whatever they send. A name that is the id of a
session of the user means that session, so that a conversation may go from one wire to another.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import cast
from uuid import UUID, uuid5

import orjson
import structlog

from agent.events import TERMINAL, Event, RunFailed, TextDelta, event_of
from api.caller import Caller
from domain.errors import InvalidInput, NotFound, PennyError
from memory import runs, sessions
from memory.acceptance import IfRunning
from memory.frames import Frame
from memory.runs import Accepted
from tools import proposals
from tools.proposals import ProposalConflict, View

NAME_LENGTH = 255

log = structlog.get_logger(__name__)

INTERRUPTED = RunFailed("run_interrupted", "The connection to the reply broke off; ask for it again.", retryable=True)


def checked_name(name: str, what: str = "id") -> str:
    """`name` if it can be a client's id. Raises InvalidInput."""
    if not name or len(name) > NAME_LENGTH or not name.isprintable():
        raise InvalidInput(f"The {what} must be 1 to {NAME_LENGTH} printable characters.")
    return name


def derived(user: UUID, name: str) -> UUID:
    """The id of the session that `name` means for this user, unless it is a session's id itself."""
    return uuid5(user, f"session {name}")


async def session_named(caller: Caller, name: str) -> UUID:
    """The id of the session that the client calls `name`; it may not exist yet. Raises InvalidInput."""
    own = derived(caller.user, checked_name(name))
    try:
        given = UUID(name)
    except ValueError:
        return own
    async with caller.read() as tx:
        return given if await sessions.exists(tx, given) else own


def no_chat(name: str) -> NotFound:
    """The error for a client's id that names no session of this user."""
    return NotFound(f"There is no conversation {name[:64]!r}.")


async def known_session(caller: Caller, name: str) -> UUID:
    """The session that the client calls `name`. Raises NotFound when this user has none of that name."""
    try:
        session_id = await session_named(caller, name)
    except InvalidInput:
        raise no_chat(name) from None
    async with caller.read() as tx:
        if not await sessions.exists(tx, session_id):
            raise no_chat(name)
    return session_id


async def say(
    caller: Caller,
    session_id: UUID,
    text: str,
    *,
    client_id: str | None = None,
    if_running: IfRunning = "enqueue",
    edit_of: UUID | None = None,
) -> Accepted:
    """Says `text` in the session, which is made when it is not there yet. Raises as Runner.submit does."""
    submit = caller.services.runner.submit
    try:
        return await submit(caller.user, session_id, text, client_id=client_id, if_running=if_running, edit_of=edit_of)
    except NotFound:
        if edit_of is not None:
            raise
        async with caller.transaction() as tx:
            await sessions.ensure(tx, session_id)
    return await submit(caller.user, session_id, text, client_id=client_id, if_running=if_running)


async def active_run(caller: Caller, session_id: UUID) -> UUID | None:
    """The run that is being made, or waits, for the session's last message."""
    async with caller.read() as tx:
        return await runs.active(tx, session_id)


async def events_of(frames: AsyncIterator[Frame]) -> AsyncGenerator[Event, None]:
    """The run's events as values. The last one is always a terminal event: a stream that breaks off ends with a
    RunFailed that says so. Closing this closes `frames`."""
    async with aclosing(cast("AsyncGenerator[Frame, None]", frames)):
        try:
            async for frame in frames:
                data = orjson.loads(frame.data)
                event = TextDelta(data["text"]) if frame.type == TextDelta.type else event_of(frame.type, data)
                yield event
                if isinstance(event, TERMINAL):
                    return
        except PennyError as error:
            log.warning("stream.broke_off", error=error.code)
            yield RunFailed(error.code, error.message, retryable=error.retryable)
            return
    yield INTERRUPTED


@dataclass(frozen=True, slots=True)
class Decided:
    """What became of a proposal by the user's decision: `proposal` as it now is; `renewed` is the one to decide on
    instead when the data had changed; `error` says why it could not be applied."""

    proposal: View
    renewed: View | None = None
    error: str | None = None


async def decide(caller: Caller, proposal_id: UUID, hash_: str, *, approved: bool, wire: str) -> Decided:
    """Applies or rejects a proposal, as its user decided on `wire`. Deciding the same again changes nothing. Raises
    NotFound."""
    db, user = caller.services.db, caller.user
    try:
        if approved:
            return Decided((await proposals.confirm(db, user, proposal_id, hash_, approval=wire)).proposal)
        return Decided(await proposals.reject(db, user, proposal_id))
    except ProposalConflict as conflict:
        now = await proposals.get(db, user, proposal_id)
        other = conflict.details.get("proposal")
        renewed = other if other and other["id"] != now["id"] and other["status"] == "pending" else None
        return Decided(now, renewed, conflict.message)
