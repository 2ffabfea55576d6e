"""A reply as Slack's blocks: mrkdwn in sections, tables in fixed width, proposals with two buttons."""

from __future__ import annotations

from html import escape
from typing import Any

from channels import switches
from channels.changes import fitted, heading
from channels.channel import Off, Part, Payload, Reply, Shown, pictures
from channels.markdown import Dialect, aligned, split, write
from channels.proposals import button, open_
from channels.texts import texts

SECTION_LIMIT = 2900
HEAD_LIMIT = 500
"""Characters of a section; Slack takes 3,000."""


def _escape(text: str) -> str:
    return escape(text, quote=False)


MRKDWN = Dialect(
    escape=_escape,
    bold=lambda text: f"*{text}*",
    italic=lambda text: f"_{text}_",
    code=lambda text: f"`{text}`",
    table=lambda rows: f"```{_escape(aligned(rows))}```",
)


def render(reply: Reply, locale: str) -> list[Part]:
    """The text in as many messages as it needs, then its charts, then one for each proposal."""
    pieces = split(write(reply.text, MRKDWN), SECTION_LIMIT)
    parts = [Part(message(text)) for text in pieces]
    if reply.title:
        parts.append(Part({"title": reply.title}, extra=True))
    if reply.prompts:
        parts.append(Part({"prompts": list(reply.prompts)}, extra=True))
    if reply.off and pieces:
        parts[-1] = Part(message(pieces[-1], _off(reply.off)))
    return parts + pictures(reply, locale) + [_proposal(one, locale) for one in reply.proposals]


def message(text: str, *more: dict[str, Any]) -> Payload:
    """A message of one section; `text` is for notifications too."""
    return {"text": text, "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": text}}, *more]}


def _off(off: Off) -> dict[str, Any]:
    return {"type": "actions", "elements": [_button("off", off.label, switches.button(off.kind), None)]}


def _proposal(one: Shown, locale: str) -> Part:
    say = texts(locale)
    head = f"*{_escape(heading(one.proposal, say)[:HEAD_LIMIT])}*\n"
    text = head + fitted(one.proposal, say, SECTION_LIMIT - len(head), _escape)
    if not open_(one):
        return Part(message(f"{text}\n_{say.status(one.proposal)}._"), one.proposal["id"])
    buttons = {
        "type": "actions",
        "elements": [
            _button("apply", say.say("proposals.apply"), button(one, "confirm"), "primary"),
            _button("reject", say.say("proposals.reject"), button(one, "reject"), None),
        ],
    }
    words = say.say("proposals.or_say", yes=f"`{say.answer('yes', one.code)}`", no=f"`{say.answer('no', one.code)}`")
    hint = {"type": "context", "elements": [{"type": "mrkdwn", "text": words}]}
    return Part(message(text, buttons, hint), one.proposal["id"])


def _button(action: str, label: str, value: str, style: str | None) -> dict[str, Any]:
    made = {
        "type": "button",
        "action_id": f"penny_{action}",
        "text": {"type": "plain_text", "text": label},
        "value": value,
    }
    return made | ({"style": style} if style else {})
