"""Standard Webhooks as a channel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import uuid4

import aiohttp
import orjson

from channels.channel import Answer, NotGenuine, Parsed, Part, Payload, Refused, Reply, Webhook
from channels.standard import parse, render, send, verify
from domain.clock import Clock


@dataclass
class StandardChannel:
    """`secret` signs what comes in, `out_secret` what goes to `out_url`."""

    secret: str = field(repr=False)
    out_url: str
    out_secret: str = field(repr=False)
    clock: Clock
    name: str = "standard"
    edit_seconds: float | None = None
    _http: aiohttp.ClientSession | None = None

    def verify(self, hook: Webhook) -> None:
        if not verify.genuine(self.secret, hook.headers, hook.body, hook.received):
            raise NotGenuine

    def greet(self, query: Mapping[str, str]) -> Answer | None:
        return None

    def parse(self, hook: Webhook) -> Parsed:
        return parse.parse(hook.body)

    def render(self, reply: Reply, locale: str) -> Sequence[Part]:
        return render.render(reply)

    def progress(self, text: str) -> Payload:
        return {"text": text, "proposals": [], "charts": []}

    async def send(self, chat: str, payload: Payload, key: str) -> str:
        event_id = f"msg_{key}"
        body = orjson.dumps({"type": "reply.finished", "data": {"to": chat, **payload}})
        self._http = self._http or aiohttp.ClientSession()
        await send.post(self._http, self.out_url, self.out_secret, event_id, body, self.clock)
        return event_id

    async def replace(self, chat: str, ref: str, payload: Payload) -> None:
        raise Refused("no_edits")

    async def check(self) -> str:
        event_id = f"ping_{uuid4().hex}"
        self._http = self._http or aiohttp.ClientSession()
        body = orjson.dumps({"type": "ping", "data": {}})
        await send.post(self._http, self.out_url, self.out_secret, event_id, body, self.clock)
        return f"{self.out_url} took a signed ping."

    async def typing(self, chat: str) -> None:
        return

    async def close(self) -> None:
        if self._http is not None:
            await self._http.close()
