"""A stored conversation as AG-UI messages, and proposals as interrupts and state."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any
from uuid import UUID

import orjson
from ag_ui.core import (
    ActivityMessage,
    AssistantMessage,
    FunctionCall,
    Interrupt,
    Message,
    ToolCall,
    ToolMessage,
    UserMessage,
)

from api.protocols import ag_ui_names as names
from memory.transcript import Said

View = dict[str, Any]

CHART, PROPOSAL = "chart", "proposal"
"""The types of activity."""


def proposals_in(said: Iterable[Said]) -> list[UUID]:
    """The ids of the proposals that the conversation made."""
    found = (one.message.body.get("proposal_id") for one in said if one.message.role == "tool")
    return [UUID(proposal) for proposal in found if proposal]


def calls_in(said: Iterable[Said]) -> dict[str, str]:
    """The calls that made proposals, by the proposal's id."""
    return {
        one.message.body["proposal_id"]: names.call_id(str(one.reply_id), one.message.body["call_id"])
        for one in said
        if one.message.body.get("proposal_id") and one.message.role == "tool"
    }


def messages_of(said: Iterable[Said], proposals: Mapping[str, View]) -> list[Message]:
    """The conversation; `proposals` are those that it made, by id, as they are now."""
    turns = groupby(said, key=lambda one: one.message.turn)
    return [message for _, turn in turns for message in _turn(list(turn), proposals)]


def _turn(turn: Sequence[Said], proposals: Mapping[str, View]) -> Iterator[Message]:
    step = 0
    for one in turn:
        stored, reply = one.message, str(one.reply_id)
        match stored.role:
            case "user":
                yield UserMessage(id=one.client_id or str(stored.id), content=stored.text)
            case "assistant":
                step += 1
                calls = [tool_call(names.call_id(reply, c["id"]), c["name"], c["args"]) for c in stored.tool_calls]
                if stored.text or calls:
                    yield AssistantMessage(
                        id=names.step_id(reply, step), content=stored.text or None, tool_calls=calls or None
                    )
            case "tool":
                yield from _result(names.call_id(reply, stored.body["call_id"]), stored.body, proposals)
            case "notice":
                yield AssistantMessage(id=str(stored.id), content=stored.text)
            case "decision":
                yield AssistantMessage(id=names.decision_id(stored.body["proposal_id"]), content=stored.text)


def _result(call: str, body: Mapping[str, Any], proposals: Mapping[str, View]) -> Iterator[Message]:
    yield tool_message(call, result_content(body["ok"], body["summary"], body["facts"]))
    if body.get("chart"):
        yield activity(names.chart_id(call), CHART, body["chart"])
    proposal = proposals.get(str(body.get("proposal_id")))
    if proposal:
        yield activity(names.proposal_id(proposal), PROPOSAL, proposal)


def tool_call(call: str, name: str, args: Any) -> ToolCall:
    """A call as part of an assistant message."""
    return ToolCall(id=call, function=FunctionCall(name=name, arguments=_json(args)))


def tool_message(call: str, content: str) -> ToolMessage:
    """The answer to a call."""
    return ToolMessage(id=names.result_id(call), content=content, tool_call_id=call)


def activity(message_id: str, kind: str, content: View) -> ActivityMessage:
    """A chart or a proposal, where it belongs in the conversation."""
    return ActivityMessage(id=message_id, activity_type=kind, content=content)


def result_content(ok: bool, summary: str, facts: Sequence[Any]) -> str:
    """What a tool found, as JSON text: `{ok, summary, facts}`."""
    return _json({"ok": ok, "summary": summary, "facts": list(facts)})


def _json(value: Any) -> str:
    """JSON text in one order: storage keeps none, and what was streamed is to be the same when it is loaded again."""
    return orjson.dumps(value, default=str, option=orjson.OPT_SORT_KEYS).decode()


def interrupt(proposal: View, call: str | None = None) -> Interrupt:
    """The question whether to apply the proposal."""
    return Interrupt(
        id=names.interrupt_id(proposal),
        reason="tool_call" if call else "confirmation",
        message=proposal["text"],
        tool_call_id=call,
        response_schema={
            "type": "object",
            "properties": {"approved": {"type": "boolean", "title": "Apply this change"}},
            "required": ["approved"],
        },
        expires_at=proposal["expires_at"],
        metadata={"proposal": proposal},
    )
