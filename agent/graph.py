"""The graph: a model that may call tools, and the tools. Its state is the messages of one turn.

START looks at the last message: the user's or tool results go to the model, unanswered calls to the tools, an answer to
the END. So resuming after a crash is loading the turn and invoking the same graph. Each node hands what it made to
`TurnContext.keep` before it returns, and streams events as they happen.
"""

from __future__ import annotations

from typing import Any, Literal

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.config import get_stream_writer
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime

from agent import snapshot
from agent.asking import ask
from agent.calling import answer_calls, tool_events, unfinished
from agent.events import TextDelta
from agent.turn import MOST_TOOL_ROUNDS, TurnContext, TurnState, from_results, joint, unanswered
from memory.messages import Message

__all__ = ["CONFIG", "TurnContext", "TurnState", "build_graph", "tool_events", "unanswered", "unfinished"]


async def route(state: TurnState) -> Literal["model", "tools", "__end__"]:
    """Where the turn goes on, told from its messages alone. A coroutine, for LangGraph takes a function to a thread."""
    if unanswered(state["messages"]):
        return "tools"
    return "__end__" if state["messages"][-1].role == "assistant" else "model"


async def call_model(state: TurnState, runtime: Runtime[TurnContext]) -> dict[str, list[Message]]:
    """One step of the model. The answer that ends the turn is stored with the end of the run, not here."""
    ctx, messages = runtime.context, state["messages"]
    write = ctx.tell or get_stream_writer()
    rounds = sum(1 for m in messages if m.tool_calls)
    if rounds >= ctx.rounds:
        text = from_results(messages, f"I stopped after {rounds} rounds of look-ups. What I found:")
        write(TextDelta(joint(messages) + text))
        return {"messages": [Message("assistant", text)]}
    if not ctx.model.abilities.tools and not rounds:
        return {"messages": await ctx.keep([snapshot.calls(messages[0].id)])}
    step = await ask(ctx, messages, write)
    return {"messages": await ctx.keep([step]) if step.tool_calls else [step]}


async def call_tools(state: TurnState, runtime: Runtime[TurnContext]) -> dict[str, list[Message]]:
    """Runs the calls that have no result and keeps all results together."""
    ctx = runtime.context
    write = ctx.tell or get_stream_writer()
    results = await answer_calls(ctx, state["messages"], write)
    kept = await ctx.keep([message for message, _ in results])
    for message, result in results:  # told only once kept: a repeated step could find something else
        for event in tool_events(message, result.proposal):
            write(event)
    return {"messages": kept}


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


CONFIG: RunnableConfig = {"recursion_limit": 2 * MOST_TOOL_ROUNDS + 6}
