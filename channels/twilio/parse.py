"""What Twilio tells us: a text message, or the word that keeps us from writing to a number. A chat and an account are a
phone number, as +15551234567."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl

from channels.channel import Answer, Parsed, Said, Switched, Unreadable, Wordless

NOTHING_TO_SAY = Answer(body=b"<Response/>", media_type="text/xml")
"""The reply goes out by itself; an empty answer keeps Twilio from sending one of its own."""


STOP = frozenset({"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"})
AGAIN = frozenset({"start", "unstop", "help", "info"})
"""Words that Twilio acts on and answers itself (its help page on opt-out keywords); it passes them on too."""


def fields_of(body: bytes) -> dict[str, str]:
    """The form's fields. Raises Unreadable."""
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True, max_num_fields=200))
    except ValueError:
        raise Unreadable("This is not a form as Twilio sends them.") from None


def parse(fields: Mapping[str, str]) -> Parsed:
    """The message; states of our own messages are none. Raises Unreadable."""
    if "MessageStatus" in fields and "Body" not in fields:
        return Parsed(answer=NOTHING_TO_SAY)
    try:
        sid, number, text = fields["MessageSid"], fields["From"], fields["Body"]
    except KeyError:
        raise Unreadable("MessageSid, From and Body are needed.") from None
    word, meant = text.strip().lower(), fields.get("OptOutType", "").upper()
    if meant == "STOP" or (not meant and word in STOP):
        return Parsed((Switched(sid, number, number, "all", told=True),), NOTHING_TO_SAY)
    if meant or word in AGAIN:
        return Parsed(answer=NOTHING_TO_SAY)
    if text.strip():
        return Parsed((Said(sid, number, number, text, sid),), NOTHING_TO_SAY)
    pictures = fields.get("NumMedia", "0") != "0"
    return Parsed((Wordless(sid, number, number),) if pictures else (), NOTHING_TO_SAY)
