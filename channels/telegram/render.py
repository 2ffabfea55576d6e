"""A reply in Telegram's HTML, proposals with two buttons."""

from __future__ import annotations

from html import escape

from channels import switches
from channels.changes import fitted, heading
from channels.channel import Part, Payload, Reply, Shown, pictures
from channels.markdown import Dialect, aligned, split, write
from channels.proposals import button, open_
from channels.texts import texts as texts_of

TEXT_LIMIT = 4096
"""Characters of a message after its marks are read; we count the marks too, which is on the safe side."""


def _escape(text: str) -> str:
    return escape(text, quote=False)


HTML = Dialect(
    escape=_escape,
    bold=lambda text: f"<b>{text}</b>",
    italic=lambda text: f"<i>{text}</i>",
    code=lambda text: f"<code>{text}</code>",
    table=lambda rows: f"<pre>{_escape(aligned(rows))}</pre>",
)


def render(reply: Reply, locale: str) -> list[Part]:
    """The text in as many messages as it needs, then its charts, then one for each proposal."""
    parts = [Part(message(text)) for text in texts(reply.text)]
    if reply.off and parts:
        keyboard = [[{"text": reply.off.label, "callback_data": switches.button(reply.off.kind)}]]
        parts[-1] = Part(parts[-1].payload | {"reply_markup": {"inline_keyboard": keyboard}})
    return parts + pictures(reply, locale) + [_proposal(one, locale) for one in reply.proposals]


def texts(markdown: str) -> list[str]:
    """The text in messages; a block that is too long for one loses its marks, which must not be cut in two."""
    blocks: list[str] = []
    for block in write(markdown, HTML):
        blocks += [block] if len(block) <= TEXT_LIMIT else split(_without_marks(block), TEXT_LIMIT)
    return split(blocks, TEXT_LIMIT)


def _without_marks(block: str) -> list[str]:
    plain = block
    for name in ("b", "i", "code", "pre"):
        plain = plain.replace(f"<{name}>", "").replace(f"</{name}>", "")
    return plain.split("\n")


def message(text: str) -> Payload:
    """A message without previews."""
    return {"text": text, "parse_mode": "HTML", "link_preview_options": {"is_disabled": True}}


def _proposal(one: Shown, locale: str) -> Part:
    say = texts_of(locale)
    changes = fitted(one.proposal, say, TEXT_LIMIT // 2, _escape)
    text = f"<b>{_escape(heading(one.proposal, say)[:1000])}</b>\n{changes}"
    if not open_(one):
        return Part(message(f"{text}\n<i>{say.status(one.proposal)}.</i>"), one.proposal["id"])
    row = [
        {"text": say.say("proposals.apply"), "callback_data": button(one, "confirm")},
        {"text": say.say("proposals.reject"), "callback_data": button(one, "reject")},
    ]
    hint = "\n" + say.say(
        "proposals.or_say", yes=f"“{say.answer('yes', one.code)}”", no=f"“{say.answer('no', one.code)}”"
    )
    return Part(message(text + hint) | {"reply_markup": {"inline_keyboard": [row]}}, one.proposal["id"])
