"""The graph for LangGraph's own tools (langgraph.json): on this checkout's database and model, as the demo user.

Input is `{"text": "..."}`; the turn's messages are the output. Nothing of the conversation is stored; what the model
proposes is, as always.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from langchain_core.messages import HumanMessage
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime
from typing_extensions import TypedDict

from agent.graph import TurnContext, TurnState, call_model, call_tools, route
from agent.model import Situation
from agent.start import variables
from api.auth import DEV_ISSUER
from domain.clock import SystemClock, today
from ledger import profile
from memory.messages import Message
from penny.database import open_database
from penny.models import make_model
from penny.settings import DEMO_USER, load
from prompts import library
from tools.tool import ToolContext

Contexts = Callable[[Sequence[Message]], Awaitable[TurnContext]]


class Words(TypedDict):
    """What is said."""

    text: str


class Asked(TurnState):
    """What is said, and the turn that comes of it."""

    text: str


@asynccontextmanager
async def graph() -> AsyncIterator[CompiledStateGraph[Asked, None, Words, TurnState]]:
    """The compiled graph. Database and model are opened by the first step that needs them: a tool that only draws the
    graph needs neither."""
    async with AsyncExitStack() as stack:
        made: list[Contexts] = []

        async def context(messages: Sequence[Message]) -> TurnContext:
            if not made:
                made.append(await _opened(stack))
            return await made[0](messages)

        async def begin(state: Asked) -> dict[str, list[Message]]:
            return {"messages": [Message("user", state["text"])]}

        async def model(state: Asked) -> dict[str, list[Message]]:
            return await call_model(state, Runtime(context=await context(state["messages"])))

        async def tools(state: Asked) -> dict[str, list[Message]]:
            return await call_tools(state, Runtime(context=await context(state["messages"])))

        drawn = StateGraph(Asked, input_schema=Words, output_schema=TurnState)
        for name, node in (("begin", begin), ("model", model), ("tools", tools)):
            drawn.add_node(name, node)
        drawn.add_edge(START, "begin")
        for source in ("begin", "model", "tools"):
            drawn.add_conditional_edges(source, route, {"model": "model", "tools": "tools", "__end__": END})
        yield drawn.compile()


async def _opened(stack: AsyncExitStack) -> Contexts:
    settings = load()
    db = await stack.enter_async_context(open_database(settings, lambda _: None))
    model, clock, prompt = make_model(settings), SystemClock(), library.load()
    stack.push_async_callback(model.close)
    user = await db.resolve_user(DEV_ISSUER, "", DEMO_USER)

    async def context(messages: Sequence[Message]) -> TurnContext:
        async with db.read(user) as tx:
            person = await profile.get(tx)
        prefs = person.preferences
        day = today(clock, prefs.time_zone)
        situation = Situation(day, prefs.locale, prefs.currency, prefs.time_zone, person.categories, person.accounts)
        rendered = prompt.render(variables(situation, ()))
        said = messages[0].text
        return TurnContext(
            model=model,
            system=rendered.constant,
            aside=rendered.aside,
            situation=situation,
            earlier=(),
            opening=HumanMessage(said),
            tools=ToolContext(db, user, day, prefs, clock, prompt_version=prompt.version, said=(said,)),
            keep=_kept,
            count=lambda *_: None,
        )

    return context


async def _kept(messages: Sequence[Message]) -> list[Message]:
    return list(messages)
