"""A reply in WhatsApp's marks, proposals with two reply buttons."""

from __future__ import annotations

from channels import switches
from channels.changes import fitted, heading
from channels.channel import Off, Part, Payload, Reply, Shown, pictures
from channels.markdown import PLAIN, Dialect, as_lines, split, write
from channels.proposals import button, open_
from channels.texts import texts

TEXT_LIMIT = 4096
BUTTONS_LIMIT = 1024
HEAD_LIMIT = 300
TITLE_LIMIT = 20
VARIABLE_LIMIT = 900
"""Characters of a text, of one with buttons, of a button, and of what stands in a template, which has 1,024 in all."""


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
    pieces = split(write(reply.text, WHATSAPP), TEXT_LIMIT)
    parts = [Part(message(text)) for text in pieces]
    if reply.off and pieces and len(pieces[-1]) <= BUTTONS_LIMIT:
        parts[-1] = Part(_off(pieces[-1], reply.off))
    elif reply.off:
        parts.append(Part(_off(reply.off.hint, reply.off)))
    return parts + pictures(reply, locale) + [_proposal(one, locale) for one in reply.proposals]


def message(text: str) -> Payload:
    """A text without previews."""
    return {"type": "text", "text": {"body": text, "preview_url": False}}


def _off(text: str, off: Off) -> Payload:
    buttons = [{"type": "reply", "reply": {"id": switches.button(off.kind), "title": off.label[:TITLE_LIMIT]}}]
    return {
        "type": "interactive",
        "interactive": {"type": "button", "body": {"text": text}, "action": {"buttons": buttons}},
    }


def template(approved: str, reply: Reply, locale: str) -> Payload:
    """The reply in a template: its only variable is the text, on one line as Meta wants it, and its only button ends
    this kind of messages. The language is the person's where the template has it, else its first one."""
    name, _, languages = approved.partition(":")
    there = [language.strip() for language in languages.split(",") if language.strip()] or ["en"]
    own = locale.replace("-", "_")
    language = next((one for one in there if one in (own, own.partition("_")[0])), there[0])
    lines = [line.strip() for block in write(reply.text, PLAIN) for line in block.split("\n")]
    text = " ".join(line for line in lines if line)
    components: list[Payload] = [{"type": "body", "parameters": [{"type": "text", "text": _cut(text, VARIABLE_LIMIT)}]}]
    if reply.off:
        payload = [{"type": "payload", "payload": switches.button(reply.off.kind)}]
        components.append({"type": "button", "sub_type": "quick_reply", "index": "0", "parameters": payload})
    return {"type": "template", "template": {"name": name, "language": {"code": language}, "components": components}}


def _proposal(one: Shown, locale: str) -> Part:
    say = texts(locale)
    head = f"*{_escape(_cut(heading(one.proposal, say), HEAD_LIMIT))}*\n"
    if not open_(one):
        changes = fitted(one.proposal, say, TEXT_LIMIT // 2, _escape)
        return Part(message(f"{head}{changes}\n_{say.status(one.proposal)}._"), one.proposal["id"])
    how = "\n" + say.say(
        "proposals.or_say", yes=f"“{say.answer('yes', one.code)}”", no=f"“{say.answer('no', one.code)}”"
    )
    text = head + fitted(one.proposal, say, BUTTONS_LIMIT - len(head) - len(how), _escape) + how
    buttons = [
        {"type": "reply", "reply": {"id": button(one, "confirm"), "title": say.say("proposals.apply")[:TITLE_LIMIT]}},
        {"type": "reply", "reply": {"id": button(one, "reject"), "title": say.say("proposals.reject")[:TITLE_LIMIT]}},
    ]
    interactive = {"type": "button", "body": {"text": text}, "action": {"buttons": buttons}}
    return Part({"type": "interactive", "interactive": interactive}, one.proposal["id"])


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
