"""WhatsApp as a channel."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import aiohttp
import orjson

from channels import chart_image
from channels.channel import Answer, NotGenuine, Parsed, Part, Payload, Refused, Reply, Said, TryLater, Webhook
from channels.http import Http
from channels.whatsapp import parse, render, verify

API_URL = "https://graph.facebook.com/v24.0"

PASSING = frozenset({1, 2, 4, 80007, 130429, 131000, 131016, 131048, 131056, 133004})
"""Meta's error codes for overload, rate limits and its own faults, which come with statuses such as 400."""


HEARD_KEPT = 1000
"""Messages that typing may still be shown for."""


@dataclass
class WhatsAppChannel:
    """`app_secret` signs what Meta sends, `verify_token` is what its check of our address names, `access_token` opens
    the Graph API at `api_url` for our number `phone_number_id`."""

    app_secret: str = field(repr=False)
    verify_token: str = field(repr=False)
    access_token: str = field(repr=False)
    phone_number_id: str
    api_url: str = API_URL
    name: str = "whatsapp"
    edit_seconds: float | None = None
    window_hours: float | None = 24.0
    template: str | None = None
    """A template of ours that Meta has approved, for what is written after that, with the languages it is there in:
    "penny_notice:en,de"."""

    templates: bool = field(init=False)
    _heard: dict[str, str] = field(default_factory=dict)
    _http: Http = field(default_factory=Http)

    def __post_init__(self) -> None:
        self.templates = self.template is not None

    def verify(self, hook: Webhook) -> None:
        if not verify.genuine(self.app_secret, hook.headers, hook.body):
            raise NotGenuine

    def greet(self, query: Mapping[str, str]) -> Answer | None:
        challenge = verify.challenged(self.verify_token, query)
        if challenge is None:
            raise NotGenuine
        return Answer(body=challenge.encode())

    def parse(self, hook: Webhook) -> Parsed:
        parsed = parse.parse(hook.body, self.phone_number_id)
        for event in parsed.events:
            if isinstance(event, Said):
                self._heard[event.chat] = event.ref
        while len(self._heard) > HEARD_KEPT:
            del self._heard[next(iter(self._heard))]
        return parsed

    def render(self, reply: Reply, locale: str) -> Sequence[Part]:
        return render.render(reply, locale)

    def home(self, chat: str) -> str:
        return chat

    def outside_window(self, reply: Reply, locale: str) -> Payload | None:
        return render.template(self.template, reply, locale) if self.template else None

    def progress(self, text: str, doing: str) -> Payload:
        return render.message(text)

    async def send(self, chat: str, payload: Payload, key: str) -> str:
        if "chart" in payload:
            payload = await self._picture(payload)
        sent = await self._post({"recipient_type": "individual", "to": chat, **payload})
        return str((sent.get("messages") or [{}])[0].get("id", ""))

    async def replace(self, chat: str, ref: str, payload: Payload) -> None:
        raise Refused("no_edits")

    async def check(self) -> str:
        try:
            await self._post({})  # a message without a receiver is refused after the token and the number are checked
        except Refused as refused:
            if not refused.code.startswith("http_400_100"):
                raise
        return f"Meta takes our token for the number {self.phone_number_id}."

    async def typing(self, chat: str, doing: str) -> None:
        """Shows it for the last message, once: it stays for 25 seconds at most, and marks that as read. Another
        process than the one that heard the message shows nothing."""
        message_id = self._heard.pop(chat, None)
        if message_id is not None:
            shown = {"status": "read", "message_id": message_id, "typing_indicator": {"type": "text"}}
            with contextlib.suppress(Refused, TryLater):
                await self._post(shown)

    async def close(self) -> None:
        await self._http.close()

    async def _picture(self, payload: Payload) -> Payload:
        """Uploads a chart, and gives the message that shows it."""
        image = await asyncio.to_thread(chart_image.draw, payload["chart"], payload["locale"])
        form = aiohttp.FormData({"messaging_product": "whatsapp", "type": "image/png"})
        form.add_field("file", image, filename="chart.png", content_type="image/png")
        kept = await self._http.post(self._address("media"), form=form, headers=self._token(), passing=PASSING)
        return {"type": "image", "image": {"id": kept.get("id", ""), "caption": payload["chart"]["title"][:1024]}}

    def _address(self, what: str) -> str:
        return f"{self.api_url.rstrip('/')}/{self.phone_number_id}/{what}"

    def _token(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.access_token}"}

    async def _post(self, message: Payload) -> Payload:
        return await self._http.post(
            self._address("messages"),
            body=orjson.dumps({"messaging_product": "whatsapp", **message}),
            headers=self._token() | {"Content-Type": "application/json"},
            passing=PASSING,
        )
