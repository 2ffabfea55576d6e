"""A reply as plain text messages; proposals are decided by their codes."""

from __future__ import annotations

from channels.changes import fitted, heading
from channels.channel import Part, Payload, Reply, Shown
from channels.markdown import PLAIN, split, write
from channels.proposals import open_
from channels.texts import texts

HEAD_LIMIT = 500
TEXT_LIMIT = 1600
"""Characters that Twilio takes at once; it cuts them into segments itself."""


def render(reply: Reply, locale: str, *, pictures: bool = False) -> list[Part]:
    """The text in as many messages as it needs, then its charts where `pictures` may be sent, then one for each
    proposal."""
    blocks = write(reply.text, PLAIN) + ([reply.off.hint] if reply.off else [])
    pieces = split(blocks, TEXT_LIMIT)
    charts = [Part(_picture(reply, no), extra=True) for no in range(len(reply.charts))] if pictures else []
    return [Part({"Body": text}) for text in pieces] + charts + [_proposal(one, locale) for one in reply.proposals]


def _picture(reply: Reply, no: int) -> Payload:
    return {"picture": (reply.run, no), "Body": str(reply.charts[no]["title"])[:TEXT_LIMIT]}


def _proposal(one: Shown, locale: str) -> Part:
    say = texts(locale)
    head = f"{heading(one.proposal, say)[:HEAD_LIMIT]}\n"
    yes, no = (say.answer(word, one.code).upper() for word in ("yes", "no"))
    how = say.say("proposals.reply_yes", yes=yes, no=no) if open_(one) else say.status(one.proposal) + "."
    changes = fitted(one.proposal, say, TEXT_LIMIT - len(head) - len(how) - 1)
    return Part({"Body": f"{head}{changes}\n{how}"}, one.proposal["id"])
