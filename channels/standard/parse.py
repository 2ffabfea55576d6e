"""What a program tells us: a message of somebody's, or their decision on a proposal."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from channels.channel import Incoming, Parsed, Pressed, Said, Unreadable

Name = Annotated[str, Field(min_length=1, max_length=128)]


class _Message(BaseModel):
    id: Name
    sender: Annotated[Name, Field(alias="from")]
    text: Annotated[str, Field(max_length=100_000)]


class _MessageReceived(BaseModel):
    type: Literal["message.received"]
    data: _Message


class _Decision(BaseModel):
    id: Name
    sender: Annotated[Name, Field(alias="from")]
    proposal_id: UUID
    hash: Annotated[str, Field(min_length=16, max_length=128)]
    decision: Literal["confirm", "reject"]


class _ProposalDecided(BaseModel):
    type: Literal["proposal.decided"]
    data: _Decision


class _Kind(BaseModel):
    type: str


_EVENT: TypeAdapter[_MessageReceived | _ProposalDecided] = TypeAdapter(
    Annotated[_MessageReceived | _ProposalDecided, Field(discriminator="type")]
)
_KNOWN = ("message.received", "proposal.decided")


def parse(body: bytes) -> Parsed:
    """The event; one of an unknown type is none of ours. Raises Unreadable for a body that is not as documented."""
    try:
        if _Kind.model_validate_json(body).type not in _KNOWN:
            return Parsed()
        event = _EVENT.validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"] if part not in _KNOWN) or "the body"
        raise Unreadable(f"{where}: {first['msg'][:1].lower()}{first['msg'][1:]}.") from None
    return Parsed((_incoming(event),))


def _incoming(event: _MessageReceived | _ProposalDecided) -> Incoming:
    data = event.data
    if isinstance(data, _Message):
        return Said(data.id, data.sender, data.sender, data.text, ref=data.id)
    return Pressed(data.id, data.sender, data.sender, data.decision, data.proposal_id, data.hash)
