"""A reply in WhatsApp's marks, proposals with two reply buttons."""

from __future__ import annotations

from channels.channel import Part, Payload, Reply, Shown, pictures
from channels.markdown import Dialect, as_lines, split, write
from channels.proposals import button, lines, open_

TEXT_LIMIT = 4096
BUTTONS_LIMIT = 1024
"""Characters of a text, and of a text with buttons."""


def _escape(text: str) -> str:
    """WhatsApp has no way to write its marks as they are; a thin gap keeps them from pairing up."""
    return text.replace("*", "*\u200a").replace("_", "_\u200a").replace("~", "~\u200a").replace("`", "'")


WHATSAPP = Dialect(
    escape=_escape,
    bold=lambda text: f"*{text}*",
    italic=lambda text: f"_{text}_",
    code=lambda text: text,
    table=lambda rows: _escape(as_lines(rows)),
)
"""Phones are narrow: a table is a line for each row."""


def render(reply: Reply, locale: str) -> list[Part]:
    """The text in as many messages as it needs, then its charts, then one for each proposal."""
    texts = split(write(reply.text, WHATSAPP), TEXT_LIMIT)
    return (
        [Part(message(text)) for text in texts]
        + pictures(reply, locale)
        + [_proposal(one, locale) for one in reply.proposals]
    )


def message(text: str) -> Payload:
    """A text without previews."""
    return {"type": "text", "text": {"body": text, "preview_url": False}}


def _proposal(one: Shown, locale: str) -> Part:
    changes = "\n".join(_escape(line) for line in lines(one, locale))
    text = f"*{_escape(one.proposal['text'])}*\n{changes}"
    if not open_(one):
        return Part(message(f"{text}\n_{one.proposal['status'].capitalize()}._"[:TEXT_LIMIT]), one.proposal["id"])
    text += f"\nor say “yes {one.code}” / “no {one.code}”"
    buttons = [
        {"type": "reply", "reply": {"id": button(one, "confirm"), "title": "Apply"}},
        {"type": "reply", "reply": {"id": button(one, "reject"), "title": "Reject"}},
    ]
    interactive = {"type": "button", "body": {"text": _fitting(text)}, "action": {"buttons": buttons}}
    return Part({"type": "interactive", "interactive": interactive}, one.proposal["id"])


def _fitting(text: str) -> str:
    return text if len(text) <= BUTTONS_LIMIT else text[: BUTTONS_LIMIT - 1] + "…"
