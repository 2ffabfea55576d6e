"""What WhatsApp tells us: texts and buttons pressed, several in a request. A chat and an account are a phone number."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from channels.channel import Incoming, Parsed, Pressed, Said, Unreadable
from channels.proposals import pressed


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
            button = pressed(message["interactive"].get("button_reply", {}).get("id", ""))
            return Pressed(message_id, number, number, *button) if button else None
        case _:
            return None
