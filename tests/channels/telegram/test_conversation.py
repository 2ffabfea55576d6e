"""A person and Penny in Telegram, over the Bot API."""

from __future__ import annotations

import re
from typing import Any

import pytest

PROPOSES = [
    {"tool_calls": [{"name": "set_budget", "args": {"category": "Dining", "amount": "250"}}]},
    {"text": "{summary}"},
]


@pytest.fixture
async def linked(serve: Any, channel: Any, telegram: Any, until: Any) -> Any:
    """A service with the person linked by a deep link: `await linked(turns)`."""

    async def start(turns: Any = ({"text": "Hello."},), **more: Any) -> Any:
        service = await serve({"telegram": channel}, turns, **more)
        async with service.db.transaction(service.user) as tx:
            await tx.pg.execute("INSERT INTO category (user_id, name) VALUES ($1, 'Dining')", tx.user)
        code = (await service.link_text("telegram")).removeprefix("link ")
        await telegram.say(service.outside, f"/start {code}")
        await until(lambda: telegram.messages)
        telegram.messages.clear()
        return service

    return start


async def test_a_question_is_answered_in_html(linked: Any, telegram: Any, until: Any) -> None:
    """Marks as tags, a table in fixed width, & < > escaped, no address passed on, nothing previewed."""
    text = "You spent **$4** at A&B <3, see https://evil.example/?d=4\n\n| A | B |\n| --- | --- |\n| x | $1 |"
    service = await linked([{"text": text}])
    await telegram.say(service.outside, "how much?")
    await until(lambda: [t for t in telegram.texts if "<pre>" in t])
    (said,) = telegram.texts
    assert said == "You spent <b>$4</b> at A&amp;B &lt;3, see (link left out)\n\n<pre>A   B\nx  $1</pre>"
    assert telegram.typing > 0


async def test_an_update_repeated_makes_one_run(linked: Any, telegram: Any, until: Any) -> None:
    """Telegram repeats what it got no answer for; the update_id tells."""
    service = await linked()
    for _ in range(3):
        await telegram.say(service.outside, "hello", update_id=7_000_000_000)
    await until(lambda: telegram.messages)
    await until(lambda: service.outbox(status="sent", kind="reply"))
    assert len(service.model.requests) == 1


async def test_a_proposal_is_applied_by_its_button_once(linked: Any, telegram: Any, until: Any) -> None:
    """The buttons give way to the outcome; the press is acknowledged in the answer."""
    service = await linked(PROPOSES)
    await telegram.say(service.outside, "set dining to 250")
    buttons = await until(telegram.buttons, 2)
    apply = next(b["callback_data"] for b in buttons if b["text"] == "Apply")
    assert len(apply.encode()) <= 64
    for _ in range(3):
        answer = await telegram.press(service.outside, apply)
        assert answer.json()["method"] == "answerCallbackQuery"
    await until(lambda: [t for t in telegram.texts if t.startswith("<b>Applied:</b>")])
    assert telegram.buttons() == []
    assert len((await service.client.get("/v1/journal")).json()["items"]) == 1


async def test_a_long_reply_comes_in_parts(linked: Any, telegram: Any, until: Any) -> None:
    """Each within Telegram's limit, broken between paragraphs, in order, without a mark cut in two."""
    paragraphs = [f"**{n}** " + "word " * 300 for n in range(5)] + [f"**{'x' * 5000}**"]
    service = await linked([{"text": "\n\n".join(paragraphs)}])
    await telegram.say(service.outside, "talk")
    await until(lambda: service.outbox(status="sent", kind="reply"))
    whole = "\n\n".join(telegram.texts)
    assert re.findall(r"<b>(\d)</b>", whole) == ["0", "1", "2", "3", "4"]
    assert whole.count("word") == 1500
    assert whole.count("x") == 5000
    assert all(t.count("<b>") == t.count("</b>") for t in telegram.texts)


async def test_flood_control_is_waited_out(linked: Any, telegram: Any, until: Any) -> None:
    """429 with retry_after, and a server's error: the reply comes later, once."""
    service = await linked()
    telegram.answers = [(429, "Too Many Requests: retry after 1", {"retry_after": 1}), (502, "Bad Gateway", {})]
    await telegram.say(service.outside, "hello")
    await until(lambda: service.outbox(status="sent", kind="reply"))
    assert telegram.texts == ["Hello."]


async def test_a_person_who_blocked_the_bot_is_given_up(linked: Any, telegram: Any, until: Any) -> None:
    """403 five times; the reason is kept, Telegram's words are not."""
    service = await linked()
    telegram.answers = [(403, "Forbidden: bot was blocked by the user", {})] * 5
    await telegram.say(service.outside, "hello")
    (dead,) = await until(lambda: service.outbox(status="dead"))
    assert dead["error"] == "forbidden"


async def test_updates_without_the_secret_are_refused(serve: Any, channel: Any, telegram: Any) -> None:
    """401, and nothing happens."""
    service = await serve({"telegram": channel})
    assert (await telegram.update(service.outside, secret="other")).status_code == 401
    assert (await service.outside.post("/webhooks/telegram", json={"update_id": 1})).status_code == 401


async def test_the_check_says_who_telegram_takes_us_for(channel: Any, telegram: Any) -> None:
    """`penny channels check telegram` asks getMe and getWebhookInfo."""
    said = await channel.check()
    assert "@penny_bot" in said
    assert "set the webhook" in said
    await channel.close()


async def test_the_check_says_what_is_wrong_with_the_webhook(channel: Any, telegram: Any) -> None:
    """Updates that Telegram keeps back, and its last trouble with our address."""
    telegram.webhook = {
        "url": "https://penny.example/webhooks/telegram",
        "allowed_updates": ["message"],
        "last_error_message": "Connection timed out",
        "last_error_date": 1_700_000_000,
    }
    said = await channel.check()
    assert "keeps edited_message, callback_query back" in said
    assert said.endswith("Its last trouble with that address: Connection timed out.")
    await channel.close()


async def test_a_chart_comes_as_a_photo(linked: Any, telegram: Any, charts: Any, until: Any) -> None:
    """A PNG after the text."""
    service = await linked(charts)
    await service.spend()
    await telegram.say(service.outside, "where does it go?")
    (photo,) = await until(lambda: telegram.photos)
    assert photo.startswith(b"\x89PNG")
    assert telegram.texts == ["See the chart."]


async def test_a_message_unasked_is_ended_by_one_tap(linked: Any, telegram: Any, until: Any) -> None:
    """Its button switches its kind off, once however often it is tapped; `start weekly` switches it on again."""
    service = await linked()
    await service.notify("telegram")
    await until(lambda: telegram.texts)
    (button,) = telegram.buttons()
    assert button == {"text": "Turn off", "callback_data": "off:weekly"}
    for _ in range(2):
        assert (await telegram.press(service.outside, button["callback_data"])).json()["method"]
    await until(lambda: telegram.texts, 2)
    assert telegram.texts[1] == "Weekly summaries are off. Say “start weekly” to turn them on again."
    assert (await service.preferences()).notices == frozenset()
    (entry,) = (await service.client.get("/v1/journal")).json()["items"]
    assert entry["text"] == "Set the weekly summary from on to off."
    await telegram.say(service.outside, "Start weekly")
    await until(lambda: "You get a summary of each week. Say “stop weekly” to turn it off." in telegram.texts)
    assert (await service.preferences()).notices == {"weekly"}


async def test_what_is_not_wanted_any_more_is_not_sent(linked: Any, telegram: Any, until: Any) -> None:
    """A message that waits for the morning goes with its switch; and it held up nothing behind it."""
    service = await linked()
    await service.notify("telegram")
    await until(lambda: telegram.texts)
    async with service.db.transaction(service.user) as tx:
        await tx.pg.execute(
            """
            INSERT INTO outbox (user_id, id, channel, chat, kind, dedupe, body, due_at)
            SELECT user_id, uuidv7(), channel, chat, 'notice', 'later', body, due_at + interval '1 hour' FROM outbox
             WHERE kind = 'notice'
            """
        )
    await telegram.say(service.outside, "stop all")
    await until(lambda: telegram.texts, 2)
    assert [row["status"] for row in await service.outbox(kind="notice")] == ["sent"]


async def test_at_night_a_message_that_is_due_waits_again(linked: Any, telegram: Any, until: Any) -> None:
    """An app that was away until the evening does not bring it at night."""
    service = await linked()
    (chat,) = {row["chat"] for row in await service.outbox()}
    async with service.db.transaction(service.user) as tx:
        await tx.pg.execute(
            """
            UPDATE preference SET weekly_summary = true,
                   quiet_from = to_char(now() AT TIME ZONE 'UTC' - interval '1 hour', 'HH24:MI'),
                   quiet_until = to_char(now() AT TIME ZONE 'UTC' + interval '2 hours', 'HH24:MI')
             WHERE user_id = $1
            """,
            tx.user,
        )
        await tx.pg.execute(
            """
            INSERT INTO outbox (user_id, id, channel, chat, kind, dedupe, body)
            VALUES ($1, uuidv7(), 'telegram', $2, 'notice', 'x', $3)
            """,
            tx.user,
            chat,
            {"text": "Head", "kind": "weekly"},
        )
    service.sender.wake()
    (row,) = await until(lambda: service.outbox(error="quiet_hours"))
    assert row["status"] == "waiting"
    assert 5400 < (row["due_at"] - row["created_at"]).total_seconds() < 7300
    assert telegram.texts == []


async def test_chats_are_spoken_to_in_their_language(linked: Any, telegram: Any, until: Any) -> None:
    """Commands, buttons, outcomes and refusals of a linked person in that of their locale."""
    service = await linked(PROPOSES)
    await service.client.patch("/v1/preferences", json={"locale": "fr-FR"})
    await telegram.say(service.outside, "pending")
    await until(lambda: "Rien n’attend votre décision." in telegram.texts)
    await telegram.say(service.outside, "set dining to 250")
    await until(telegram.buttons, 2)
    apply, reject = telegram.buttons()
    assert (apply["text"], reject["text"]) == ("Appliquer", "Refuser")
    await telegram.press(service.outside, reject["callback_data"])
    await until(lambda: [text for text in telegram.texts if text.startswith("<b>Refusée:</b>")])
    await telegram.press(service.outside, apply["callback_data"])
    await until(lambda: [text for text in telegram.texts if text.startswith("Cette proposition a déjà été décidée")])


async def test_a_stranger_is_told_how_to_link_in_the_language_of_their_app(
    serve: Any, channel: Any, telegram: Any, until: Any
) -> None:
    """Telegram says which one that is."""
    service = await serve({"telegram": channel})
    person = {"id": telegram.person, "is_bot": False, "first_name": "Kim", "language_code": "es"}
    chat = {"id": telegram.person, "type": "private", "first_name": "Kim"}
    message = {"message_id": 5, "date": 1_700_000_000, "chat": chat, "from": person, "text": "hola"}
    await telegram.update(service.outside, message=message)
    await until(lambda: [text for text in telegram.texts if text.startswith("Soy Penny.")])


async def test_ten_minutes_without_telegram_are_bridged(linked: Any, telegram: Any, until: Any, outage: int) -> None:
    """By as many tries as the service makes in that time, of 502; then both replies are there once, in order."""
    service = await linked([{"text": "One."}, {"text": "Two."}])
    telegram.answers = [(502, "Bad Gateway", {})] * outage
    for text in ("one", "two"):
        await telegram.say(service.outside, text)
    await until(lambda: service.outbox(kind="reply", status="sent"), 2)
    assert (telegram.texts, telegram.answers) == (["One.", "Two."], [])
