"""A turn while it is being answered: its messages are the graph's state, its context is what the nodes work with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from operator import add
from typing import Annotated, Any

from langchain_core.messages import AnyMessage
from typing_extensions import TypedDict  # LangGraph's schemas need this one before Python 3.12

from agent.events import Event
from agent.grounding.voice import Plain, Voice
from agent.model import Model, Situation
from domain.tracing import UNTRACED, Tracer
from memory.messages import Message
from memory.runs import Tokens
from tools.tool import ToolContext

MAX_TOOL_ROUNDS = 8
MOST_TOOL_ROUNDS = 32
"""What may be set instead, at most."""


class TurnState(TypedDict):
    """The messages of the turn so far, the user's first."""

    messages: Annotated[list[Message], add]


@dataclass(frozen=True)
class TurnContext:
    """What the nodes work with. `system` is the prompt that is the same for everybody, `aside` what differs by user and
    day; `keep` stores a finished step and gives it its place in the turn; `count` takes what a model call used, and the
    name of the model that answered, as agent.capabilities knows its price. `tell` takes events as they happen; without
    it they go into the graph's own stream, at the price of a wake-up for each. `outside`: text from outside may stand
    in what comes before the turn although no tool result does, as in a summary or a notice. `voice` decides when a
    step's text is sent."""

    model: Model
    system: str
    situation: Situation
    earlier: Sequence[AnyMessage]
    opening: AnyMessage
    tools: ToolContext
    keep: Callable[[Sequence[Message]], Awaitable[list[Message]]]
    count: Callable[[Tokens, str], None]
    tell: Callable[[Event], None] | None = None
    aside: str = ""
    outside: bool = False
    voice: Callable[[Sequence[Message]], Voice] = lambda _: Plain()
    rounds: int = MAX_TOOL_ROUNDS
    tracer: Tracer = UNTRACED


def unanswered(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """The calls of the last assistant message that have no result yet."""
    answered = {m.body["call_id"] for m in messages if m.role == "tool"}
    calls = next((m.tool_calls for m in reversed(messages) if m.role == "assistant"), [])
    return [call for call in calls if call["id"] not in answered]


def joint(messages: Sequence[Message]) -> str:
    """What separates a step's text from what was said before it in the turn (see memory.messages.reply_text)."""
    return "\n\n" if any(m.role == "assistant" and m.text for m in messages) else ""


def from_results(messages: Sequence[Message], opening: str = "") -> str:
    """An answer made of the tools' own summaries, without a model."""
    found = [m.body["summary"] for m in messages if m.role == "tool" and m.body.get("ok")]
    return "\n\n".join(filter(None, [opening, *found[-3:]])) if found or opening else ""
