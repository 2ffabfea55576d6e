"""Slack's views for agents: threads with a title, a status, prompts, and replies that Slack streams."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from channels.channel import TryLater
from channels.slack import SlackChannel
from channels.slack.manifest import EVENTS, PANE_EVENTS, PANE_SCOPE, SCOPES, manifest
from channels.slack.pace import Pace
from channels.slack.parse import parse
from channels.slack.stream import settled
from channels.texts import LANGUAGES, texts
from ledger import preferences
from memory import links, outbox

PAYLOADS = Path(__file__).parent / "payloads"
SOURCE = Path(parse.__code__.co_filename).parent
VIEWS = ("messages", "agent", "assistant")

SCOPE_OF = {
    "assistant.threads.setStatus": "chat:write",
    "assistant.threads.setSuggestedPrompts": PANE_SCOPE,
    "assistant.threads.setTitle": PANE_SCOPE,
    "auth.test": None,
    "chat.appendStream": "chat:write",
    "chat.postMessage": "chat:write",
    "chat.startStream": "chat:write",
    "chat.stopStream": "chat:write",
    "chat.update": "chat:write",
    "conversations.open": "im:write",
}
"""The scope that Slack's reference names for each method."""


@pytest.fixture
async def pane(serve: Any, channel: SlackChannel, slack: Any, until: Any) -> Any:
    """A service with the member linked, in the assistant's view: `await pane(turns)`."""

    async def start(turns: Any = ({"text": "Hello."},), **more: Any) -> Any:
        channel.view = more.pop("view", "assistant")
        service = await serve({"slack": channel}, turns, **more)
        await slack.say(service.outside, await service.link_text("slack"))
        await until(lambda: slack.messages)
        await until(lambda: service.outbox(status="sent"))
        slack.messages.clear()
        slack.panes.clear()
        return service

    return start


async def test_a_thread_is_a_conversation_of_its_own(pane: Any, slack: Any, until: Any) -> None:
    """Each is answered in itself, by a model that knows nothing of the other; its first message is its title."""
    service = await pane([{"text": "One."}, {"text": "Two."}, {"text": "Three."}])
    first, second = await slack.open_pane(service.outside), await slack.open_pane(service.outside)
    for thread, text in ((first, "how much for rent?"), (second, "and groceries?"), (first, "thanks")):
        await slack.say(service.outside, text, thread_ts=thread)
        await until(lambda: service.outbox(kind="reply", status="sent"), len(slack.messages) + 1)
    assert [(m["thread_ts"], m["text"]) for m in slack.messages.values()] == [
        (first, "One."),
        (second, "Two."),
        (first, "Three."),
    ]
    titles = [(sent["thread_ts"], sent["title"]) for what, sent in slack.panes if what == "setTitle"]
    assert titles == [(first, "how much for rent?"), (second, "and groceries?")]
    assert "how much for rent?" not in str(service.model.requests[1])
    assert "how much for rent?" in str(service.model.requests[2])


async def test_an_open_pane_shows_what_might_be_asked(pane: Any, slack: Any, until: Any) -> None:
    """In the person's language, also when Slack tells of it five times."""
    service = await pane()
    answer = await service.client.patch("/v1/preferences", json={"locale": "de-DE"})
    assert answer.status_code == 200, answer.text
    thread = {"user_id": slack.user, "channel_id": slack.dm, "thread_ts": "1.5", "context": {}}
    for _ in range(5):
        await slack.event(service.outside, "Ev" + slack.user, type="assistant_thread_started", assistant_thread=thread)
    await until(lambda: slack.panes)
    await until(lambda: service.outbox(kind="note", status="sent"), 2)
    ((what, sent),) = slack.panes
    assert (what, sent["thread_ts"]) == ("setSuggestedPrompts", "1.5")
    assert [prompt["message"] for prompt in sent["prompts"]] == list(texts("de").prompts())
    assert slack.messages == {}


async def test_who_is_not_linked_learns_in_the_pane_how_to(serve: Any, channel: Any, slack: Any, until: Any) -> None:
    """And is shown nothing to ask."""
    channel.view = "assistant"
    service = await serve({"slack": channel})
    thread = await slack.open_pane(service.outside)
    await until(lambda: slack.messages)
    ((_, told),) = slack.messages.items()
    assert (told["thread_ts"], slack.panes) == (thread, [])
    assert "`link CODE`" in told["text"]


async def test_slack_says_that_penny_is_at_it(pane: Any, slack: Any, until: Any) -> None:
    """Once for a reply, in its thread."""
    service = await pane([{"text": "word " * 20}], delay=0.02)
    thread = await slack.open_pane(service.outside)
    await slack.say(service.outside, "how much?", thread_ts=thread)
    await until(lambda: service.outbox(kind="reply", status="sent"))
    status = [sent for what, sent in slack.panes if what == "setStatus"]
    assert [(sent["channel_id"], sent["thread_ts"], sent["status"]) for sent in status] == [
        (slack.dm, thread, "is looking at your figures…")
    ]


async def test_a_reply_is_streamed(pane: Any, slack: Any, channel: Any, until: Any) -> None:
    """Only additions on the way, one message, and at its end the whole reply in Slack's dialect."""
    channel.edit_seconds = 0.01
    service = await pane([{"text": "You **spent** what " + "word " * 60}], delay=0.01)
    thread = await slack.open_pane(service.outside)
    await slack.say(service.outside, "talk", thread_ts=thread)
    await until(lambda: len(slack.appended) >= 3)
    await until(lambda: service.outbox(kind="reply", status="sent"))
    assert slack.texts == ["You *spent* what " + "word " * 59 + "word"]
    assert slack.streams == set()
    assert slack.calls.count("chat.startStream") == slack.calls.count("chat.stopStream") == 1
    assert slack.edits == 1


async def test_a_stream_that_slack_ends_goes_on_by_edits(pane: Any, slack: Any, channel: Any, until: Any) -> None:
    """As it does after some minutes."""
    channel.edit_seconds = 0.01
    service = await pane([{"text": "word " * 100}], delay=0.01)
    thread = await slack.open_pane(service.outside)
    await slack.say(service.outside, "talk", thread_ts=thread)
    await until(lambda: slack.appended)
    slack.streams.clear()
    await until(lambda: slack.edits >= 2)
    await until(lambda: service.outbox(kind="reply", status="sent"))
    assert slack.texts == ["word " * 99 + "word"]


@pytest.mark.parametrize("error", ["unknown_method", "missing_scope", "channel_type_not_supported"])
async def test_without_streams_a_reply_grows_by_edits(
    pane: Any, slack: Any, channel: Any, until: Any, error: str
) -> None:
    """A workspace without them loses nothing; what will never be there is asked for once."""
    channel.edit_seconds = 0.01
    slack.refused_methods = {"chat.startStream": error, "assistant.threads.setStatus": error}
    service = await pane([{"text": "word " * 40}] * 2, delay=0.01)
    thread = await slack.open_pane(service.outside)
    for n in (1, 2):
        await slack.say(service.outside, "talk", thread_ts=thread)
        await until(lambda n=n: service.outbox(kind="reply", status="sent"), n)
    assert slack.texts == ["word " * 39 + "word"] * 2
    assert slack.edits >= 4
    assert slack.calls.count("chat.startStream") == (2 if error == "channel_type_not_supported" else 1)


async def test_where_penny_is_an_agent_each_message_begins_a_thread(pane: Any, slack: Any, until: Any) -> None:
    """The answer stands under it; a proposal there is decided by its button, in the same thread."""
    proposes = [
        {"tool_calls": [{"name": "set_budget", "args": {"category": "Dining", "amount": "250"}}]},
        {"text": "{summary}"},
    ]
    service = await pane(proposes, view="agent")
    async with service.db.transaction(service.user) as tx:
        await tx.pg.execute("INSERT INTO category (user_id, name) VALUES ($1, 'Dining')", tx.user)
    ts = await slack.say(service.outside, "set dining to 250")
    buttons = await until(slack.buttons, 2)
    assert {message["thread_ts"] for message in slack.messages.values()} == {ts}
    await slack.press(service.outside, dict(buttons)["Apply"])
    await until(lambda: [t for t in slack.texts if t.startswith("*Applied:*")])
    assert len((await service.client.get("/v1/journal")).json()["items"]) == 1


async def test_a_picture_is_answered_plainly(pane: Any, slack: Any, until: Any) -> None:
    """It is not read, and no model is asked."""
    service = await pane(view="messages")
    await slack.say(service.outside, "", subtype="file_share", files=[{"id": "F1", "mimetype": "image/png"}])
    await until(lambda: slack.messages)
    assert slack.texts[0].startswith("I read words only")
    assert service.model.requests == []


async def test_a_message_unasked_is_not_lost_to_another_thread(pane: Any, slack: Any, until: Any) -> None:
    """It goes to the thread that was used last; who has gone on in another one meanwhile still gets it."""
    service = await pane([{"text": "One."}, {"text": "Two."}])
    first, second = await slack.open_pane(service.outside), await slack.open_pane(service.outside)
    await slack.say(service.outside, "hello", thread_ts=first)
    await until(lambda: service.outbox(kind="reply", status="sent"))
    async with service.db.transaction(service.user) as tx:
        (link,) = await links.list_(tx)
        assert link.chat == f"{slack.dm}:{first}"
        await tx.pg.execute("UPDATE channel_link SET used_at = used_at - interval '1 hour'")
    await slack.say(service.outside, "hello", thread_ts=second)
    await until(lambda: service.outbox(kind="reply", status="sent"), 2)
    async with service.db.transaction(service.user) as tx:
        assert [one.chat for one in await links.list_(tx)] == [f"{slack.dm}:{second}"]
        own = replace(await preferences.get(tx), weekly_summary=True, quiet_from=None, quiet_until=None)
        await preferences.put(tx, own)
        body = {"text": "A week.", "kind": "weekly"}
        await outbox.add(tx, "slack", link.chat, "notice", "notice weekly", body=body)
    service.sender.wake()
    await until(lambda: [m for m in slack.messages.values() if m["text"] == "A week." and m["thread_ts"] == first])


@pytest.mark.parametrize("name", ["assistant_thread_context_changed", "assistant_thread_title"])
def test_what_else_slack_tells_of_a_pane_is_not_for_us(name: str) -> None:
    """Where the person looks is none of our business, and the head of a thread is not their words."""
    assert parse((PAYLOADS / f"{name}.json").read_bytes(), "application/json", "assistant").events == ()


@pytest.mark.parametrize("address", ["https://evil.example/?d=4", "[x](https://evil.example/?d=4)", "[x](evil)"])
def test_no_part_of_an_address_is_streamed(address: str) -> None:
    """Wherever the reply stands when it is looked at."""
    text = f"Your rent is **$2,000**, see {address} for more <@U1> words"
    said = [settled(text[:at]) for at in range(len(text))]
    assert not [one for one in said if "evil" in one or "<@" in one]


def test_what_is_settled_is_only_added_to() -> None:
    """Paragraphs, lists, bold text and headings; a table comes whole."""
    text = "# My rent\n\nIt is **two thousand**.\n\n- one thing\n- another thing\n\nThe *end* of it is near."
    said = [settled(text[:at]) for at in range(len(text) + 1)]
    assert all(later.startswith(earlier) for earlier, later in pairwise(said))
    table = "Here.\n\n| A | B |\n| --- | --- |\n| x | $1 |\n\nSo it is then."
    shown = [settled(table[:at]) for at in range(len(table) + 1)]
    assert not [one for one in shown if "|" in one]


async def test_a_pace_lets_so_many_pass() -> None:
    """In a minute, and none while Slack wants to be left alone."""
    now = [0.0]
    pace = Pace(2, lambda: now[0])
    assert [pace.may() for _ in range(3)] == [True, True, False]
    now[0] = 61.0
    assert pace.may()
    pace.wait(30.0)
    now[0] = 90.0
    assert not pace.may()
    now[0] = 92.0
    assert pace.may()


async def test_edits_that_slack_limits_are_left_out_and_the_whole_waits(channel: Any, slack: Any) -> None:
    """A draft that meets 429 keeps later drafts away for as long as Slack says; the whole reply is still tried."""
    draft = channel.progress("a b", "")
    ref = await channel.send(slack.dm, draft, "k")
    slack.answers = [30]
    with pytest.raises(TryLater):
        await channel.replace(slack.dm, ref, draft)
    calls = len(slack.calls)
    await channel.replace(slack.dm, ref, draft)
    assert len(slack.calls) == calls
    await channel.replace(slack.dm, ref, {"text": "whole", "blocks": []})
    assert slack.texts == ["whole"]


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_manifest_is_within_slacks_limits(view: Any, language: str) -> None:
    """As Slack's own schema has them (github.com/slackapi/manifest-schema, 2.0.0)."""
    made = manifest("https://penny.example/", view, texts(language))
    url = "https://penny.example/webhooks/slack"
    command = made["features"]["slash_commands"][0]
    assert [command["url"], made["settings"]["interactivity"]["request_url"]] == [url, url]
    assert made["settings"]["event_subscriptions"]["request_url"] == url
    assert len(made["display_information"]["description"]) <= 140
    views = {name: value for name, value in made["features"].items() if name.endswith("_view")}
    assert list(views) == ([] if view == "messages" else [f"{view}_view"])
    for value in views.values():
        assert len(value[f"{view}_description"]) <= 300
        assert 1 <= len(value["suggested_prompts"]) <= 4
    assert (PANE_SCOPE in made["oauth_config"]["scopes"]["bot"]) == (view != "messages")


def test_the_manifest_asks_for_what_the_code_uses() -> None:
    """Each method that is called has its scope, and no scope is asked for without a use; each event is taken."""
    source = "".join(path.read_text() for path in SOURCE.glob("*.py"))
    called = set(re.findall(r'"((?:chat|assistant\.threads|conversations|auth|files)\.[a-zA-Z]+)"', source))
    assert called == set(SCOPE_OF)
    used = {SCOPE_OF[method] for method in called} - {None}
    of_events = {"app_mentions:read", "im:history"}  # for app_mention, message.im
    assert used | of_events | {"commands", "files:write"} == {*SCOPES, PANE_SCOPE}
    for event in (*EVENTS, *PANE_EVENTS):
        assert [path for path in PAYLOADS.glob("*.json") if _kind(path) == event], event


def _kind(path: Path) -> str:
    event = json.loads(path.read_text()).get("event", {})
    return f"message.{event['channel_type']}" if event.get("type") == "message" else event.get("type", "")
