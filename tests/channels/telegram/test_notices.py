"""A notice in Telegram, from the ledger to the answer to it: part of the conversation, once, and only while wanted."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from agent.history import UNASKED
from channels.deliver import Sending
from domain.clock import SystemClock
from ledger import preferences
from memory import links, outbox

NEAR = "Dining: 92% of $380.00 is spent, $30.40 is left."
RAISES = [
    {"tool_calls": [{"name": "set_budget", "args": {"category": "Dining", "amount": "450"}}]},
    {"text": "{summary}"},
]


@pytest.fixture
async def linked(serve: Any, channel: Any, telegram: Any, until: Any) -> Any:
    """A service whose person is linked and has nearly spent a budget: `await linked(turns)`."""

    async def start(turns: Any = ({"text": "Hello."},), **more: Any) -> Any:
        service = await serve({"telegram": channel}, turns, **more)
        await telegram.say(service.outside, await service.link_text("telegram"))
        await until(lambda: telegram.messages)
        telegram.messages.clear()
        await service.overspend()
        return service

    return start


async def quiet(service: Any, start: int, end: int) -> None:
    """Quiet hours from so many hours after now to so many."""
    async with service.db.transaction(service.user) as tx:
        clock = await tx.pg.fetchrow(
            """
            SELECT to_char(now() AT TIME ZONE 'UTC' + $1::int * interval '1 hour', 'HH24:MI') AS start,
                   to_char(now() AT TIME ZONE 'UTC' + $2::int * interval '1 hour', 'HH24:MI') AS end
            """,
            start,
            end,
        )
        kept = replace(await preferences.get(tx), quiet_from=clock["start"], quiet_until=clock["end"])
        await preferences.put(tx, kept)


async def test_what_was_said_unasked_can_be_answered(linked: Any, telegram: Any, until: Any) -> None:
    """The model is told the notice, with where it comes from, before the person's “raise it to 450”."""
    service = await linked(RAISES)
    await service.look()
    await until(lambda: telegram.texts)
    assert telegram.texts[0].endswith(f"• {NEAR}")
    await telegram.say(service.outside, "raise it to 450")
    await until(telegram.buttons, 3)
    origin, notice = service.model.requests[0].earlier
    assert (origin.type, origin.text, notice.type) == ("human", UNASKED, "ai")
    assert notice.text.endswith(f"- {NEAR}")
    (proposal,) = (await service.client.get("/v1/proposals?status=pending")).json()["items"]
    assert [(line["before"]["minor"], line["after"]["minor"]) for line in proposal["diff"]] == [(38000, 45000)]


async def test_a_notice_stands_in_the_history_with_its_facts(linked: Any, telegram: Any, until: Any) -> None:
    """As said by the assistant, without a run or tokens; each of its figures leads to the fact that it is."""
    service = await linked()
    await service.look()
    await until(lambda: telegram.texts)
    (item,) = await service.said()
    assert (item["role"], item["notice"], item["run_id"], item["status"]) == ("assistant", "budget", None, "finished")
    (looked,) = item["tools"]
    facts = {fact["id"]: (fact["label"], fact["value"], fact["unit"]) for fact in looked["facts"]}
    shown = {figure["text"]: facts[figure["fact_id"]] for figure in item["figures"]}
    assert {text: value for text, (_, value, _) in shown.items()} == {
        "92%": "92.0",
        "$380.00": "380.00",
        "$30.40": "30.40",
    }
    assert all(item["text"][f["start"] : f["end"]] == f["text"] and f["verified"] for f in item["figures"])
    assert (await service.client.get("/v1/usage")).json()["today"]["tokens"] == 0


async def test_figures_repeated_from_a_notice_are_verified(linked: Any, telegram: Any, until: Any) -> None:
    """“Why?” may be answered from what the notice said."""
    service = await linked([{"text": "Because $30.40 is left of your Dining budget, and $12.34 is not."}])
    await service.look()
    await until(lambda: telegram.texts)
    await telegram.say(service.outside, "why?")
    await until(lambda: service.outbox(kind="reply", status="sent"))
    *_, reply = await service.said()
    assert [(figure["text"], figure["verified"]) for figure in reply["figures"]] == [
        ("$30.40", True),
        ("$12.34", False),
    ]


async def test_the_session_is_told_of_a_notice(linked: Any, telegram: Any, until: Any) -> None:
    """Its feed has it as a message of the assistant's that no run made, so that an open widget shows it."""
    service = await linked()
    await telegram.say(service.outside, "hello")
    await until(lambda: service.outbox(kind="reply", status="sent"))
    (session,) = (await service.client.get("/v1/sessions")).json()["items"]
    await service.look()
    await until(lambda: telegram.texts, 2)
    feed = service.runner.feed(service.user, session["id"], 0)
    async with asyncio.timeout(60):
        async for frame in feed:
            if frame.type == "message.added" and '"notice":"budget"' in frame.data:
                break
    assert '"role":"assistant"' in frame.data
    assert '"run_id":null' in frame.data


async def test_a_notice_that_is_tried_again_is_said_once(linked: Any, telegram: Any, until: Any) -> None:
    """Telegram was away, and the process that sent it died: one message there, one in the session."""
    service = await linked()
    telegram.answers = [(502, "Bad Gateway", {})] * 4
    await service.look()
    await until(lambda: telegram.texts)
    await until(lambda: service.outbox(kind="notice", status="sent"))
    assert [item["notice"] for item in await service.said()] == ["budget"]
    assert len(telegram.texts) == 1


async def test_a_sender_that_lost_the_row_says_nothing(linked: Any, telegram: Any, until: Any) -> None:
    """One that was stopped past its lease finds the row another's: it adds nothing to the session and sends nothing."""
    service = await linked()
    await service.look()
    await until(lambda: service.outbox(kind="notice", status="sent"))
    (row,) = await service.outbox(kind="notice")
    async with service.db.transaction(service.user) as tx:
        await tx.pg.execute("UPDATE outbox SET status = 'waiting', lease_until = now() + interval '1 hour'")
    late = outbox.Delivery(
        service.user, row["id"], "telegram", row["chat"], "notice", None, row["attempt"] - 1, 0, row["created_at"]
    )
    await Sending(service.db, service.runner, service.channels["telegram"], late, SystemClock()).perform()
    assert (len(telegram.texts), len(await service.said())) == (1, 1)


async def test_a_notice_waits_for_the_reply_that_is_being_made(linked: Any, telegram: Any, until: Any) -> None:
    """It comes after it in the chat; in the session it has the turn after the question that was there first."""
    service = await linked([{"text": " ".join(["word"] * 60)}], delay=0.02)
    await telegram.say(service.outside, "tell me")
    await until(lambda: service.model.requests)
    await service.look()
    await until(lambda: [text for text in telegram.texts if NEAR in text])
    assert [NEAR in text for text in telegram.texts] == [False, True]
    assert telegram.texts[0].split() == ["word"] * 60
    assert [item["notice"] for item in await service.said()] == [None, None, "budget"]


async def test_another_end_of_the_quiet_hours_releases_what_waits(linked: Any, telegram: Any, until: Any) -> None:
    """Later it waits on; when it is not quiet any more it comes at once, though it was due in hours."""
    service = await linked()
    await quiet(service, -1, 3)
    await service.look()
    (row,) = await until(lambda: service.outbox(kind="notice"))
    await quiet(service, -1, 5)
    later = await until(lambda: service.outbox(kind="notice", error="quiet_hours"))
    assert 3500 < (later[0]["due_at"] - row["due_at"]).total_seconds() < 7300
    assert telegram.texts == []
    await quiet(service, 2, 4)
    await until(lambda: telegram.texts)


async def test_a_kind_switched_off_takes_along_what_waits(linked: Any, telegram: Any, until: Any) -> None:
    """Nothing of it is kept, nor in the session; other changes of preferences leave it."""
    service = await linked()
    await quiet(service, -1, 3)
    await service.look()
    await service.client.patch("/v1/preferences", json={"weekly_summary": True})
    assert len(await service.outbox(kind="notice", status="waiting")) == 1
    await service.client.patch("/v1/preferences", json={"budget_alerts": False})
    assert await service.outbox(kind="notice") == []
    assert (await service.client.get("/v1/sessions")).json()["items"] == []


async def test_an_unlinked_chat_takes_along_what_waits_for_it(linked: Any, telegram: Any, until: Any) -> None:
    """It is not kept for whoever links the chat next."""
    service = await linked()
    await quiet(service, -1, 3)
    await service.look()
    assert len(await service.outbox(kind="notice", status="waiting")) == 1
    async with service.db.transaction(service.user) as tx:
        await links.unlink(tx, "telegram")
    assert await service.outbox(kind="notice") == []


async def test_an_edit_of_what_came_before_leaves_a_notice(linked: Any, telegram: Any, until: Any) -> None:
    """It was sent, whatever the person makes of their own words."""
    service = await linked([{"text": "One."}, {"text": "Two."}])
    await telegram.say(service.outside, "first")
    await until(lambda: service.outbox(kind="reply", status="sent"))
    await service.look()
    await until(lambda: telegram.texts, 2)
    asked, *_ = await service.said()
    session = (await service.client.get("/v1/sessions")).json()["items"][0]["id"]
    body = {"text": "other", "edit_of": asked["id"]}
    await service.client.post(f"/v1/sessions/{session}/messages", json=body)
    assert [item["notice"] for item in await service.said()] == ["budget", None, None]
    assert next(message.text for message in service.model.requests[1].earlier) == UNASKED


async def test_an_answer_is_decided_in_the_chats_own_words(linked: Any, telegram: Any, until: Any) -> None:
    """In a German chat the notice, the change, what is typed and the outcome are German."""
    service = await linked(RAISES)
    await service.client.patch("/v1/preferences", json={"locale": "de-DE"})
    await service.look()
    await until(lambda: [text for text in telegram.texts if "sind ausgegeben" in text])
    await telegram.say(service.outside, "auf 450 erhöhen")
    (card,) = await until(lambda: [text for text in telegram.texts if "Budget festlegen" in text])
    assert ": Betrag 380,00\xa0$ → 450,00\xa0$" in card
    code = card.split("„ja ")[-1].split("“ja ")[-1][:2]
    await telegram.say(service.outside, f"Ja {code}")
    await until(lambda: [text for text in telegram.texts if text.startswith("<b>Übernommen:</b> Budget festlegen")])
