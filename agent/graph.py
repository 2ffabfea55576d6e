"""The graph: a model that may call tools, and the tools. Its state is the messages of one turn.

START looks at the last message: the user's or tool results go to the model, unanswered calls to the tools, an answer to
the END. So resuming after a crash is loading the turn and invoking the same graph. Each node hands what it made to
`TurnContext.keep` before it returns, and streams events as they happen.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from operator import add
from typing import Annotated, Any, Literal, TypedDict, cast

import orjson
from langchain_core.messages import AIMessage, AIMessageChunk, AnyMessage, ToolMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.config import get_stream_writer
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime

from agent.events import ChartMade, Event, ProposalMade, TextDelta, ToolFinished, ToolStarted
from agent.history import clean, clean_json, to_langchain
from agent.model import Model, ModelRequest, ModelUnavailable, Situation
from memory.messages import Message
from memory.runs import Tokens
from tools import catalog
from tools.result import ToolResult
from tools.tool import ToolContext

MAX_TOOL_ROUNDS = 8

DICTATED = "add_transaction"

NO_WORDS = "I have no answer to that. Could you put it another way?"


class TurnState(TypedDict):
    """The messages of the turn so far, the user's first."""

    messages: Annotated[list[Message], add]


@dataclass(frozen=True)
class TurnContext:
    """What the nodes work with. `keep` stores a finished step and gives it its place in the turn; `count` takes what a
    model call used."""

    model: Model
    system: str
    situation: Situation
    earlier: Sequence[AnyMessage]
    opening: AnyMessage
    tools: ToolContext
    keep: Callable[[Sequence[Message]], Awaitable[list[Message]]]
    count: Callable[[Tokens], None]
    rounds: int = MAX_TOOL_ROUNDS


def unanswered(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """The calls of the last assistant message that have no result yet."""
    answered = {m.body["call_id"] for m in messages if m.role == "tool"}
    calls = next((m.tool_calls for m in reversed(messages) if m.role == "assistant"), [])
    return [call for call in calls if call["id"] not in answered]


def route(state: TurnState) -> Literal["model", "tools", "__end__"]:
    """Where the turn goes on, told from its messages alone."""
    if unanswered(state["messages"]):
        return "tools"
    return "__end__" if state["messages"][-1].role == "assistant" else "model"


async def call_model(state: TurnState, runtime: Runtime[TurnContext]) -> dict[str, list[Message]]:
    """One model call, streamed. The answer that ends the turn is stored with the end of the run, not here."""
    ctx, write, messages = runtime.context, get_stream_writer(), state["messages"]
    rounds = sum(1 for m in messages if m.tool_calls)
    if rounds >= ctx.rounds:
        text = _from_results(messages, f"I stopped after {rounds} rounds of look-ups. What I found:")
        write(TextDelta(_joint(messages) + text))
        return {"messages": [Message("assistant", text)]}
    request = ModelRequest(
        ctx.system,
        ctx.situation,
        ctx.earlier,
        [ctx.opening, *map(to_langchain, messages[1:])],
        catalog.specs(),
    )
    whole: AIMessageChunk | None = None
    spoken = False
    async with aclosing(cast("AsyncGenerator[AIMessageChunk, None]", ctx.model.stream(request))) as chunks:
        async for chunk in chunks:
            whole = chunk if whole is None else whole + chunk
            if text := clean(str(chunk.text)):
                write(TextDelta(text if spoken else _joint(messages) + text))
                spoken = True
    if whole is None:
        raise ModelUnavailable("The model ended without an answer. Please try again.")
    ctx.count(_tokens(whole))
    step = _step(whole, {call["id"] for m in messages for call in m.tool_calls})
    if step.tool_calls:
        return {"messages": await ctx.keep([step])}
    if not step.text:
        step = replace(step, text=_from_results(messages, "") or NO_WORDS)
        write(TextDelta(_joint(messages) + step.text))
    return {"messages": [step]}


async def call_tools(state: TurnState, runtime: Runtime[TurnContext]) -> dict[str, list[Message]]:
    """Runs the calls that have no result, in the model's order, and keeps all results together."""
    ctx, write, messages = runtime.context, get_stream_writer(), state["messages"]
    step = sum(1 for m in messages if m.tool_calls)
    tools = replace(ctx.tools, step=step, untrusted=_untrusted(ctx, messages))
    results: list[tuple[Message, ToolResult]] = []
    for call in unanswered(messages):
        label = catalog.label(call["name"], call["args"])
        write(ToolStarted(call["id"], call["name"], label, call["args"]))
        result = await catalog.call(replace(tools, call_id=call["id"]), call["name"], call["args"])
        results.append((_result(call, label, result), result))
    kept = await ctx.keep([message for message, _ in results])
    for message, result in results:  # told only once kept: a repeated step could find something else
        for event in tool_events(message, result.proposal):
            write(event)
    return {"messages": kept}


def _untrusted(ctx: TurnContext, messages: Sequence[Message]) -> bool:
    """Whether text from outside stands before the model: any tool's result may hold some, except that of a transaction
    which the user dictated."""
    before = [m.name for m in ctx.earlier if isinstance(m, ToolMessage)]
    now = [m.body["name"] for m in messages if m.role == "tool"]
    return any(name != DICTATED for name in (*before, *now))


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
    return _result(call, call["name"], ToolResult("This call did not finish.", ok=False))


def _result(call: dict[str, Any], label: str, result: ToolResult) -> Message:
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


def _step(whole: AIMessageChunk, taken: set[str]) -> Message:
    """The stored form of a complete model message. A call cut off by the token limit never runs; a call whose id is
    `taken` by an earlier call of the turn (a model whose ids start over in another process) gets another."""
    cut = whole.response_metadata.get("stopReason") == "max_tokens"
    calls = [
        {"id": call["id"] or f"call_{n}", "name": call["name"], "args": clean_json(call["args"])}
        for n, call in enumerate(whole.tool_calls, 1)
    ]
    bad = list(whole.invalid_tool_calls or [])
    if cut and (calls or bad):
        raise ModelUnavailable("The model's answer was cut off before it was complete. Please try again.")
    calls += [{"id": c["id"] or f"bad_{n}", "name": c["name"] or "unknown", "args": {}} for n, c in enumerate(bad, 1)]
    for n, call in enumerate(calls, 1):
        if call["id"] in taken:
            call["id"] = f"{call['id']}_{len(taken) + n}"
        taken = taken | {call["id"]}
    return Message("assistant", clean(str(whole.text)), {"tool_calls": calls} if calls else {})


def _joint(messages: Sequence[Message]) -> str:
    """What separates this step's text from what was said before it in the turn (see memory.messages.reply_text)."""
    return "\n\n" if any(m.role == "assistant" and m.text for m in messages) else ""


def _from_results(messages: Sequence[Message], opening: str) -> str:
    """An answer made of the tools' own summaries, without a model."""
    found = [m.body["summary"] for m in messages if m.role == "tool" and m.body.get("ok")]
    return "\n\n".join(filter(None, [opening, *found[-3:]])) if found or opening else ""


def _tokens(whole: AIMessage) -> Tokens:
    usage = whole.usage_metadata
    if usage is None:
        return Tokens()
    details = usage.get("input_token_details") or {}
    read, written = int(details.get("cache_read") or 0), int(details.get("cache_creation") or 0)
    return Tokens(usage["input_tokens"] - read - written, usage["output_tokens"], read, written)


def build_graph(
    checkpointer: BaseCheckpointSaver[Any] | None = None,
) -> CompiledStateGraph[TurnState, TurnContext, TurnState, TurnState]:
    """The compiled graph. The service needs no checkpointer, for the message log is the checkpoint; Studio may."""
    graph = StateGraph(TurnState, context_schema=TurnContext)
    graph.add_node("model", call_model)
    graph.add_node("tools", call_tools)
    for source in (START, "model", "tools"):
        graph.add_conditional_edges(source, route, {"model": "model", "tools": "tools", "__end__": END})
    return graph.compile(checkpointer=checkpointer)


CONFIG: RunnableConfig = {"recursion_limit": 2 * MAX_TOOL_ROUNDS + 6}
