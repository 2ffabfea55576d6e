"""What Penny takes from the body of an AI SDK client: the new user message, and decisions on proposals.

The client sends the whole conversation as it sees it; all but its end is looked past, for the history is Penny's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api.shapes import Text
from domain.errors import InvalidInput
from domain.ids import parse_id

MESSAGES = 2_000
_PASSED_OVER = ("step-start", "source-url", "source-document", "reasoning")


class ChatBody(BaseModel):
    """The body that DefaultChatTransport sends; what a host app adds is left alone."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    id: Annotated[Text, Field(min_length=1, max_length=255, description="The client's id of the chat.")]
    messages: Annotated[
        list[dict[str, Any]],
        Field(min_length=1, max_length=MESSAGES, description="UI messages; only the last ones are looked at."),
    ]
    trigger: Literal["submit-message", "regenerate-message"] = Field(
        "submit-message", description="Whether the last message is new, or is to be answered anew."
    )
    messageId: Annotated[Text, Field(max_length=255)] | None = Field(  # noqa: N815 -- the protocol's name
        None, description="With `submit-message`: the message that this one replaces, or goes on with."
    )


@dataclass(frozen=True, slots=True)
class Decision:
    """The user's answer to a tool call that asked for approval."""

    call_id: str
    proposal_id: UUID
    hash: str
    approved: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request wants: `text` of a new message with the client's `message_id`, or None when it only carries
    `decisions`; then `message_id` is Penny's message that goes on."""

    message_id: str
    text: str | None
    decisions: tuple[Decision, ...]
    anew: bool = False
    replaces: str | None = None


def asked(body: ChatBody) -> Asked:
    """Reads the end of the conversation. Raises InvalidInput for what Penny cannot take, NotFound for the id of an
    approval that can be none."""
    last = body.messages[-1]
    role, message_id = last.get("role"), last.get("id")
    if not isinstance(message_id, str) or not 0 < len(message_id) <= 255 or not message_id.isprintable():
        raise InvalidInput("The last message needs an id, a text of at most 255 characters.")
    if role == "assistant":
        decisions = _decisions(last)
        if not decisions:
            raise InvalidInput("The last message is Penny's and decides on nothing; send the user's message last.")
        return Asked(message_id, None, decisions)
    if role != "user":
        raise InvalidInput("The last message must be the user's; system and tool messages are not taken from clients.")
    before = body.messages[-2] if len(body.messages) > 1 else {}
    anew = body.trigger == "regenerate-message"
    return Asked(
        message_id,
        _text(last),
        () if anew or before.get("role") != "assistant" else _decisions(before),
        anew,
        message_id if body.messageId == message_id and not anew else None,
    )


def _text(message: dict[str, Any]) -> str:
    said = []
    for part in _parts(message):
        kind = part.get("type")
        if kind == "text" and isinstance(part.get("text"), str):
            said.append(part["text"])
        elif kind == "file":
            raise InvalidInput("Penny reads text only; import files of transactions with POST /v1/imports.")
        elif kind not in _PASSED_OVER:
            raise InvalidInput(f"A user's message may have parts of type text, not {str(kind)[:40]!r}.")
    text = "\n".join(said)
    if "\x00" in text or (not text.isascii() and any("\ud800" <= c <= "\udfff" for c in text)):
        raise InvalidInput("The message contains a character that is none (NUL, or half of a surrogate pair).")
    return text


def _decisions(message: dict[str, Any]) -> tuple[Decision, ...]:
    return tuple(
        _decision(part)
        for part in _parts(message)
        if part.get("state") == "approval-responded" and str(part.get("type", "")).startswith(("tool-", "dynamic-tool"))
    )


def _decision(part: dict[str, Any]) -> Decision:
    approval, call_id = part.get("approval"), part.get("toolCallId")
    if not isinstance(approval, dict) or not isinstance(approval.get("id"), str) or not isinstance(call_id, str):
        raise InvalidInput("A tool part that was responded to needs `toolCallId` and `approval` with its `id`.")
    if not isinstance(approval.get("approved"), bool):
        raise InvalidInput("`approval.approved` must be true or false.")
    proposal_id, _, hash_ = approval["id"].partition(".")
    return Decision(call_id[:255], parse_id(proposal_id, "proposal"), hash_[:128], approval["approved"])


def _parts(message: dict[str, Any]) -> list[dict[str, Any]]:
    parts = message.get("parts")
    if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
        raise InvalidInput("A message needs `parts`, a list of objects such as {type: 'text', text: '...'}.")
    return parts
