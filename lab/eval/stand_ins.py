"""Models that stand in for one: Ideal does what each case expects, Mute does nothing. They show that cases can be
passed, and that none is passed for nothing; both cost nothing."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

from langchain_core.messages import AIMessageChunk, HumanMessage, ToolMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import tool_call_chunk

from agent.model import Abilities, ModelRequest
from lab.bedrock_emulator import ToolUse, Turn
from lab.cases.case import Call, Persona, Say

NOTHING_TO_SAY: Final = "I see."
NOTHING: Final = UsageMetadata(input_tokens=0, output_tokens=0, total_tokens=0)


@dataclass
class Cue:
    """Where the case is that is being played: its step, and how many messages the step has had."""

    step: Say | Persona | None = None
    messages: int = 0


CUE: Final[ContextVar[Cue]] = ContextVar("lab.cue")
"""A run is a task that its submission starts, so it sees the cue of the case that it is part of."""


class Ideal:
    """Calls the tools that the step expects, then says its example, or what the tools say."""

    name = "ideal"
    abilities = Abilities(prose=False)

    async def stream(self, request: ModelRequest) -> AsyncIterator[AIMessageChunk]:
        cue = CUE.get()
        if isinstance(request.turn[-1], ToolMessage):
            yield AIMessageChunk(content=_spoken(cue, _results(request)), usage_metadata=NOTHING)
        elif calls := _calls(cue):
            chunks = [
                tool_call_chunk(name=name, args=json.dumps(args), id=f"call_{uuid4().hex[:20]}", index=nth)
                for nth, (name, args) in enumerate(calls)
            ]
            yield AIMessageChunk(content="", tool_call_chunks=chunks, usage_metadata=NOTHING)
        else:
            yield AIMessageChunk(content=_example(cue) or NOTHING_TO_SAY, usage_metadata=NOTHING)

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


class OnTheWire:
    """Ideal as Bedrock's emulator has it: a function from requests to turns. It plays the case whose cue it was given,
    so that only one can be played at a time."""

    def __init__(self) -> None:
        self.cue = Cue()

    def __call__(self, request: Mapping[str, Any]) -> Turn:
        if "toolConfig" not in request:  # older turns are to be summarized
            return Turn("- The conversation so far.")
        told = [block["toolResult"] for block in request["messages"][-1]["content"] if "toolResult" in block]
        if told:
            return Turn(_spoken(self.cue, [result["content"][0]["text"] for result in told]))
        if calls := _calls(self.cue):
            return Turn(tools=tuple(ToolUse(name, args) for name, args in calls))
        return Turn(_example(self.cue) or NOTHING_TO_SAY)


def _calls(cue: Cue) -> list[tuple[str, dict[str, str]]]:
    step = cue.step
    if step is None or step.expect.tools is None or (isinstance(step, Persona) and _speaks_first(step, cue)):
        return []
    return [(call.tool, _args(call)) for call, *_ in step.expect.tools]


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


def _spoken(cue: Cue, results: Sequence[str]) -> str:
    """The example, its `{summary}` put in; else the summaries of the results (JSON texts)."""
    told = "\n\n".join(str(json.loads(result).get("summary", "")) for result in results)
    example = cue.step.example if isinstance(cue.step, Say) else ""
    return example.replace("{summary}", told) if example else told


def _results(request: ModelRequest) -> list[str]:
    """This turn's results, up to the last one."""
    asked = max(n for n, message in enumerate(request.turn) if isinstance(message, HumanMessage))
    return [str(message.text) for message in request.turn[asked:] if isinstance(message, ToolMessage)]
