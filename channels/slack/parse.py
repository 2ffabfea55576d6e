"""What Slack tells us: messages to the bot, edits and deletions of them, buttons pressed, the slash command.

A chat is a conversation ("D024BE91L"), in a channel together with its thread ("C024BE91L:1700000000.000100"): what is
asked in a channel is answered in a thread. An account is a user of a team ("T024BE7LD:U023BECGF").
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

import orjson

from channels import switches
from channels.channel import Answer, Incoming, Parsed, Pressed, Removed, Said, Switched, Unreadable
from channels.proposals import pressed

Event = Mapping[str, Any]

_MENTION = re.compile(r"^\s*<@[A-Z0-9]+(?:\|[^>]*)?>\s*")
_REFERENCE = re.compile(r"<(?:[^>|]*\|)?([^>]*)>")


def parse(body: bytes, content_type: str) -> Parsed:
    """The events of a request. Raises Unreadable."""
    try:
        if content_type.startswith("application/x-www-form-urlencoded"):
            return _form(parse_qs(body.decode(), keep_blank_values=True, max_num_fields=100))
        envelope = orjson.loads(body)
        if envelope.get("type") == "url_verification":
            return Parsed(answer=Answer(body=str(envelope["challenge"]).encode()))
        return Parsed(tuple(_callback(envelope)) if envelope.get("type") == "event_callback" else ())
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        raise Unreadable("This is not a request as Slack makes them.") from None


def _callback(envelope: Event) -> list[Incoming]:
    event, event_id, team = envelope["event"], envelope["event_id"], envelope.get("team_id", "")
    if event["type"] not in ("message", "app_mention"):
        return []
    shared = event.get("channel_type", "channel") != "im"
    if event["type"] == "message" and shared:
        return []  # in channels only what mentions us is for us, and that comes as app_mention
    match event.get("subtype", ""):
        case "" | "file_share" | "thread_broadcast":
            new = event
            edited = False
        case "message_changed":
            new, edited = event["message"], True
            if new.get("text") == event.get("previous_message", {}).get("text"):
                return []  # only its preview has changed
        case "message_deleted":
            old = event.get("previous_message", {})
            if _by_a_bot(old) or not old.get("user"):
                return []
            return [Removed(event_id, f"{team}:{old['user']}", _chat(event, old, shared), event["deleted_ts"])]
        case _:
            return []
    if _by_a_bot(new) or not new.get("user"):
        return []
    chat = _chat(event, new, shared)
    return [Said(event_id, f"{team}:{new['user']}", chat, _words(new["text"]), new["ts"], shared, edited)]


def _by_a_bot(message: Event) -> bool:
    return bool(message.get("bot_id"))


def _chat(event: Event, message: Event, shared: bool) -> str:
    return f"{event['channel']}:{message.get('thread_ts', message['ts'])}" if shared else str(event["channel"])


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
    chat = channel if channel.startswith("D") else f"{channel}:{message.get('thread_ts', message['ts'])}"
    address = f"{payload['team']['id']}:{payload['user']['id']}"
    made: list[Incoming] = []
    for action in payload["actions"]:
        event_id, value = f"action {action['action_ts']}", action.get("value", "")
        if (button := pressed(value)) is not None:
            made.append(Pressed(event_id, address, chat, *button))
        elif (kind := switches.pressed(value)) is not None:
            made.append(Switched(event_id, address, chat, kind))
    return made
