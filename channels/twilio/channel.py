"""Text messages by Twilio as a channel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import aiohttp

from channels.channel import Answer, NotGenuine, Parsed, Part, Payload, Refused, Reply, Unreadable, Webhook
from channels.http import Http
from channels.pictures import Picture, PictureAddresses
from channels.twilio import parse, render, verify

API_URL = "https://api.twilio.com"

SHOWN_IN = ("+1",)
"""Numbers that get pictures: of the United States and Canada. To others Twilio would send a link to its own copy."""

PASSING = frozenset({20429, 20500, 20503})
"""Twilio's error codes for too many requests and faults of its own."""


@dataclass
class TwilioChannel:
    """`auth_token` signs what Twilio sends and opens its API at `api_url` for `account_sid`; `sender` is our number or
    messaging service."""

    account_sid: str
    auth_token: str = field(repr=False)
    sender: str
    api_url: str = API_URL
    name: str = "twilio"
    edit_seconds: float | None = None
    window_hours: float | None = None
    templates: bool = False
    pictures: PictureAddresses | None = None
    """Where Twilio fetches charts; None: none are sent."""

    _http: Http = field(default_factory=Http)

    def verify(self, hook: Webhook) -> None:
        try:
            fields = parse.fields_of(hook.body)
        except Unreadable:
            raise NotGenuine from None
        if not verify.genuine(self.auth_token, hook.headers, hook.url, fields):
            raise NotGenuine

    def greet(self, query: Mapping[str, str]) -> Answer | None:
        return None

    def parse(self, hook: Webhook) -> Parsed:
        return parse.parse(parse.fields_of(hook.body))

    def render(self, reply: Reply, locale: str) -> Sequence[Part]:
        return render.render(reply, locale, pictures=self.pictures is not None and reply.run is not None)

    def home(self, chat: str) -> str:
        return chat

    def outside_window(self, reply: Reply, locale: str) -> Payload | None:
        return None

    def progress(self, text: str, doing: str) -> Payload:
        return {"Body": text}

    async def send(self, chat: str, payload: Payload, key: str) -> str:
        if "picture" in payload:
            payload = self._picture(chat, payload)
        kind = "MessagingServiceSid" if self.sender.startswith("MG") else "From"
        sent = await self._post({"To": chat, kind: self.sender, **payload})
        return str(sent.get("sid", ""))

    async def replace(self, chat: str, ref: str, payload: Payload) -> None:
        raise Refused("no_edits")

    def _picture(self, chat: str, payload: Payload) -> Payload:
        """The message that shows a chart, at an address that begins to count now. Raises Refused for a number that gets
        no pictures."""
        if self.pictures is None or not chat.startswith(SHOWN_IN):
            raise Refused("no_pictures_there")
        (user, run), no = payload["picture"]
        return {"Body": payload["Body"], "MediaUrl": self.pictures.of(Picture(user, run, no))}

    async def check(self) -> str:
        try:
            await self._post({})  # a message without a receiver is refused after the token is checked
        except Refused as refused:
            if not refused.code.startswith("http_400"):
                raise
        return f"Twilio takes our token for the account {self.account_sid}."

    async def typing(self, chat: str, doing: str) -> None:
        return  # text messages have no such sign

    async def close(self) -> None:
        await self._http.close()

    async def _post(self, form: Mapping[str, str]) -> Payload:
        return await self._http.post(
            f"{self.api_url.rstrip('/')}/2010-04-01/Accounts/{self.account_sid}/Messages.json",
            form=form,
            headers={"Authorization": aiohttp.encode_basic_auth(self.account_sid, self.auth_token)},
            passing=PASSING,
        )
