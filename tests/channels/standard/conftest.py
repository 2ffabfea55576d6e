"""Another program that speaks Standard Webhooks with Penny, through the library that others use."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import orjson
import pytest
from aiohttp import web
from standardwebhooks import Webhook

from channels.standard import StandardChannel
from domain.clock import SystemClock

IN_SECRET = "whsec_" + base64.b64encode(b"i" * 32).decode()
OUT_SECRET = "whsec_" + base64.b64encode(b"o" * 32).decode()


@dataclass
class Program:
    """Takes Penny's events, checking each signature, and sends its own. `answers` are the statuses of the next ones,
    then 200, but 403 for who is in `poison`; events are kept by their webhook-id, as the standard has it."""

    url: str = ""
    poison: set[str] = field(default_factory=set)
    refused: Counter[str] = field(default_factory=Counter)
    answers: list[int] = field(default_factory=list)
    tries: list[str] = field(default_factory=list)
    got: dict[str, dict[str, Any]] = field(default_factory=dict)

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        event = Webhook(OUT_SECRET).verify(body, dict(request.headers))
        self.tries.append(request.headers["webhook-id"])
        status = self.answers.pop(0) if self.answers else 200
        if event["data"]["to"] in self.poison:
            self.refused[event["data"]["to"]] += 1
            status = 403
        if status == 200:
            assert event["type"] == ("notice.raised" if "off" in event["data"] else "reply.finished")
            self.got.setdefault(request.headers["webhook-id"], event["data"])
        return web.Response(status=status)

    @property
    def replies(self) -> list[dict[str, Any]]:
        return list(self.got.values())

    async def post(
        self,
        client: httpx.AsyncClient,
        data: dict[str, Any],
        kind: str = "message.received",
        *,
        secret: str = IN_SECRET,
        ago: timedelta = timedelta(),
        body: bytes | None = None,
    ) -> httpx.Response:
        """Sends an event, signed `ago`."""
        raw = orjson.dumps({"type": kind, "data": data}) if body is None else body
        when, event_id = datetime.now(UTC) - ago, f"evt_{uuid4().hex}"
        signature = Webhook(secret).sign(event_id, when, raw.decode("utf-8", "replace"))
        headers = {
            "webhook-id": event_id,
            "webhook-timestamp": str(int(when.timestamp())),
            "webhook-signature": signature,
            "content-type": "application/json",
        }
        return await client.post("/webhooks/standard", content=raw, headers=headers)

    async def say(self, client: httpx.AsyncClient, text: str, sender: str = "kim", event_id: str = "") -> None:
        """Says something as `sender`; Penny takes it."""
        answer = await self.post(client, {"id": event_id or uuid4().hex, "from": sender, "text": text})
        assert answer.status_code == 200, answer.text


@pytest.fixture
async def program(host: Any) -> Program:
    """The other program, on a free port."""
    made = Program()
    made.url = await host(("POST", "/penny", made.take)) + "/penny"
    return made


@pytest.fixture
def standard(program: Program) -> Callable[[], StandardChannel]:
    """The channel that speaks with it."""
    return lambda: StandardChannel(IN_SECRET, program.url, OUT_SECRET, SystemClock())


@pytest.fixture
def sender() -> str:
    """A name that nobody else in the program has."""
    return f"kim-{uuid4().hex[:8]}"
