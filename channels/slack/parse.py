"""What Slack tells us: messages to the bot, edits and deletions of them, buttons pressed, the slash command, the
assistant's pane opened.

A chat is a conversation ("D024BE91L"), or a thread of one ("C024BE91L:1700000000.000100"): what is asked in a thread is
answered there, and what is asked in a channel begins one; so does, where Penny is an agent (`view`), each message in
its own conversation. An account is a user of a team ("T024BE7LD:U023BECGF").
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import parse_qs

import orjson

from channels import switches
from channels.channel import (
    Answer,
    Incoming,
    Opened,
    Parsed,
    Pressed,
    Removed,
    Said,
    Switched,
    Unreadable,
    Wordless,
)
from channels.proposals import pressed

Event = Mapping[str, Any]
View = Literal["messages", "agent", "assistant"]
"""How people see Penny in Slack: a bot's direct messages, or in a view that Slack has for agents, the older last."""

_OF_PEOPLE = ("", "file_share", "thread_broadcast")

_MENTION = re.compile(r"^\s*<@[A-Z0-9]+(?:\|[^>]*)?>\s*")
_REFERENCE = re.compile(r"<(?:[^>|]*\|)?([^>]*)>")


def parse(body: bytes, content_type: str, view: View = "messages") -> Parsed:
    """The events of a request. Raises Unreadable."""
    try:
        if content_type.startswith("application/x-www-form-urlencoded"):
            return _form(parse_qs(body.decode(), keep_blank_values=True, max_num_fields=100))
        envelope = orjson.loads(body)
        if envelope.get("type") == "url_verification":
            return Parsed(answer=Answer(body=str(envelope["challenge"]).encode()))
        return Parsed(tuple(_callback(envelope, view)) if envelope.get("type") == "event_callback" else ())
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        raise Unreadable("This is not a request as Slack makes them.") from None


def _callback(envelope: Event, view: View) -> list[Incoming]:
    event, event_id, team = envelope["event"], envelope["event_id"], envelope.get("team_id", "")
    if event["type"] == "assistant_thread_started":
        opened = event["assistant_thread"]
        return [Opened(event_id, f"{team}:{opened['user_id']}", f"{opened['channel_id']}:{opened['thread_ts']}")]
    if event["type"] not in ("message", "app_mention"):
        return []
    shared = event.get("channel_type", "channel") != "im"
    if event["type"] == "message" and shared:
        return []  # in channels only what mentions us is for us, and that comes as app_mention
    match event.get("subtype", ""):
        case subtype if subtype in _OF_PEOPLE:
            new = event
            edited = False
        case "message_changed":
            new, edited = event["message"], True
            if new.get("text") == event.get("previous_message", {}).get("text"):
                return []  # only its preview has changed
            if new.get("subtype", "") not in _OF_PEOPLE:
                return []  # such as the head of an assistant's thread, when its title changes
        case "message_deleted":
            old = event.get("previous_message", {})
            if _by_a_bot(old) or not old.get("user"):
                return []
            chat = _chat(event, old, shared, view)
            return [Removed(event_id, f"{team}:{old['user']}", chat, event["deleted_ts"])]
        case _:
            return []
    if _by_a_bot(new) or not new.get("user"):
        return []
    chat, address, text = _chat(event, new, shared, view), f"{team}:{new['user']}", _words(new.get("text", ""))
    if not text.strip() and new.get("files"):
        return [Wordless(event_id, address, chat, shared)]
    titled = view == "assistant" and not shared and ":" in chat
    return [Said(event_id, address, chat, text, new["ts"], shared, edited, titled=titled)]


def _by_a_bot(message: Event) -> bool:
    return bool(message.get("bot_id"))


def _chat(event: Event, message: Event, shared: bool, view: View) -> str:
    thread = message.get("thread_ts") or (message["ts"] if shared or view == "agent" else "")
    return f"{event['channel']}:{thread}" if thread else str(event["channel"])


def _words(text: str) -> str:
    """What the person typed: without our name before it, references by their labels, & < > as they are."""
    return html.unescape(_REFERENCE.sub(r"\1", _MENTION.sub("", text)))


def _form(fields: Mapping[str, list[str]]) -> Parsed:
    if "payload" in fields:
        return Parsed(tuple(_buttons(orjson.loads(fields["payload"][0]))))
    get = {name: values[0] for name, values in fields.items()}
    if "command" not in get:
        return Parsed()
    # Answered in private, wherever it was typed: a channel need not have us in it.
    said = Said(
        f"command {get['trigger_id']}", f"{get['team_id']}:{get['user_id']}", get["user_id"], get.get("text", "")
    )
    return Parsed((said,), Answer(body=b""))


def _buttons(payload: Event) -> list[Incoming]:
    if payload.get("type") != "block_actions":
        return []
    message, channel = payload["message"], payload["channel"]["id"]
    thread = message.get("thread_ts", "")
    if channel.startswith("D"):
        chat = f"{channel}:{thread}" if thread not in ("", message["ts"]) else channel
    else:
        chat = f"{channel}:{thread or message['ts']}"
    address = f"{payload['team']['id']}:{payload['user']['id']}"
    made: list[Incoming] = []
    for action in payload["actions"]:
        event_id, value = f"action {action['action_ts']}", action.get("value", "")
        if (button := pressed(value)) is not None:
            made.append(Pressed(event_id, address, chat, *button))
        elif (kind := switches.pressed(value)) is not None:
            made.append(Switched(event_id, address, chat, kind))
    return made
