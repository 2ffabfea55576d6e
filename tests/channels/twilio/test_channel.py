"""Text messages: requests signed by Twilio's own library, and a person who texts Penny."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import httpx
import pytest
from aiohttp import web
from twilio.request_validator import RequestValidator

from channels.channel import Said, Switched, Wordless
from channels.twilio import TwilioChannel
from channels.twilio.parse import fields_of, parse

SID, TOKEN, NUMBER = "ACtest", "auth-token", "+15557654321"
URL = "https://penny.example/webhooks/twilio"

PROPOSES = [
    {"tool_calls": [{"name": "set_budget", "args": {"category": "Dining", "amount": "250"}}]},
    {"text": "{summary}"},
]

PAYLOADS = Path(__file__).parent / "payloads"
PERSON = "+14155550123"
EXPECTED = {
    "message": Said("SM0001", PERSON, PERSON, "42.50 lunch", "SM0001"),
    "picture": Wordless("SM0002", PERSON, PERSON),
    "picture_with_words": Said("SM0003", PERSON, PERSON, "lunch 12.50", "SM0003"),
    "stop": Switched("SM0004", PERSON, PERSON, "all", told=True),
    "start": None,
    "status": None,
}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_request(name: str) -> None:
    """Each recorded request means what it should; the answer is always an empty one."""
    parsed = parse(fields_of((PAYLOADS / f"{name}.txt").read_bytes().strip()))
    assert parsed.events == tuple(filter(None, [EXPECTED[name]]))
    assert parsed.answer.body == b"<Response/>"


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


@pytest.fixture
async def linked(serve: Any, channel: Any, twilio: Twilio, until: Any) -> Any:
    """A service with the person linked: `await linked(turns)`."""

    async def start(turns: Any = ({"text": "Hello."},)) -> Any:
        service = await serve({"twilio": channel}, turns)
        async with service.db.transaction(service.user) as tx:
            await tx.pg.execute("INSERT INTO category (user_id, name) VALUES ($1, 'Dining')", tx.user)
        await twilio.say(service.outside, await service.link_text("twilio"))
        await until(lambda: twilio.sent)
        twilio.sent.clear()
        return service

    return start


async def test_signatures_of_twilios_library_count(serve: Any, channel: Any, twilio: Twilio) -> None:
    """With the port named or not; another token, another address or a changed field is 401."""
    service = await serve({"twilio": channel})
    form = {"MessageSid": "SM1", "From": twilio.phone, "Body": "a&b=c é 🍜", "Empty": ""}
    assert (await twilio.post(service.outside, form)).status_code == 200
    with_port = URL.replace("penny.example", "penny.example:443")
    assert (await twilio.post(service.outside, form, url=with_port)).status_code == 200
    for wrong in ({"token": "other"}, {"url": URL.replace("https", "http")}):
        assert (await twilio.post(service.outside, form, **wrong)).status_code == 401
    signature = RequestValidator(TOKEN).compute_signature(URL, form)
    changed = await service.outside.post(
        "/webhooks/twilio", data=form | {"From": "+1"}, headers={"X-Twilio-Signature": signature}
    )
    assert changed.status_code == 401
    assert (await service.outside.post("/webhooks/twilio", content=b"\xff")).status_code == 401


async def test_a_text_is_answered_by_a_text(linked: Any, twilio: Twilio, until: Any) -> None:
    """The webhook's own answer is empty TwiML; the reply has no marks; a repeated request changes nothing."""
    service = await linked([{"text": "You spent **$4**.\n\n- one\n- two\n\n| A | B |\n| --- | --- |\n| x | $1 |"}])
    for _ in range(3):
        answer = await twilio.say(service.outside, "how much?", sid="SM" + twilio.phone)
        assert answer.text == "<Response/>"
        assert answer.headers["content-type"].startswith("text/xml")
    await until(lambda: service.outbox(status="sent", kind="reply"))
    assert twilio.texts == ["You spent $4.\n\n- one\n- two\n\nx: $1"]
    assert len(service.model.requests) == 1


async def test_a_proposal_is_applied_by_yes(linked: Any, twilio: Twilio, until: Any) -> None:
    """The code stands in the text; the outcome comes as a text."""
    service = await linked(PROPOSES)
    await twilio.say(service.outside, "set dining to 250")
    await until(lambda: twilio.sent, 2)
    code = twilio.texts[1].partition("YES ")[2][:2]
    await twilio.say(service.outside, f"Yes {code}")
    await until(lambda: twilio.sent, 3)
    assert twilio.texts[2].startswith("Applied:")
    assert len((await service.client.get("/v1/journal")).json()["items"]) == 1


async def test_states_of_our_messages_are_ignored(linked: Any, twilio: Twilio) -> None:
    """A status callback is taken, and nothing happens."""
    service = await linked()
    form = {"MessageSid": "SM9", "MessageStatus": "delivered", "From": NUMBER, "To": twilio.phone}
    assert (await twilio.post(service.outside, form)).status_code == 200
    assert (await twilio.post(service.outside, {"From": twilio.phone})).status_code == 400
    assert service.model.requests == []


async def test_limits_are_waited_out_and_refusals_given_up(linked: Any, twilio: Twilio, until: Any) -> None:
    """Too many requests may pass; a number that opted out stays so."""
    service = await linked()
    twilio.answers = [(429, 20429), (503, 20503)]
    await twilio.say(service.outside, "hello")
    await until(lambda: service.outbox(status="sent", kind="reply"))
    twilio.answers = [(400, 21610)] * 5
    await twilio.say(service.outside, "hello again")
    (dead,) = await until(lambda: service.outbox(status="dead"))
    assert dead["error"] == "http_400_21610"


async def test_the_check_tries_the_token(channel: Any, twilio: Twilio) -> None:
    """`penny channels check twilio` sends nothing to anybody."""
    assert SID in await channel.check()
    assert twilio.sent == []
    await channel.close()


async def test_a_text_unasked_says_how_it_is_ended(linked: Any, twilio: Twilio, until: Any) -> None:
    """By words that Twilio does not take for its own; they end one kind."""
    service = await linked()
    await service.notify("twilio")
    await until(lambda: twilio.sent)
    assert twilio.texts == ["Head\n\n- Line\n\nReply “stop weekly” to turn these messages off."]
    await twilio.say(service.outside, "STOP WEEKLY")
    await until(lambda: twilio.sent, 2)
    assert twilio.texts[1].startswith("Weekly summaries are off.")


@pytest.mark.parametrize("form", [{"Body": "STOP"}, {"Body": "stopall "}, {"Body": "Adios", "OptOutType": "STOP"}])
async def test_twilios_stop_ends_all_of_them_without_a_word(
    linked: Any, twilio: Twilio, until: Any, form: dict[str, str]
) -> None:
    """Twilio has answered it, and would refuse a text of ours; START asks the model nothing and switches nothing on."""
    service = await linked()
    await service.notify("twilio")
    await until(lambda: twilio.sent)
    sender = {"From": twilio.phone, "To": NUMBER}
    answer = await twilio.post(service.outside, {"MessageSid": f"SM{uuid4().hex}"} | sender | form)
    assert answer.text == "<Response/>"
    assert (await service.preferences()).notices == frozenset()
    await twilio.post(service.outside, {"MessageSid": f"SM{uuid4().hex}", "Body": "START"} | sender)
    assert (await service.preferences()).notices == frozenset()
    assert len(await service.outbox(kind="note")) == 1  # that of the link
    assert service.model.requests == []


async def test_ten_minutes_without_twilio_are_bridged(linked: Any, twilio: Twilio, until: Any, outage: int) -> None:
    """By as many tries as the service makes in that time, of 503; then both replies are there once, in order."""
    service = await linked([{"text": "One."}, {"text": "Two."}])
    twilio.answers = [(503, 20503)] * outage
    for text in ("one", "two"):
        await twilio.say(service.outside, text)
    await until(lambda: service.outbox(kind="reply", status="sent"), 2)
    assert (twilio.texts, twilio.answers) == (["One.", "Two."], [])
