"""What both OpenAI wires tell of a run beside its text: usage, and in `penny` what their shapes have no place for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from agent import events as ev

FELL_SHORT = {"cut": "length", "filtered": "content_filter", "guardrail": "content_filter"}
"""OpenAI's finish reason for how a reply fell short (agent.asking); anything else is a `stop`."""

STARTS_OVER = "\n\n[The connection was interrupted; the answer starts over.]\n\n"


@dataclass
class Outcome:
    """A run as far as it has been read; `add` takes its events and gives what is new for a reader of text."""

    reply: str = ""
    usage: ev.Usage | None = None
    figures: list[dict[str, Any]] = field(default_factory=list)
    proposals: list[dict[str, Any]] = field(default_factory=list)
    charts: list[dict[str, Any]] = field(default_factory=list)
    end: ev.RunFinished | ev.RunFailed | ev.RunCancelled | None = None

    def add(self, event: ev.Event) -> str:
        """Text to send on. Text that is withdrawn cannot be taken back: what still stands is said again, openly."""
        match event:
            case ev.TextDelta():
                self.reply += event.text
                return event.text
            case ev.TextRetracted():
                self.reply = self.reply[: event.keep]
                return STARTS_OVER + self.reply
            case ev.ChartMade():
                self.charts.append(ev.data_of(event))
            case ev.ProposalMade():
                self.proposals.append(ev.data_of(event))
            case ev.Grounding():
                self.figures = event.figures
            case ev.Usage():
                self.usage = event
            case ev.RunFinished():
                self.end = event
                return self._brought_to(event.text)
            case ev.RunFailed() | ev.RunCancelled():
                self.end = event
        return ""

    def _brought_to(self, text: str) -> str:
        before, self.reply = self.reply, text
        return text[len(before) :] if text.startswith(before) else STARTS_OVER + text

    @property
    def failure(self) -> tuple[str, str] | None:
        """Code and message of a run that ended without a reply."""
        match self.end:
            case ev.RunFailed(code=code, message=message):
                return code, message
            case ev.RunCancelled():
                return "run_cancelled", "The reply was stopped before it was complete."
        return None

    @property
    def finish_reason(self) -> str:
        """Why the reply ended: `stop`, `length` or `content_filter`."""
        outcome = self.end.outcome if isinstance(self.end, ev.RunFinished) else None
        return FELL_SHORT.get(outcome or "", "stop")

    def tokens(self) -> tuple[int, int, int]:
        """Input with what the cache gave and took, of that what the cache gave, output."""
        if self.usage is None:
            return 0, 0, 0
        cached = self.usage.cache_read_tokens
        return self.usage.input_tokens + cached + self.usage.cache_write_tokens, cached, self.usage.output_tokens

    def beside(self, run_id: str, session_id: str) -> dict[str, Any]:
        """The member `penny` of an answer."""
        return {
            "run_id": run_id,
            "session_id": session_id,
            "proposals": self.proposals,
            "figures": self.figures,
            "charts": self.charts,
        }
