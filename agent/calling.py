"""The tool calls of a step: looks side by side, changes one after another, every call answered by a result."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

import orjson
from langchain_core.messages import ToolMessage

from agent.events import ChartMade, Event, ProposalMade, ToolFinished, ToolStarted
from agent.history import clean
from agent.turn import TurnContext, unanswered
from domain.tracing import Attribute
from memory.messages import Message
from tools import catalog
from tools.result import ToolResult

AT_ONCE = 3
"""Looks of one step that run at once: each holds a database connection."""

DICTATED = "add_transaction"


async def answer_calls(
    ctx: TurnContext, messages: Sequence[Message], write: Callable[[Event], None]
) -> list[tuple[Message, ToolResult]]:
    """Runs the calls that have no result; the results are in the model's order. A change waits for what stands before
    it, and what stands after it waits for the change. Raises what tools raise (Unavailable)."""
    step = sum(1 for m in messages if m.tool_calls)
    tools = replace(ctx.tools, step=step, untrusted=_untrusted(ctx, messages))
    room = asyncio.Semaphore(AT_ONCE)
    unreadable = {id_ for m in messages for id_ in m.body.get("unreadable", ())}

    async def one(call: dict[str, Any]) -> tuple[Message, ToolResult]:
        label = catalog.label(call["name"], call["args"])
        write(ToolStarted(call["id"], call["name"], label, call["args"]))
        async with room:
            if call["id"] in unreadable:
                result = ToolResult(catalog.unreadable(call["name"]), ok=False)
            else:
                with ctx.tracer.within(f"execute_tool {call['name']}", _about(call)) as span:
                    result = await catalog.call(replace(tools, call_id=call["id"]), call["name"], call["args"])
                    if not result.ok:
                        span.failed("not_ok")
        return _message(call, label, result), result

    out: list[tuple[Message, ToolResult]] = []
    for looks, calls in groupby(unanswered(messages), key=lambda call: catalog.is_read(call["name"])):
        if looks:
            out += await _together([one(call) for call in calls])
        else:
            out += [await one(call) for call in calls]
    return out


def _about(call: dict[str, Any]) -> dict[str, Attribute]:
    return {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": str(call["name"]),
        "gen_ai.tool.call.id": str(call["id"]),
    }


async def _together(waiting: list[Any]) -> list[tuple[Message, ToolResult]]:
    """All results in order; the first error ends the others and is raised as it is."""
    if len(waiting) == 1:
        return [await waiting[0]]
    tasks = [asyncio.ensure_future(each) for each in waiting]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _untrusted(ctx: TurnContext, messages: Sequence[Message]) -> bool:
    """Whether text from outside stands before the model: any tool's result may hold some, except that of a transaction
    which the user dictated."""
    before = [m.name for m in ctx.earlier if isinstance(m, ToolMessage)]
    now = [m.body["name"] for m in messages if m.role == "tool"]
    return ctx.outside or any(name != DICTATED for name in (*before, *now))


def tool_events(message: Message, proposal: dict[str, Any] | None) -> list[Event]:
    """What a tool result says on the wire."""
    body = message.body
    events: list[Event] = [
        ToolFinished(body["call_id"], body["name"], body["ok"], body["summary"], body["facts"]),
    ]
    if body["chart"]:
        events.append(ChartMade(body["call_id"], **body["chart"]))
    if proposal:
        events.append(ProposalMade(body["call_id"], proposal))
    return events


def unfinished(call: dict[str, Any]) -> Message:
    """The result of a call that was cut off, so that every call has one."""
    return _message(call, call["name"], ToolResult("This call did not finish.", ok=False))


def _message(call: dict[str, Any], label: str, result: ToolResult) -> Message:
    facts = [fact.json(f"{call['id']}.{n}") for n, fact in enumerate(result.facts, 1)]
    told: dict[str, Any] = {"summary": result.summary}
    if facts:
        told["facts"] = [{k: f[k] for k in ("label", "value", "unit")} for f in facts]
    if result.rows:
        told["untrusted_rows"] = list(result.rows)
    if result.proposal:
        told["proposal"] = "shown to the user, who decides"
    return Message(
        "tool",
        clean(orjson.dumps(told, default=str).decode()),
        {
            "call_id": call["id"],
            "name": call["name"],
            "label": label,
            "ok": result.ok,
            "summary": clean(result.summary),
            "facts": facts,
            "chart": result.chart.json() if result.chart else None,
            "proposal_id": result.proposal["id"] if result.proposal else None,
        },
    )
