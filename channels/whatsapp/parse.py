"""What WhatsApp tells us: texts and buttons pressed, several in a request. A chat and an account are a phone number."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from channels import switches
from channels.channel import Incoming, Parsed, Pressed, Said, Switched, Unreadable, Wordless
from channels.proposals import pressed

_WORDLESS = ("image", "video", "audio", "document", "sticker", "location", "contacts")


def parse(body: bytes, phone_number_id: str) -> Parsed:
    """The events for our number; the states of our own messages, and what has no words, are none. Raises Unreadable."""
    try:
        return Parsed(tuple(_events(orjson.loads(body), phone_number_id)))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Unreadable("This is not a notification as Meta makes them.") from None


def _events(notification: dict[str, Any], phone_number_id: str) -> Iterator[Incoming]:
    for entry in notification["entry"]:
        for change in entry["changes"]:
            value = change["value"]
            if change["field"] != "messages" or value["metadata"]["phone_number_id"] != phone_number_id:
                continue
            for message in value.get("messages", ()):
                if (event := _event(message)) is not None:
                    yield event


def _event(message: dict[str, Any]) -> Incoming | None:
    number, message_id = message["from"], message["id"]
    match message["type"]:
        case "text":
            return Said(message_id, number, number, message["text"]["body"], message_id)
        case "interactive":
            return _button(message_id, number, message["interactive"].get("button_reply", {}).get("id", ""))
        case "button":  # of a template
            return _button(message_id, number, message["button"].get("payload", ""))
        case kind if kind in _WORDLESS:
            content = message.get(kind)
            caption = content.get("caption", "") if isinstance(content, dict) else ""
            if caption.strip():
                return Said(message_id, number, number, caption, message_id)
            return Wordless(message_id, number, number)
        case _:
            return None


def _button(message_id: str, number: str, data: str) -> Incoming | None:
    if (button := pressed(data)) is not None:
        return Pressed(message_id, number, number, *button)
    kind = switches.pressed(data)
    return Switched(message_id, number, number, kind) if kind is not None else None
