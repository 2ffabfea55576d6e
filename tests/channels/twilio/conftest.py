"""Twilio's API as far as Penny uses it: its answers and errors as documented, requests as its own library signs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import aiohttp
import httpx
import pytest
from aiohttp import web
from twilio.request_validator import RequestValidator

from channels.twilio import TwilioChannel

SID, TOKEN, NUMBER = "ACtest", "auth-token", "+15557654321"
URL = "https://penny.example/webhooks/twilio"


@dataclass
class Twilio:
    """Twilio's API with one phone. `answers` are its next ones instead of success: (status, error code)."""

    url: str = ""
    phone: str = field(default_factory=lambda: "+1" + str(uuid4().int)[:10])
    sent: list[dict[str, str]] = field(default_factory=list)
    answers: list[tuple[int, int]] = field(default_factory=list)

    async def api(self, request: web.Request) -> web.Response:
        if request.headers["Authorization"] != aiohttp.encode_basic_auth(SID, TOKEN):
            return web.json_response({"code": 20003, "message": "Authenticate"}, status=401)
        if self.answers:
            status, code = self.answers.pop(0)
            return web.json_response({"code": code, "message": "..."}, status=status)
        form = {name: str(value) for name, value in (await request.post()).items()}
        if "To" not in form:
            return web.json_response({"code": 21604, "message": "A 'To' phone number is required."}, status=400)
        assert form["From"] == NUMBER
        assert 0 < len(form["Body"]) <= 1600
        if "MediaUrl" in form:
            assert form["MediaUrl"].startswith("https://penny.example/")
        self.sent.append(form)
        return web.json_response({"sid": f"SM{uuid4().hex}", "status": "queued"}, status=201)

    @property
    def texts(self) -> list[str]:
        return [message["Body"] for message in self.sent]

    async def post(
        self, client: httpx.AsyncClient, form: dict[str, str], *, url: str = URL, token: str = TOKEN
    ) -> httpx.Response:
        """A request as Twilio signs it."""
        signature = RequestValidator(token).compute_signature(url, form)
        return await client.post("/webhooks/twilio", data=form, headers={"X-Twilio-Signature": signature})

    async def say(self, client: httpx.AsyncClient, text: str, sid: str = "") -> httpx.Response:
        """The person texts; Penny takes it."""
        form = {
            "MessageSid": sid or f"SM{uuid4().hex}",
            "AccountSid": SID,
            "From": self.phone,
            "To": NUMBER,
            "Body": text,
            "NumMedia": "0",
        }
        answer = await self.post(client, form)
        assert answer.status_code == 200, answer.text
        return answer


@pytest.fixture
async def twilio(host: Any) -> Twilio:
    """Twilio's API, on a free port."""
    made = Twilio()
    made.url = await host(("POST", f"/2010-04-01/Accounts/{SID}/Messages.json", made.api))
    return made


@pytest.fixture
def channel(twilio: Twilio) -> TwilioChannel:
    """The channel that speaks with it."""
    return TwilioChannel(SID, TOKEN, NUMBER, twilio.url)
