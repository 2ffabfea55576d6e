"""Grounding of one turn: what is known in it, the voice its model speaks with, and the figures of its reply."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import structlog

from agent.grounding.facts import Known
from agent.grounding.reply import ground
from agent.grounding.voice import Plain, Strict, Voice
from agent.model import Situation
from memory.messages import Message, reply_text

log = structlog.get_logger(__name__)

Mode = Literal["annotate", "strict", "off"]

LONG: Final = 6_000
"""Replies of more characters are grounded beside the event loop."""

MOST: Final = 40_000


@dataclass(frozen=True)
class Grounding:
    """What a turn's figures are held against: `before` are the messages of earlier turns, `said` the user's words."""

    mode: Mode
    situation: Situation
    said: Sequence[str] = ()
    before: Sequence[Message] = field(default=(), repr=False)

    def voice(self, turn: Sequence[Message]) -> Voice:
        """How the next step of the turn is to be spoken."""
        if self.mode != "strict":
            return Plain()
        return Strict(self._known(turn), self.situation.locale, reply_text(turn))

    async def figures(self, text: str, turn: Sequence[Message]) -> list[dict[str, Any]] | None:
        """The figures of the reply as clients get them; None when grounding is off."""
        if self.mode == "off":
            return None
        if len(text) > LONG:
            return await asyncio.to_thread(self._figures, text[:MOST], turn)
        return self._figures(text, turn)

    def _figures(self, text: str, turn: Sequence[Message]) -> list[dict[str, Any]]:
        try:
            return [found.json() for found in ground(text, self._known(turn))]
        except Exception:  # a defect in reading figures must not cost the reply
            log.exception("grounding.failed")
            return []

    def _known(self, turn: Sequence[Message]) -> Known:
        at = self.situation
        now, then = _results(turn), _results(self.before)[::-1]
        return Known.of(
            (fact for message in (*now, *then) for fact in message.body.get("facts", ())),
            today=at.today,
            locale=at.locale,
            currency=at.currency,
            categories=at.categories,
            accounts=at.accounts,
            said=self.said,
            summaries=[
                *(message.body.get("summary", "") for message in (*now, *then)),
                *(message.text for message in self.before if message.role in ("decision", "notice")),
            ],
            proposed=sum(1 for message in now if message.body.get("proposal_id")),
        )


def _results(messages: Iterable[Message]) -> list[Message]:
    return [message for message in messages if message.role in ("tool", "notice")]
