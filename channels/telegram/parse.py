"""What Telegram tells us: messages, edits of them, and buttons pressed. A chat is its number, an account a user's."""

from __future__ import annotations

import orjson
from aiogram.types import CallbackQuery, Message, Update
from pydantic import ValidationError

from channels import switches
from channels.channel import Answer, Incoming, Parsed, Pressed, Said, Switched, Unreadable, Wordless
from channels.proposals import pressed

_WORDLESS = ("photo", "document", "voice", "audio", "video", "video_note", "sticker", "location", "contact")
"""What people send without words; other messages are Telegram's own, as that somebody came."""


def parse(body: bytes) -> Parsed:
    """The event; updates of other kinds are none of ours. Raises Unreadable."""
    try:
        update = Update.model_validate_json(body)
    except ValidationError:
        raise Unreadable("This is not an update as Telegram makes them.") from None
    if update.callback_query is not None:
        return _button(update.update_id, update.callback_query)
    message = update.message or update.edited_message
    return _message(update.update_id, message, edited=update.message is None) if message is not None else Parsed()


def _message(update_id: int, message: Message, *, edited: bool) -> Parsed:
    text = message.text or message.caption or ""
    if message.from_user is None or message.from_user.is_bot:
        return Parsed()
    where = f"update {update_id}", str(message.from_user.id), str(message.chat.id)
    shared, language = message.chat.type != "private", (message.from_user.language_code or "")[:12]
    if not text:
        sent = any(getattr(message, kind) for kind in _WORDLESS) and not edited
        # an album is several messages, and is answered once
        event_id = f"album {message.media_group_id}" if message.media_group_id else where[0]
        return Parsed((Wordless(event_id, *where[1:], shared, language),) if sent else ())
    command, _, rest = text.partition(" ")
    if command.startswith("/"):
        text = f"{command.partition('@')[0]} {rest}".strip()  # in groups commands name the bot they are for
    return Parsed((Said(*where, text, str(message.message_id), shared, edited, language),))


def _button(update_id: int, query: CallbackQuery) -> Parsed:
    # A webhook may be answered with a call of the API: this one ends the button's waiting sign.
    taken = orjson.dumps({"method": "answerCallbackQuery", "callback_query_id": query.id})
    answer = Answer(body=taken, media_type="application/json")
    if query.message is None:
        return Parsed(answer=answer)
    where = f"update {update_id}", str(query.from_user.id), str(query.message.chat.id)
    events: tuple[Incoming, ...] = ()
    if (button := pressed(query.data or "")) is not None:
        events = (Pressed(*where, *button),)
    elif (kind := switches.pressed(query.data or "")) is not None:
        events = (Switched(*where, kind),)
    return Parsed(events, answer)
