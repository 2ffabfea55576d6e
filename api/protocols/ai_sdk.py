"""The AI SDK's UI message stream v1, from the events of a run.

A proposal is a tool call that asks for approval: the approval's id is `<proposal id>.<hash>`, so that a decision names
exactly what was shown. Text cannot be taken back on this wire; where Penny withdraws some, the answer says plainly that
it starts over, and a `data-retracted` part names the text part that no longer counts.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import orjson

from agent import events as ev
from api.protocols.ai_sdk_chunks import DONE, Chunk, FinishReason, ToolInput, ToolInputStart

STARTS_OVER = "The connection was interrupted; the answer starts over.\n\n"

FELL_SHORT: Mapping[str, FinishReason] = {
    "cut": "length",
    "filtered": "content-filter",
    "guardrail": "content-filter",
}
"""The wire's reason for how a reply fell short (agent.asking); anything else is a `stop`."""


def approval_id(proposal: dict[str, Any]) -> str:
    """What a client sends back with its decision on the proposal."""
    return f"{proposal['id']}.{proposal['hash']}"


def output_of(summary: str, facts: Sequence[dict[str, Any]] = (), **more: Any) -> dict[str, Any]:
    """A tool's output as its part carries it."""
    return {"summary": summary, "facts": list(facts)} | more


def tool_input(call_id: str, name: str, title: str, args: Any, *, approves: bool) -> tuple[ToolInputStart, ToolInput]:
    """A tool call begins. One that may ask for approval is not marked as executed by the server: some versions of the
    client look for approvals among the others only."""
    start: ToolInputStart = {"type": "tool-input-start", "toolCallId": call_id, "toolName": name, "title": title}
    given: ToolInput = {
        "type": "tool-input-available",
        "toolCallId": call_id,
        "toolName": name,
        "input": args,
        "title": title,
    }
    if not approves:
        start["providerExecuted"] = given["providerExecuted"] = True
    return start, given


def asking(call_id: str, proposal: dict[str, Any]) -> tuple[Chunk, Chunk]:
    """The tool call waits for the user's decision on the proposal."""
    return (
        {"type": "data-proposal", "id": proposal["id"], "data": {"call_id": call_id, **proposal}},
        {"type": "tool-approval-request", "approvalId": approval_id(proposal), "toolCallId": call_id},
    )


@dataclass
class _Part:
    """A text part that counts, and which characters of the reply it shows."""

    id: str
    start: int
    end: int


@dataclass
class Encoder:
    """Events of one run in, chunks out. `writers` are the tools that may propose; `message_id` is the client's own
    message that the run goes on with, when it does."""

    writers: frozenset[str]
    message_id: str | None = None
    _reply: str = ""
    _parts: list[_Part] = field(default_factory=list)
    _made: int = 0
    _text: str = ""
    _held: ev.ToolFinished | None = None

    def encode(self, event: ev.Event) -> Iterator[Chunk]:
        """The chunks that the event becomes, in order."""
        if isinstance(event, ev.TextDelta):
            yield from self._release()
            yield from self._add(event.text)
            return
        if not (isinstance(event, ev.ProposalMade | ev.ChartMade) and self._held):
            yield from self._release()
        match event:
            case ev.RunStarted():
                about = {"run_id": event.run_id, "session_id": event.session_id, "model": event.model}
                yield {"type": "start", "messageId": self.message_id or event.message_id, "messageMetadata": about}
                yield {"type": "start-step"}
            case ev.TextRetracted():
                yield from self._retract(event.keep)
            case ev.ToolStarted():
                yield from self._close()
                writes = event.name in self.writers
                yield from tool_input(event.call_id, event.name, event.label, event.args, approves=writes)
            case ev.ToolFinished():
                if event.name in self.writers and event.ok:
                    self._held = event
                else:
                    yield _finished(event)
            case ev.ChartMade():
                made = {"kind": event.kind, "title": event.title, "unit": event.unit, "series": event.series}
                yield {"type": "data-chart", "id": event.call_id, "data": {"call_id": event.call_id, **made}}
            case ev.ProposalMade():
                yield from self._propose(event)
            case ev.Grounding():
                yield {"type": "data-figures", "id": "figures", "data": {"figures": event.figures}}
            case ev.Usage():
                yield {"type": "message-metadata", "messageMetadata": {"usage": ev.data_of(event)}}
            case ev.RunFinished():
                yield from self._finish(event.text, event.outcome)
            case ev.RunFailed():
                yield from self._close()
                yield {"type": "error", "errorText": event.message}
                yield {"type": "finish", "finishReason": "error"}
            case ev.RunCancelled():
                yield from self._close()
                yield {"type": "abort"}

    def _add(self, text: str) -> Iterator[Chunk]:
        """More of the reply. What separates a step's text from the one before is the part's own edge here."""
        shown = text if self._text else text.lstrip("\n")
        if shown and not self._text:
            yield from self._open(len(self._reply) + len(text) - len(shown))
        self._reply += text
        if shown:
            self._parts[-1].end = len(self._reply)
            yield {"type": "text-delta", "id": self._text, "delta": shown}

    def _open(self, at: int) -> Iterator[Chunk]:
        self._made += 1
        self._text = f"text-{self._made}"
        self._parts.append(_Part(self._text, at, at))
        yield {"type": "text-start", "id": self._text}

    def _close(self) -> Iterator[Chunk]:
        if self._text:
            yield {"type": "text-end", "id": self._text}
        self._text = ""

    def _retract(self, keep: int) -> Iterator[Chunk]:
        """What was said after `keep` is withdrawn; the part that it began in is said again up to there."""
        yield from self._close()
        withdrawn = [part for part in self._parts if part.end > keep]
        begun = min((part.start for part in withdrawn), default=keep)
        kept, self._reply = self._reply[begun:keep], self._reply[:keep]
        ids = [part.id for part in withdrawn]
        self._parts = [part for part in self._parts if part.end <= keep]
        yield {"type": "data-retracted", "id": f"retracted-{self._made}", "data": {"parts": ids, "keep": keep}}
        yield from self._open(min(begun, keep))
        self._parts[-1].end = keep
        yield {"type": "text-delta", "id": self._text, "delta": STARTS_OVER + kept}

    def _release(self) -> Iterator[Chunk]:
        """The output of a writing tool that made no proposal after all."""
        if self._held is not None:
            yield _finished(self._held)
            self._held = None

    def _propose(self, event: ev.ProposalMade) -> Iterator[Chunk]:
        proposal, held = event.proposal, self._held
        self._held = None
        if proposal["status"] == "pending":
            yield from asking(event.call_id, proposal)
            return
        if held is not None:
            yield _finished(held)
        yield {"type": "data-proposal", "id": proposal["id"], "data": {"call_id": event.call_id, **proposal}}

    def _finish(self, text: str, outcome: str | None) -> Iterator[Chunk]:
        """`text` is authoritative; what was streamed is it, or is brought to it."""
        if text != self._reply:
            if text.startswith(self._reply):
                yield from self._add(text[len(self._reply) :])
            else:
                yield from self._retract(0)
                yield from self._add(text)
        yield from self._close()
        yield {"type": "finish-step"}
        yield {"type": "finish", "finishReason": FELL_SHORT.get(outcome or "", "stop")}


def _finished(event: ev.ToolFinished) -> Chunk:
    if event.ok:
        output = output_of(event.summary, event.facts)
        return {
            "type": "tool-output-available",
            "toolCallId": event.call_id,
            "output": output,
            "providerExecuted": True,
        }
    return {
        "type": "tool-output-error",
        "toolCallId": event.call_id,
        "errorText": event.summary,
        "providerExecuted": True,
    }


def frame(chunk: Chunk) -> bytes:
    """One chunk as a server-sent event."""
    return b"data: " + orjson.dumps(chunk) + b"\n\n"


async def frames(
    events: AsyncGenerator[ev.Event, None], encoder: Encoder, before: Sequence[Chunk] = ()
) -> AsyncGenerator[bytes, None]:
    """The stream of a run, with the chunks `before` it right after its start. Closing this closes `events`."""
    async with aclosing(events):
        async for event in events:
            chunks = list(encoder.encode(event))
            if before and chunks and chunks[0]["type"] == "start":
                chunks[1:1] = before
            for chunk in chunks:
                yield frame(chunk)
    yield DONE
