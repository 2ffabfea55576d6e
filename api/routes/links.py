"""Links: which accounts in messaging apps speak for the user."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field

from api.caller import JSON_BODY, CallerDep
from api.problems import documented
from api.shapes import Input, Instant, Output, Page, Text
from channels.registry import CHANNELS
from domain.errors import NotFound
from memory import links

router = APIRouter(prefix="/v1/links", tags=["channels"])


class NewLink(Input):
    """The app to link an account in."""

    channel: Annotated[Text, Field(max_length=32, description="standard, slack, telegram, whatsapp or twilio.")]


class LinkCode(Output):
    """A code that links one account, once."""

    code: str
    text: str = Field(description="What the person sends to Penny in that app.")
    expires_at: Instant


class LinkView(Output):
    """A linked account."""

    channel: str
    address: str = Field(description="The account, as the app names it.")
    created_at: Instant
    used_at: Instant = Field(description="When the person wrote there last, to the minute.")


class Links(Page[LinkView]):
    """The linked accounts, and the apps that there are to link."""

    channels: list[str] = Field(description="The channels that are set up here.")


@router.post(
    "", status_code=201, summary="Get a code", dependencies=[JSON_BODY], responses=documented(400, 404, 413, 415)
)
async def create(caller: CallerDep, wanted: NewLink) -> LinkCode:
    """A one-time code for a channel that is set up here; a code got before counts no more."""
    _check(wanted.channel, caller)
    async with caller.transaction() as tx:
        code, expires_at = await links.new_code(tx, wanted.channel)
    return LinkCode(code=code, text=f"link {code}", expires_at=expires_at.isoformat())


@router.get("", summary="List linked accounts")
async def index(caller: CallerDep) -> Links:
    """The user's accounts in messaging apps, the oldest first, and the apps that are set up here."""
    async with caller.read() as tx:
        found = await links.list_(tx)
    items = [
        LinkView(
            channel=one.channel,
            address=one.address,
            created_at=one.created_at.isoformat(),
            used_at=one.used_at.isoformat(),
        )
        for one in found
    ]
    return Links(items=items, next=None, channels=list(caller.services.channels))


@router.delete("/{channel}", status_code=204, summary="Unlink", responses=documented(404))
async def delete(
    caller: CallerDep,
    channel: Annotated[str, Path(description="The channel.")],
    address: Annotated[Text | None, Query(max_length=256, description="Only this account of it.")] = None,
) -> Response:
    """Ends the links of the user's accounts in that channel, or that of one."""
    ended = 0
    if channel in CHANNELS:
        async with caller.transaction() as tx:
            ended = await links.unlink(tx, channel, address)
    if not ended:
        raise NotFound("No account in that channel is linked.")
    return Response(status_code=204)


def _check(channel: str, caller: CallerDep) -> None:
    if channel not in caller.services.channels:
        there = ", ".join(caller.services.channels) or "none"
        raise NotFound(f"The channel {channel!r} is not set up here; there is: {there}.")
