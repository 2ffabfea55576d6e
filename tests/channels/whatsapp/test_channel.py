"""WhatsApp: recorded notifications, and a person who writes to Penny by the Cloud API."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import orjson
import pytest
from aiohttp import web

from agent.history import UNASKED
from channels.channel import Pressed, Said, Unreadable, Wordless
from channels.whatsapp import WhatsAppChannel
from channels.whatsapp.parse import parse

PAYLOADS = Path(__file__).parent / "payloads"
NUMBER_ID = "106540352242922"
SECRET, WORD, TOKEN = "app-secret", "verify-word", "access-token"

PROPOSES = [
    {"tool_calls": [{"name": "set_budget", "args": {"category": "Dining", "amount": "250"}}]},
    {"text": "{summary}"},
]

TEXT_ID = "wamid.HBgLMTY1MDM4Nzk0MzkVAgASGBQzQTRBNjU5OUFFRTAzODEwMTQ0RgA="
EXPECTED = {
    "text": Said(TEXT_ID, "16505551234", "16505551234", "42.50 lunch", TEXT_ID),
    "button_reply": Pressed(
        "wamid.button",
        "16505551234",
        "16505551234",
        "confirm",
        UUID("01a2148b-3000-76ef-9765-3ab1f4bf7a76"),
        "0123456789abcdef",
    ),
    "status": None,
    "image": Wordless("wamid.image", "16505551234", "16505551234"),
    "image_with_caption": Said("wamid.caption", "16505551234", "16505551234", "lunch 12.50", "wamid.caption"),
    "reaction": None,
}


@dataclass
class Meta:
    """The Cloud API with one person. `answers` are its next ones instead of success: (status, error code)."""

    url: str = ""
    person: str = field(default_factory=lambda: str(uuid4().int)[:11])
    sent: list[dict[str, Any]] = field(default_factory=list)
    media: dict[str, bytes] = field(default_factory=dict)
    answers: list[tuple[int, int]] = field(default_factory=list)
    typing: list[tuple[str, str]] = field(default_factory=list)

    async def api(self, request: web.Request) -> web.Response:
        if request.headers["Authorization"] != f"Bearer {TOKEN}":
            return web.json_response({"error": {"code": 190, "message": "Invalid OAuth access token"}}, status=401)
        message = await request.json()
        if message.get("status") == "read":
            self.typing.append((message["message_id"], message["typing_indicator"]["type"]))
            return web.json_response({"success": True})
        if self.answers:
            status, code = self.answers.pop(0)
            return web.json_response({"error": {"code": code, "message": "..."}}, status=status)
        if "to" not in message:
            return web.json_response({"error": {"code": 100, "message": "The parameter to is required."}}, status=400)
        if message["type"] == "image":
            assert message["image"]["id"] in self.media
        elif message["type"] == "text":
            assert 0 < len(message["text"]["body"]) <= 4096
            assert message["text"]["preview_url"] is False
        elif message["type"] == "template":
            (variable,) = message["template"]["components"][0]["parameters"]
            if any(sign in variable["text"] for sign in "\n\t") or "    " in variable["text"]:
                return web.json_response({"error": {"code": 132018, "message": "..."}}, status=400)
            assert len(variable["text"]) <= 1024
        else:
            assert len(message["interactive"]["body"]["text"]) <= 1024
            for button in message["interactive"]["action"]["buttons"]:
                assert len(button["reply"]["id"]) <= 256
                assert len(button["reply"]["title"]) <= 20
        self.sent.append(message)
        return web.json_response({"messages": [{"id": f"wamid.{uuid4().hex}"}]})

    async def upload(self, request: web.Request) -> web.Response:
        form = await request.post()
        assert form["messaging_product"] == "whatsapp"
        media_id = uuid4().hex
        self.media[media_id] = form["file"].file.read()  # type: ignore[union-attr]
        return web.json_response({"id": media_id})

    @property
    def texts(self) -> list[str]:
        return [m["text"]["body"] if m["type"] == "text" else m["interactive"]["body"]["text"] for m in self.sent]

    async def notify(self, client: httpx.AsyncClient, message: dict[str, Any], secret: str = SECRET) -> httpx.Response:
        """A signed notification of the person's message."""
        value = {
            "messaging_product": "whatsapp",
            "metadata": {"phone_number_id": NUMBER_ID},
            "messages": [{"from": self.person, "id": f"wamid.{uuid4().hex}"} | message],
        }
        body = orjson.dumps({"object": "x", "entry": [{"id": "1", "changes": [{"field": "messages", "value": value}]}]})
        signature = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        return await client.post("/webhooks/whatsapp", content=body, headers={"X-Hub-Signature-256": signature})

    async def say(self, client: httpx.AsyncClient, text: str, **more: Any) -> None:
        """The person writes; Penny takes it."""
        answer = await self.notify(client, {"type": "text", "text": {"body": text}, **more})
        assert answer.status_code == 200, answer.text


@pytest.fixture
async def meta(host: Any) -> Meta:
    """The Cloud API, on a free port."""
    made = Meta()
    made.url = await host(("POST", f"/{NUMBER_ID}/messages", made.api), ("POST", f"/{NUMBER_ID}/media", made.upload))
    return made


@pytest.fixture
def channel(meta: Meta) -> WhatsAppChannel:
    """The channel that speaks with it."""
    return WhatsAppChannel(SECRET, WORD, TOKEN, NUMBER_ID, meta.url)


@pytest.fixture
async def linked(serve: Any, channel: Any, meta: Meta, until: Any) -> Any:
    """A service with the person linked: `await linked(turns)`."""

    async def start(turns: Any = ({"text": "Hello."},)) -> Any:
        service = await serve({"whatsapp": channel}, turns)
        async with service.db.transaction(service.user) as tx:
            await tx.pg.execute("INSERT INTO category (user_id, name) VALUES ($1, 'Dining')", tx.user)
        await meta.say(service.outside, await service.link_text("whatsapp"))
        await until(lambda: meta.sent)
        meta.sent.clear()
        return service

    return start


@pytest.mark.parametrize("name", EXPECTED)
def test_a_recorded_notification(name: str) -> None:
    """Each means what it should; for another number it means nothing."""
    body = (PAYLOADS / f"{name}.json").read_bytes()
    assert parse(body, NUMBER_ID).events == tuple(filter(None, [EXPECTED[name]]))
    assert parse(body, "another").events == ()


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"{}", b'{"entry": [{"changes": 3}]}', b"\xff"])
def test_what_meta_never_sends_is_unreadable(body: bytes) -> None:
    """It is an error of the request's, not of ours."""
    with pytest.raises(Unreadable):
        parse(body, NUMBER_ID)


async def test_the_address_check_wants_our_word(serve: Any, channel: Any) -> None:
    """hub.challenge comes back to who knows the word, 401 to others."""
    service = await serve({"whatsapp": channel})
    query = {"hub.mode": "subscribe", "hub.verify_token": WORD, "hub.challenge": "1158201444"}
    assert (await service.outside.get("/webhooks/whatsapp", params=query)).text == "1158201444"
    for wrong in ({"hub.verify_token": "guess"}, {"hub.mode": "other"}):
        assert (await service.outside.get("/webhooks/whatsapp", params=query | wrong)).status_code == 401
    assert (await service.outside.get("/webhooks/whatsapp")).status_code == 401


async def test_requests_that_meta_did_not_sign_are_refused(serve: Any, channel: Any, meta: Meta) -> None:
    """Another secret, or none: 401."""
    service = await serve({"whatsapp": channel})
    hello = {"type": "text", "text": {"body": "hello"}}
    assert (await meta.notify(service.outside, hello, secret="other")).status_code == 401
    assert (await service.outside.post("/webhooks/whatsapp", json={})).status_code == 401


async def test_a_message_is_answered_once(linked: Any, meta: Meta, until: Any) -> None:
    """In WhatsApp's marks, without an address, a table as lines; the repeated notification changes nothing."""
    text = "You spent **$4** at Jo*e*'s, see https://evil.example\n\n| A | B |\n| --- | --- |\n| x | $1 |"
    service = await linked([{"text": text}])
    for _ in range(3):
        await meta.say(service.outside, "how much?", id="wamid.same" + meta.person)
    await until(lambda: service.outbox(status="sent", kind="reply"))
    assert meta.texts == ["You spent *$4* at Jo_e_'s, see (link left out)\n\nx: $1"]
    assert len(service.model.requests) == 1


async def test_a_proposal_is_applied_by_its_button(linked: Any, meta: Meta, until: Any) -> None:
    """And the outcome comes as a message of its own."""
    service = await linked(PROPOSES)
    await meta.say(service.outside, "set dining to 250")
    await until(lambda: meta.sent, 2)
    apply = meta.sent[1]["interactive"]["action"]["buttons"][0]["reply"]["id"]
    pressed = {"type": "interactive", "interactive": {"type": "button_reply", "button_reply": {"id": apply}}}
    for _ in range(2):
        assert (await meta.notify(service.outside, pressed)).status_code == 200
    await until(lambda: meta.sent, 3)
    assert meta.texts[2].startswith("*Applied:*")
    assert len((await service.client.get("/v1/journal")).json()["items"]) == 1


async def test_limits_are_waited_out_and_refusals_given_up(linked: Any, meta: Meta, until: Any) -> None:
    """Meta's rate limit comes as 400 with a code; a window that is closed stays closed."""
    service = await linked()
    meta.answers = [(400, 130429), (429, 80007), (500, 131000)]
    await meta.say(service.outside, "hello")
    await until(lambda: service.outbox(status="sent", kind="reply"))
    meta.answers = [(400, 131047)] * 5
    await meta.say(service.outside, "hello again")
    (dead,) = await until(lambda: service.outbox(status="dead"))
    assert dead["error"] == "http_400_131047"


async def test_a_chart_comes_as_an_image(linked: Any, meta: Meta, charts: Any, until: Any) -> None:
    """Uploaded, then sent by its id, after the text."""
    service = await linked(charts)
    await service.spend()
    await meta.say(service.outside, "where does it go?")
    await until(lambda: meta.sent, 2)
    assert [message["type"] for message in meta.sent] == ["text", "image"]
    (image,) = meta.media.values()
    assert image.startswith(b"\x89PNG")


async def test_the_check_tries_the_token(channel: Any, meta: Meta) -> None:
    """`penny channels check whatsapp` sends nothing to anybody."""
    assert NUMBER_ID in await channel.check()
    assert meta.sent == []
    await channel.close()


async def test_a_message_unasked_has_a_button_that_ends_it(linked: Any, meta: Meta, until: Any) -> None:
    """Within the window a text with a reply button."""
    service = await linked()
    await service.notify("whatsapp")
    await until(lambda: meta.sent)
    assert meta.texts == ["*Head*\n\n• Line"]
    (button,) = meta.sent[0]["interactive"]["action"]["buttons"]
    reply = {"type": "interactive", "interactive": {"type": "button_reply", "button_reply": button["reply"]}}
    assert (await meta.notify(service.outside, reply)).status_code == 200
    await until(lambda: meta.sent, 2)
    assert (await service.preferences()).notices == frozenset()


@pytest.mark.parametrize("template", [None, "penny_notice:en,de"])
async def test_after_a_day_only_a_template_goes_out(
    linked: Any, channel: Any, meta: Meta, until: Any, template: str | None
) -> None:
    """On one line, in the person's language where the template has it, with its button; without one nothing is sent."""
    channel.template, channel.templates = template, template is not None
    service = await linked()
    async with service.db.transaction(service.user) as tx:
        await tx.pg.execute("UPDATE channel_link SET used_at = used_at - interval '25 hours'")
        await tx.pg.execute("UPDATE preference SET locale = 'de-DE' WHERE user_id = $1", tx.user)
    await service.notify("whatsapp")
    await until(lambda: service.outbox(kind="notice", status="sent"))
    if template is None:
        assert meta.sent == []
        return
    (sent,) = meta.sent
    assert (sent["template"]["name"], sent["template"]["language"]) == ("penny_notice", {"code": "de"})
    body, button = sent["template"]["components"]
    assert body["parameters"] == [{"type": "text", "text": "Head - Line"}]
    press = {"type": "button", "button": {"text": "Abschalten", "payload": button["parameters"][0]["payload"]}}
    assert (await meta.notify(service.outside, press)).status_code == 200
    assert (await service.preferences()).notices == frozenset()


async def test_the_answer_to_a_template_is_understood(linked: Any, channel: Any, meta: Meta, until: Any) -> None:
    """What the template said stands in the conversation as it was meant, before the person's “why?”."""
    channel.template, channel.templates = "penny_notice:en", True
    service = await linked()
    async with service.db.transaction(service.user) as tx:
        await tx.pg.execute("UPDATE channel_link SET used_at = used_at - interval '25 hours'")
    await service.notify("whatsapp")
    await until(lambda: service.outbox(kind="notice", status="sent"))
    await meta.say(service.outside, "why?")
    await until(lambda: service.outbox(kind="reply", status="sent"))
    assert [message.text for message in service.model.requests[0].earlier] == [UNASKED, "**Head**\n\n- Line"]


async def test_ten_minutes_without_meta_are_bridged(linked: Any, meta: Meta, until: Any, outage: int) -> None:
    """By as many tries as the service makes in that time, of 503; then both replies are there once, in order."""
    service = await linked([{"text": "One."}, {"text": "Two."}])
    meta.answers = [(503, 131016)] * outage
    for text in ("one", "two"):
        await meta.say(service.outside, text)
    await until(lambda: service.outbox(kind="reply", status="sent"), 2)
    assert (meta.texts, meta.answers) == (["One.", "Two."], [])


async def test_typing_is_shown_once_for_a_message(linked: Any, meta: Meta, until: Any) -> None:
    """By the id of the message that is answered, which is marked as read with it."""
    service = await linked()
    meta.typing.clear()
    await meta.say(service.outside, "hello", id="wamid.mine" + meta.person)
    await until(lambda: "Hello." in meta.texts)
    assert meta.typing == [("wamid.mine" + meta.person, "text")]
