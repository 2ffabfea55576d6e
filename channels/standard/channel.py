"""Standard Webhooks as a channel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import uuid4

import orjson

from channels.channel import Answer, NotGenuine, Parsed, Part, Payload, Refused, Reply, Webhook
from channels.http import Http
from channels.standard import parse, render, verify
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
    window_hours: float | None = None
    templates: bool = False
    _http: Http = field(default_factory=Http)

    def verify(self, hook: Webhook) -> None:
        if not verify.genuine(self.secret, hook.headers, hook.body, hook.received):
            raise NotGenuine

    def greet(self, query: Mapping[str, str]) -> Answer | None:
        return None

    def parse(self, hook: Webhook) -> Parsed:
        return parse.parse(hook.body)

    def render(self, reply: Reply, locale: str) -> Sequence[Part]:
        return render.render(reply)

    def home(self, chat: str) -> str:
        return chat

    def outside_window(self, reply: Reply, locale: str) -> Payload | None:
        return None

    def progress(self, text: str, doing: str) -> Payload:
        return {"text": text, "proposals": [], "charts": []}

    async def send(self, chat: str, payload: Payload, key: str) -> str:
        event_id = f"msg_{key}"
        kind = "notice.raised" if "off" in payload else "reply.finished"
        await self._post(event_id, {"type": kind, "data": {"to": chat, **payload}})
        return event_id

    async def replace(self, chat: str, ref: str, payload: Payload) -> None:
        raise Refused("no_edits")

    async def check(self) -> str:
        await self._post(f"ping_{uuid4().hex}", {"type": "ping", "data": {}})
        return f"{self.out_url} took a signed ping."

    async def typing(self, chat: str, doing: str) -> None:
        return

    async def close(self) -> None:
        await self._http.close()

    async def _post(self, event_id: str, event: Payload) -> None:
        body = orjson.dumps(event)
        headers = verify.signed(self.out_secret, event_id, body, self.clock.now())
        await self._http.post(self.out_url, body=body, headers=headers | {"Content-Type": "application/json"})
