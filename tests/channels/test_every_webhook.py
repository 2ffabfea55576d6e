"""Each app's webhook under what the network and strangers do to it: repeated, shuffled, late, forged, huge, no text."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import httpx
import pytest
from aiohttp import web
from trials import times
from twilio.request_validator import RequestValidator

from channels.channel import Channel
from channels.slack import SlackChannel
from channels.standard import StandardChannel
from channels.telegram import TelegramChannel
from channels.twilio import TwilioChannel
from channels.whatsapp import WhatsAppChannel
from domain.clock import SystemClock

SECRET, OTHER = "whsec_" + "c2VjcmV0" * 6, "whsec_" + "b3RoZXIx" * 6
TWILIO_URL = "https://penny.example/webhooks/twilio"
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
MESSAGES = 8
TIMES = 5

Headers = dict[str, str]
Sign = Callable[[bytes, str, int], Headers]


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


def _standard(body: bytes, secret: str, ago: int) -> Headers:
    name, stamp = "msg_" + hashlib.sha256(body).hexdigest()[:20], str(int(time.time()) - ago)
    given = hmac.new(base64.b64decode(secret.removeprefix("whsec_")), f"{name}.{stamp}.".encode() + body, "sha256")
    signature = f"v1,{base64.b64encode(given.digest()).decode()}"
    return JSON | {"webhook-id": name, "webhook-timestamp": stamp, "webhook-signature": signature}


def _slack(body: bytes, secret: str, ago: int) -> Headers:
    stamp = str(int(time.time()) - ago)
    given = hmac.new(secret.encode(), f"v0:{stamp}:".encode() + body, "sha256").hexdigest()
    return JSON | {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={given}"}


def _telegram(body: bytes, secret: str, ago: int) -> Headers:
    return JSON | {"X-Telegram-Bot-Api-Secret-Token": secret}


def _whatsapp(body: bytes, secret: str, ago: int) -> Headers:
    return JSON | {"X-Hub-Signature-256": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}


def _twilio(body: bytes, secret: str, ago: int) -> Headers:
    fields = dict(httpx.QueryParams(body.decode("latin-1")))
    return FORM | {"X-Twilio-Signature": RequestValidator(secret).compute_signature(TWILIO_URL, fields)}


@dataclass(frozen=True)
class App:
    """How an app signs, and what it says: a message (of a person, with an id and a text), an event of a type that came
    later, a text in an encoding of its own. `timed`: its signature has a time."""

    make: Callable[[str], Channel]
    sign: Sign
    message: Callable[[str, str, str], bytes]
    unknown: bytes
    not_text: bytes
    timed: bool = False


def _slack_message(person: str, id_: str, text: str) -> bytes:
    event = {"type": "message", "channel": f"D{person}", "channel_type": "im", "user": f"U{person}", "text": text}
    return _json({"type": "event_callback", "team_id": "T1", "event_id": id_, "event": event | {"ts": f"{id_}.1"}})


def _telegram_message(person: str, id_: str, text: str) -> bytes:
    kim = {"id": int(person), "is_bot": False, "first_name": "Kim"}
    chat = {"id": int(person), "type": "private", "first_name": "Kim"}
    sent = {"message_id": int(id_), "date": 1_700_000_000, "chat": chat, "from": kim, "text": text}
    return _json({"update_id": int(id_), "message": sent})


def _whatsapp_notification(message: dict[str, Any]) -> bytes:
    value = {"messaging_product": "whatsapp", "metadata": {"phone_number_id": "1"}, "messages": [message]}
    return _json(
        {"object": "whatsapp_business_account", "entry": [{"changes": [{"field": "messages", "value": value}]}]}
    )


APPS = {
    "standard": App(
        lambda url: StandardChannel(SECRET, f"{url}/standard", SECRET, SystemClock()),
        _standard,
        lambda who, id_, text: _json({"type": "message.received", "data": {"id": id_, "from": who, "text": text}}),
        _json({"type": "invoice.paid", "data": {}}),
        b'{"type": "message.received", "data": {"id": "1", "from": "kim", "text": "\xff\xfe"}}',
        timed=True,
    ),
    "slack": App(
        lambda url: SlackChannel(SECRET, "xoxb-1", f"{url}/api/"),
        _slack,
        _slack_message,
        _json({"type": "event_callback", "team_id": "T1", "event_id": "E1", "event": {"type": "function_executed"}}),
        b'{"type": "event_callback", "event": {"text": "\xff\xfe"}}',
        timed=True,
    ),
    "telegram": App(
        lambda url: TelegramChannel("42:test", SECRET, url),
        _telegram,
        _telegram_message,
        _json({"update_id": 1, "purchased_paid_media": None, "something_new": {"id": 1}}),
        b'{"update_id": 1, "message": {"text": "\xff\xfe"}}',
    ),
    "whatsapp": App(
        lambda url: WhatsAppChannel(SECRET, "w", "a", "1", url),
        _whatsapp,
        lambda who, id_, text: _whatsapp_notification(
            {"from": who, "id": f"wamid.{id_}", "type": "text", "text": {"body": text}}
        ),
        _whatsapp_notification({"from": "1", "id": "wamid.1", "type": "hologram", "hologram": {}}),
        b'{"entry": [{"changes": "\xff\xfe"}]}',
    ),
    "twilio": App(
        lambda url: TwilioChannel("AC1", SECRET, "+15557654321", url),
        _twilio,
        lambda who, id_, text: urlencode({"MessageSid": f"SM{id_}", "From": f"+{who}", "Body": text}).encode(),
        urlencode({"MessageSid": "SM1", "MessageStatus": "hologram", "From": "+1", "To": "+1"}).encode(),
        b"MessageSid=SM1&From=%2B1&Body=\xff\xfe",
    ),
}


@pytest.fixture
async def anywhere(host: Any) -> str:
    """The URL of an API that takes everything, as each app would answer."""

    async def take(request: web.Request) -> web.Response:
        sent = {"message_id": 1, "date": 1_700_000_000, "chat": {"id": 1, "type": "private", "first_name": "Kim"}}
        answer = {"ok": True, "result": sent, "channel": "D1", "ts": "1.1", "messages": [{"id": "1"}], "sid": "SM1"}
        typing = request.path.endswith("sendChatAction")
        return web.json_response({"ok": True, "result": True} if typing else answer)

    return str(await host(("*", "/{path:.*}", take)))


@dataclass
class Line:
    """One app, its person linked, and the service."""

    name: str
    app: App
    service: Any
    person: str

    async def post(self, body: bytes, *, secret: str = SECRET, ago: int = 0) -> httpx.Response:
        """The answer; after a 503, as of a slow machine whose connections are all taken, the app tries again."""
        while True:
            headers = self.app.sign(body, secret, ago)
            answer: httpx.Response = await self.service.outside.post(
                f"/webhooks/{self.name}", content=body, headers=headers
            )
            if answer.status_code != 503:
                return answer
            await asyncio.sleep(0.2)

    def message(self, text: str) -> bytes:
        return self.app.message(self.person, str(uuid4().int % 10**9), text)


@pytest.fixture(params=APPS)
async def line(request: Any, serve: Any, anywhere: str, until: Any) -> Line:
    """The app with its person linked."""
    app = APPS[request.param]
    service = await serve({request.param: app.make(anywhere)}, [{"text": "Noted."}] * 100)
    made = Line(request.param, app, service, str(uuid4().int)[:10])
    answer = await made.post(made.message(await service.link_text(request.param)))
    assert answer.status_code == 200, answer.text
    await until(lambda: service.outbox(status="sent", kind="note"))
    return made


async def test_repeated_and_shuffled_events_are_acted_on_once(line: Line, until: Any) -> None:
    """Each of eight messages five times, all at once in any order, and once more later: eight runs, eight replies."""
    messages = [line.message(f"{n}.50 lunch") for n in range(MESSAGES)]
    posts = messages * TIMES
    seed = random.randrange(2**32)
    print(f"seed {seed}")  # noqa: T201
    random.Random(seed).shuffle(posts)
    answers = await asyncio.gather(*map(line.post, posts))
    assert {answer.status_code for answer in answers} == {200}
    await until(lambda: line.service.outbox(status="sent", kind="reply"), MESSAGES)
    for message in messages:  # what has no time in its signature cannot be told from a repetition, and is one
        assert (await line.post(message)).status_code == 200
    assert len(line.service.model.requests) == MESSAGES
    assert len(await line.service.outbox(kind="reply")) == MESSAGES


async def test_what_was_recorded_minutes_ago_makes_no_run(line: Line) -> None:
    """Where the signature has a time an old request is 401; elsewhere it is known by its event."""
    message = line.message("12.50 lunch")
    if line.app.timed:
        for ago in (301, 600, -301, -600):
            assert (await line.post(message, ago=ago)).status_code == 401
        assert line.service.model.requests == []
    else:
        for ago in (0, 301, 600):
            assert (await line.post(message, ago=ago)).status_code == 200
        assert len(await line.service.outbox(kind="reply")) == 1


async def test_forged_requests_are_refused_without_a_hint(line: Line) -> None:
    """Another's secret, a body changed after it was signed, a signature cut, empty, of other signs, or none at all: one
    and the same 401, and nothing comes of it."""
    service, path = line.service, f"/webhooks/{line.name}"
    answers = []
    for n in range(times(8)):
        body = line.message(f"{n} dollars for the thief")
        answers.append(await line.post(body, secret=OTHER))
        headers = line.app.sign(body, SECRET, 0)
        name = next(n for n in headers if "signature" in n.lower() or "secret" in n.lower())
        for forged in (headers[name][:-2], "", "é" * 20, "v0=" + "0" * 64, None):
            sent = {k: v.encode() for k, v in headers.items() if k != name}
            sent |= {name: forged.encode()} if forged is not None else {}
            answers.append(await service.outside.post(path, content=body, headers=sent))
        if line.name != "telegram":  # whose secret signs nothing
            changed = line.message("all of it")
            answers.append(await service.outside.post(path, content=changed, headers=headers))
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.json()["detail"] for answer in answers}) == 1
    assert service.model.requests == []
    assert await service.outbox(kind="reply") == []


async def test_what_is_too_long_or_no_text_is_refused(line: Line) -> None:
    """More than a MiB is 413; genuine bytes that are no UTF-8 are 400 or 401; neither is 5xx or makes a run."""
    assert (await line.post(line.message("x" * (1 << 20)))).status_code == 413
    assert (await line.post(line.app.not_text)).status_code in (400, 401)
    assert (await line.post(b"")).status_code in (400, 401)
    assert line.service.model.requests == []


async def test_events_of_unknown_types_are_taken(line: Line) -> None:
    """200, so that the app does not repeat them, and nothing else."""
    answer = await line.post(line.app.unknown)
    assert answer.status_code == 200, answer.text
    assert line.service.model.requests == []
    assert len(await line.service.outbox()) == 1  # that of the link
