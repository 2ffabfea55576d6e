"""A member of a Slack workspace and Penny, over Slack's API and signed requests."""

from __future__ import annotations

import json
from typing import Any

import pytest

PROPOSES = [
    {"tool_calls": [{"name": "set_budget", "args": {"category": "Dining", "amount": "250"}}]},
    {"text": "{summary}"},
]


@pytest.fixture
async def linked(serve: Any, channel: Any, slack: Any, until: Any) -> Any:
    """A service with the member linked: `await linked(turns)`."""

    async def start(turns: Any = ({"text": "Hello."},), **more: Any) -> Any:
        service = await serve({"slack": channel}, turns, **more)
        async with service.db.transaction(service.user) as tx:
            await tx.pg.execute("INSERT INTO category (user_id, name) VALUES ($1, 'Dining')", tx.user)
        await slack.say(service.outside, await service.link_text("slack"))
        await until(lambda: slack.messages)
        slack.messages.clear()
        return service

    return start


async def test_a_question_is_answered_in_slacks_dialect(linked: Any, slack: Any, until: Any) -> None:
    """Bold with one star, tables in fixed width, & < > escaped, no address passed on."""
    text = "You spent **$4** at A&B, see https://evil.example/?d=4\n\n| A | B |\n| --- | --- |\n| x | $1 |"
    service = await linked([{"text": text}])
    await slack.say(service.outside, "how much?")
    await until(lambda: [t for t in slack.texts if "```" in t])
    (said,) = slack.texts
    assert said == "You spent *$4* at A&amp;B, see (link left out)\n\n```A   B\nx  $1```"


async def test_a_proposal_is_applied_by_its_button_once(linked: Any, slack: Any, until: Any) -> None:
    """Pressed three times it is one journal entry, and the buttons give way to the outcome."""
    service = await linked(PROPOSES)
    await slack.say(service.outside, "set dining to 250")
    buttons = await until(slack.buttons, 2)
    apply = dict(buttons)["Apply"]
    for _ in range(3):
        await slack.press(service.outside, apply)
    await until(lambda: [t for t in slack.texts if t.startswith("*Applied:*")])
    assert slack.buttons() == []
    assert len((await service.client.get("/v1/journal")).json()["items"]) == 1


async def test_a_button_of_another_hash_applies_nothing(linked: Any, slack: Any, until: Any) -> None:
    """A button can only apply what it was shown with."""
    service = await linked(PROPOSES)
    await slack.say(service.outside, "set dining to 250")
    buttons = await until(slack.buttons, 2)
    head, _, _ = dict(buttons)["Apply"].rpartition(":")
    await slack.press(service.outside, f"{head}:{'0' * 16}")
    await until(lambda: [t for t in slack.texts if "not the change that was shown" in t])
    assert (await service.client.get("/v1/journal")).json()["items"] == []


async def test_applied_elsewhere_the_buttons_go(linked: Any, slack: Any, until: Any) -> None:
    """Confirmed by HTTP, the message in Slack shows it as applied."""
    service = await linked(PROPOSES)
    await slack.say(service.outside, "set dining to 250")
    await until(slack.buttons, 2)
    (proposal,) = (await service.client.get("/v1/proposals")).json()["items"]
    answer = await service.client.post(f"/v1/proposals/{proposal['id']}/confirm", json={"hash": proposal["hash"]})
    assert answer.status_code == 200
    await until(lambda: [t for t in slack.texts if t.startswith("*Applied:*")])
    assert slack.buttons() == []


async def test_a_long_reply_grows_by_edits(linked: Any, slack: Any, channel: Any, until: Any) -> None:
    """One message is posted, edited while the reply is made, and ends as the whole reply."""
    channel.edit_seconds = 0.01
    service = await linked([{"text": "word " * 60}], delay=0.01)
    await slack.say(service.outside, "talk")
    await until(lambda: slack.edits >= 3)
    await until(lambda: service.outbox(status="sent", kind="reply"))
    assert slack.texts == ["word " * 59 + "word"]


async def test_rate_limits_are_waited_out(linked: Any, slack: Any, until: Any) -> None:
    """429 with Retry-After: the reply comes later, once."""
    service = await linked()
    slack.answers = [0, 0, "internal_error"]
    await slack.say(service.outside, "hello")
    await until(lambda: slack.messages)
    assert slack.texts == ["Hello."]


async def test_a_chat_that_is_gone_is_given_up(linked: Any, slack: Any, until: Any) -> None:
    """What Slack will always refuse is dead after five tries, with Slack's code as the reason."""
    service = await linked()
    slack.answers = ["channel_not_found"] * 5
    await slack.say(service.outside, "hello")
    (dead,) = await until(lambda: service.outbox(status="dead"))
    assert dead["error"] == "channel_not_found"


async def test_in_a_channel_money_is_not_spoken_of_unless_allowed(linked: Any, slack: Any, until: Any) -> None:
    """Mentioned where others read, Penny answers in the thread that it does not, until it is allowed there."""
    service = await linked()

    async def mention(text: str) -> None:
        await slack.event(
            service.outside, type="app_mention", channel="C1", channel_type="", text=f"<@UPENNY> {text}",
            ts="1700.000100", thread_ts="1700.000100",
        )  # fmt: skip

    await mention("how much?")
    await until(lambda: slack.messages)
    assert "Others read along" in slack.texts[0]
    assert service.model.requests == []
    await mention("allow money talk")
    await mention("how much?")
    await until(lambda: slack.messages, 3)
    assert slack.texts[2] == "Hello."
    assert {m["thread_ts"] for m in slack.messages.values()} == {"1700.000100"}


async def test_requests_that_slack_did_not_sign_are_refused(serve: Any, channel: Any, slack: Any) -> None:
    """Another secret, an old request, no signature: 401."""
    service = await serve({"slack": channel})
    body = json.dumps({"type": "url_verification", "challenge": "c"}).encode()
    assert (await slack.post(service.outside, body)).text == "c"
    assert (await slack.post(service.outside, body, secret="other")).status_code == 401
    assert (await slack.post(service.outside, body, ago=301)).status_code == 401
    assert (await service.outside.post("/webhooks/slack", content=body)).status_code == 401


async def test_the_check_says_who_slack_takes_us_for(channel: Any, slack: Any) -> None:
    """`penny channels check slack` asks auth.test."""
    assert await channel.check() == "Slack knows us as penny in Example."


async def test_the_check_says_which_scopes_are_lacking(channel: Any, slack: Any) -> None:
    """Those of the manifest for the view that is set."""
    slack.scopes = ("chat:write", "im:history", "im:write", "app_mentions:read", "commands")
    assert "lacks the scopes files:write:" in await channel.check()
    channel.view = "agent"
    assert "lacks the scopes assistant:write, files:write:" in await channel.check()
    slack.scopes += ("files:write", "assistant:write")
    assert await channel.check() == "Slack knows us as penny in Example."


async def test_a_chart_comes_as_a_picture(linked: Any, slack: Any, charts: Any, until: Any) -> None:
    """A PNG in the same conversation, after the text."""
    service = await linked(charts)
    await service.spend()
    await slack.say(service.outside, "where does it go?")
    await until(lambda: slack.shared)
    ((file, where),) = slack.shared.items()
    assert where == slack.dm
    assert b"\x89PNG" in slack.files[file]
    assert slack.texts == ["See the chart."]


async def test_a_chart_that_slack_refuses_is_left_out(linked: Any, slack: Any, charts: Any, until: Any) -> None:
    """Without the scope for files the text still arrives, and the delivery is done."""
    service = await linked(charts)
    await service.spend()
    slack.refused_methods = {"files.getUploadURLExternal": "missing_scope"}
    await slack.say(service.outside, "where does it go?")
    await until(lambda: service.outbox(status="sent", kind="reply"))
    assert slack.texts == ["See the chart."]


async def test_an_edit_is_answered_in_place_of_the_message(linked: Any, slack: Any, until: Any) -> None:
    """The edited message takes the place of the first one; the edit repeated changes nothing."""
    service = await linked([{"text": "Noted 24."}, {"text": "Noted 42."}])
    ts = await slack.say(service.outside, "24.50 lunch")
    await until(lambda: service.outbox(status="sent", kind="reply"))
    edit = {
        "subtype": "message_changed",
        "message": {"user": slack.user, "text": "42.50 lunch", "ts": ts},
        "previous_message": {"user": slack.user, "text": "24.50 lunch", "ts": ts},
    }
    for _ in range(2):
        await slack.event(service.outside, f"Ev-edit-{ts}{slack.user}", **edit)
    await until(lambda: service.outbox(status="sent", kind="reply"), 2)
    assert slack.texts == ["Noted 24.", "Noted 42."]
    (session,) = (await service.client.get("/v1/sessions")).json()["items"]
    said = (await service.client.get(f"/v1/sessions/{session['id']}/messages")).json()["items"]
    assert [item["text"] for item in said] == ["42.50 lunch", "Noted 42."]


async def test_an_edit_of_an_older_message_changes_nothing(linked: Any, slack: Any, until: Any) -> None:
    """The person is told to say it anew; what came after stands."""
    service = await linked()
    ts = await slack.say(service.outside, "24.50 lunch")
    await slack.say(service.outside, "thanks")
    await until(lambda: service.outbox(status="sent", kind="reply"), 2)
    await slack.event(
        service.outside,
        subtype="message_changed",
        message={"user": slack.user, "text": "42.50 lunch", "ts": ts},
        previous_message={"user": slack.user, "text": "24.50 lunch", "ts": ts},
    )
    await until(lambda: [text for text in slack.texts if "gone on since" in text])
    assert len(service.model.requests) == 2


async def test_a_deleted_message_is_not_answered(linked: Any, slack: Any, until: Any) -> None:
    """While its reply is made, taking the message back stops the reply."""
    service = await linked([{"text": "word " * 2000}], delay=0.05)
    ts = await slack.say(service.outside, "talk")
    await until(lambda: service.model.open_streams)
    await slack.event(
        service.outside,
        subtype="message_deleted",
        deleted_ts=ts,
        previous_message={"user": slack.user, "text": "talk", "ts": ts},
    )
    await until(lambda: not service.model.open_streams)
    await until(lambda: service.outbox(status="sent", kind="reply"))
    assert slack.texts[-1].endswith("(Stopped.)")


async def test_ten_minutes_without_slack_are_bridged(linked: Any, slack: Any, until: Any, outage: int) -> None:
    """By as many tries as the service makes in that time; then both replies are there once, in order."""
    service = await linked([{"text": "One."}, {"text": "Two."}])
    slack.answers = ["service_unavailable"] * outage
    for text in ("one", "two"):
        await slack.say(service.outside, text)
    await until(lambda: service.outbox(kind="reply", status="sent"), 2)
    assert (slack.texts, slack.answers) == (["One.", "Two."], [])
