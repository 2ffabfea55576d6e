"""Taking over a run: what its log has told is brought in line with its stored steps.

Text of the interrupted step is withdrawn and lost events are added, so that whoever applies the events in order ends
with exactly the final text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from uuid import UUID

import orjson

from agent import events as ev
from agent.graph import tool_events
from memory.frames import Frame
from memory.messages import Message, reply_text
from tools.proposals import View

Told = set[tuple[str, str]]
"""Type and call of each event about a tool."""


def told(logged: Iterable[Frame]) -> tuple[str, Told]:
    """The reply as the log has it, and what it has told of tools."""
    reply = ""
    tools: Told = set()
    for frame in logged:
        data = orjson.loads(frame.data)
        if frame.type == ev.TextDelta.type:
            reply += data["text"]
        elif frame.type == ev.TextRetracted.type:
            reply = reply[: data["keep"]]
        elif "call_id" in data:
            tools.add((frame.type, data["call_id"]))
    return reply, tools


def proposals_of(turn: Sequence[Message]) -> list[UUID]:
    """The ids of the proposals that the turn made."""
    return [UUID(m.body["proposal_id"]) for m in turn if m.role == "tool" and m.body.get("proposal_id")]


def mended(reply: str, turn: Sequence[Message], proposals: Mapping[str, View]) -> Iterator[ev.Event]:
    """The events that make of the told `reply` what the stored turn says, and all that it says of tools and of the
    `proposals` it made, which are by their ids."""
    want = reply_text(turn)
    keep = _common_start(reply, want)
    if keep < len(reply):
        yield ev.TextRetracted(keep)
    if keep < len(want):
        yield ev.TextDelta(want[keep:])
    args = {call["id"]: call["args"] for m in turn for call in m.tool_calls}
    for message in turn:
        if message.role == "tool":
            body = message.body
            call_id = body["call_id"]
            yield ev.ToolStarted(call_id, body["name"], body["label"], args.get(call_id, {}))
            yield from tool_events(message, proposals.get(body.get("proposal_id") or ""))


def _common_start(a: str, b: str) -> int:
    """How many characters the two share from the start."""
    for n, (left, right) in enumerate(zip(a, b, strict=False)):
        if left != right:
            return n
    return min(len(a), len(b))
