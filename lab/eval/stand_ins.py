"""Models that stand in for one: Ideal does what each case expects, Mute does nothing. They show that cases can be
passed, and that none is passed for nothing; both cost nothing."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import uuid4

from langchain_core.messages import AIMessageChunk, HumanMessage, ToolMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import tool_call_chunk

from agent.model import Abilities, ModelRequest
from lab.cases.case import Call, Persona, Say

NOTHING: Final = UsageMetadata(input_tokens=0, output_tokens=0, total_tokens=0)


@dataclass
class Cue:
    """Where the case is that is being played: its step, and how many messages the step has had."""

    step: Say | Persona | None = None
    messages: int = 0
    called: bool = field(default=False)


CUE: Final[ContextVar[Cue]] = ContextVar("lab.cue")
"""A run is a task that its submission starts, so it sees the cue of the case that it is part of."""


class Ideal:
    """Calls the tools that the step expects, then says its example, or what the tools say."""

    name = "ideal"
    abilities = Abilities(prose=False)

    async def stream(self, request: ModelRequest) -> AsyncIterator[AIMessageChunk]:
        cue = CUE.get()
        if isinstance(request.turn[-1], ToolMessage):
            yield AIMessageChunk(content=_spoken(cue, request), usage_metadata=NOTHING)
            return
        calls = _calls(cue)
        if calls:
            yield AIMessageChunk(content="", tool_call_chunks=calls, usage_metadata=NOTHING)
            return
        yield AIMessageChunk(content=_example(cue) or "I see.", usage_metadata=NOTHING)

    async def close(self) -> None:
        """Nothing is held."""


class Mute:
    """Says "OK." to everything."""

    name = "mute"
    abilities = Abilities(prose=False)

    async def stream(self, request: ModelRequest) -> AsyncIterator[AIMessageChunk]:
        yield AIMessageChunk(content="OK.", usage_metadata=NOTHING)

    async def close(self) -> None:
        """Nothing is held."""


def _calls(cue: Cue) -> list[Any]:
    step = cue.step
    if step is None or step.expect.tools is None or (isinstance(step, Persona) and _speaks_first(step, cue)):
        return []
    return [
        tool_call_chunk(name=call.tool, args=json.dumps(_args(call)), id=f"call_{uuid4().hex[:20]}", index=nth)
        for nth, (call, *_) in enumerate(step.expect.tools)
    ]


def _args(call: Call) -> dict[str, str]:
    first = {name: value[0] if isinstance(value, tuple) else value for name, value in call.args.items()}
    return {name: value for name, value in first.items() if value is not None}


def _speaks_first(persona: Persona, cue: Cue) -> bool:
    return cue.messages <= len(persona.examples)


def _example(cue: Cue) -> str:
    if isinstance(cue.step, Say):
        return cue.step.example
    if isinstance(cue.step, Persona) and _speaks_first(cue.step, cue):
        return cue.step.examples[cue.messages - 1]
    return ""


def _spoken(cue: Cue, request: ModelRequest) -> str:
    """The example, its `{summary}` put in; else the summaries of this turn's results."""
    summaries: list[str] = []
    for message in request.turn[_last_user(request) :]:
        if isinstance(message, ToolMessage):
            content = json.loads(str(message.text))
            summaries.append(str(content.get("summary", "")))
    told = "\n\n".join(summaries)
    example = cue.step.example if isinstance(cue.step, Say) else ""
    return example.replace("{summary}", told) if example else told


def _last_user(request: ModelRequest) -> int:
    return max(n for n, message in enumerate(request.turn) if isinstance(message, HumanMessage))
