"""Text messages: requests signed by Twilio's own library, and a person who texts Penny."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from twilio.request_validator import RequestValidator

from channels.channel import Said, Switched, Wordless
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


@pytest.fixture
async def linked(serve: Any, channel: Any, twilio: Any, until: Any) -> Any:
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


async def test_signatures_of_twilios_library_count(serve: Any, channel: Any, twilio: Any) -> None:
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


async def test_a_text_is_answered_by_a_text(linked: Any, twilio: Any, until: Any) -> None:
    """The webhook's own answer is empty TwiML; the reply has no marks; a repeated request changes nothing."""
    service = await linked([{"text": "You spent **$4**.\n\n- one\n- two\n\n| A | B |\n| --- | --- |\n| x | $1 |"}])
    for _ in range(3):
        answer = await twilio.say(service.outside, "how much?", sid="SM" + twilio.phone)
        assert answer.text == "<Response/>"
        assert answer.headers["content-type"].startswith("text/xml")
    await until(lambda: service.outbox(status="sent", kind="reply"))
    assert twilio.texts == ["You spent $4.\n\n- one\n- two\n\nx: $1"]
    assert len(service.model.requests) == 1


async def test_a_proposal_is_applied_by_yes(linked: Any, twilio: Any, until: Any) -> None:
    """The code stands in the text; the outcome comes as a text."""
    service = await linked(PROPOSES)
    await twilio.say(service.outside, "set dining to 250")
    await until(lambda: twilio.sent, 2)
    code = twilio.texts[1].partition("YES ")[2][:2]
    await twilio.say(service.outside, f"Yes {code}")
    await until(lambda: twilio.sent, 3)
    assert twilio.texts[2].startswith("Applied:")
    assert len((await service.client.get("/v1/journal")).json()["items"]) == 1


async def test_states_of_our_messages_are_ignored(linked: Any, twilio: Any) -> None:
    """A status callback is taken, and nothing happens."""
    service = await linked()
    form = {"MessageSid": "SM9", "MessageStatus": "delivered", "From": NUMBER, "To": twilio.phone}
    assert (await twilio.post(service.outside, form)).status_code == 200
    assert (await twilio.post(service.outside, {"From": twilio.phone})).status_code == 400
    assert service.model.requests == []


async def test_limits_are_waited_out_and_refusals_given_up(linked: Any, twilio: Any, until: Any) -> None:
    """Too many requests may pass; a number that opted out stays so."""
    service = await linked()
    twilio.answers = [(429, 20429), (503, 20503)]
    await twilio.say(service.outside, "hello")
    await until(lambda: service.outbox(status="sent", kind="reply"))
    twilio.answers = [(400, 21610)] * 5
    await twilio.say(service.outside, "hello again")
    (dead,) = await until(lambda: service.outbox(status="dead"))
    assert dead["error"] == "http_400_21610"


async def test_the_check_tries_the_token(channel: Any, twilio: Any) -> None:
    """`penny channels check twilio` sends nothing to anybody."""
    assert SID in await channel.check()
    assert twilio.sent == []
    await channel.close()


async def test_a_text_unasked_says_how_it_is_ended(linked: Any, twilio: Any, until: Any) -> None:
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
    linked: Any, twilio: Any, until: Any, form: dict[str, str]
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


async def test_ten_minutes_without_twilio_are_bridged(linked: Any, twilio: Any, until: Any, outage: int) -> None:
    """By as many tries as the service makes in that time, of 503; then both replies are there once, in order."""
    service = await linked([{"text": "One."}, {"text": "Two."}])
    twilio.answers = [(503, 20503)] * outage
    for text in ("one", "two"):
        await twilio.say(service.outside, text)
    await until(lambda: service.outbox(kind="reply", status="sent"), 2)
    assert (twilio.texts, twilio.answers) == (["One.", "Two."], [])
