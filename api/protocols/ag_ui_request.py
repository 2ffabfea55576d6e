"""What Penny takes from an AG-UI client: the user's new message and decisions. The client's own copy of the history and
of the state, its context and its tools are looked past."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from ag_ui.core import ResumeEntry, RunAgentInput, TextPart, UserMessage

from api.conversation import checked_name
from domain.errors import InvalidInput
from domain.ids import parse_id
from memory.acceptance import IfRunning


@dataclass(frozen=True, slots=True)
class Decision:
    """The user's answer to an interrupt."""

    proposal_id: UUID
    hash: str
    approved: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request wants. `text` is the user's message at the end of the conversation, with the client's
    `message_id`, or None where it ends otherwise: the client wants to see the conversation (again)."""

    text: str | None
    message_id: str
    decisions: tuple[Decision, ...]
    if_running: IfRunning
    edit_of: str | None
    ignored: tuple[Literal["tools", "context"], ...]


def asked(given: RunAgentInput) -> Asked:
    """Reads the end of the conversation and the answers. Raises InvalidInput for what Penny cannot take, NotFound for
    an interrupt's id that can be none."""
    checked_name(given.run_id, "runId")
    last = given.messages[-1] if given.messages else None
    text, message_id = None, ""
    if isinstance(last, UserMessage):
        text, message_id = _text(last), checked_name(last.id, "id of the last message")
    return Asked(
        text,
        message_id,
        tuple(_decision(entry) for entry in given.resume or () if entry.status == "resolved"),
        _if_running(given.forwarded_props),
        _edit_of(given.forwarded_props),
        (*(("tools",) if given.tools else ()), *(("context",) if given.context else ())),
    )


def as_uuid(name: str) -> UUID | None:
    """The UUID that the name is, or None."""
    try:
        return UUID(name)
    except ValueError:
        return None


def _text(message: UserMessage) -> str:
    if isinstance(message.content, str):
        return message.content
    if not all(isinstance(part, TextPart) for part in message.content):
        raise InvalidInput("Penny reads text only; import files of transactions with POST /v1/imports.")
    return "\n".join(part.text for part in message.content if isinstance(part, TextPart))


def _decision(entry: ResumeEntry) -> Decision:
    answer = entry.payload.get("approved") if isinstance(entry.payload, dict) else None
    if not isinstance(answer, bool):
        raise InvalidInput("The payload of a resolved interrupt is {approved: true} or {approved: false}.")
    proposal, _, hash_ = entry.interrupt_id.partition(".")
    return Decision(parse_id(proposal, "proposal"), hash_[:128], answer)


def _if_running(props: object) -> IfRunning:
    match props.get("ifRunning") if isinstance(props, dict) else None:
        case None | "enqueue":
            return "enqueue"
        case "reject":
            return "reject"
        case "interrupt":
            return "interrupt"
        case _:
            raise InvalidInput("forwardedProps.ifRunning is enqueue, reject or interrupt.")


def _edit_of(props: object) -> str | None:
    named = props.get("editOf") if isinstance(props, dict) else None
    if named is not None and not isinstance(named, str):
        raise InvalidInput("forwardedProps.editOf is the id of the message that the new one replaces.")
    return None if named is None else checked_name(named, "id in forwardedProps.editOf")
