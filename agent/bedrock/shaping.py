"""What of a request one model is told, and how: cache points, its own thinking, what a guardrail judges, and the forms
of models that take no system prompt or no conversation.

Cache points stand where the prompt is the same next time: after the system prompt (tools come before it on the wire),
and at the two newest places at which a request of this session has ended. So a call reads what was read before, writes
what is new, and no more than three of the four allowed points are used. All keep for as long: Bedrock takes none of an
hour after one of five minutes.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

from agent.capabilities import Capabilities
from agent.model import ModelRequest

_POINT: dict[str, Any] = {"cachePoint": {"type": "default"}}
_HOUR: dict[str, Any] = {"cachePoint": {"type": "default", "ttl": "1h"}}

_THOUGHT = "reasoning_content"


@dataclass(frozen=True, slots=True)
class Shape:
    """How requests to the model `name` look. `guarded`: a guardrail judges the user's newest words. `hour`: prompts are
    cached for an hour, where the model can."""

    name: str
    known: Capabilities
    guarded: bool = False
    hour: bool = False

    def messages(self, request: ModelRequest) -> list[BaseMessage]:
        """System prompt, history and turn as the model takes them."""
        earlier: list[AnyMessage] = list(request.earlier)
        turn = [self._own(message) for message in request.turn]
        if not self.known.chat:
            return [HumanMessage(_transcript(request, [*earlier, *turn]))]
        if self.guarded and self.known.system and not request.minutes:  # else its prompt stands with the user's words
            turn[0] = HumanMessage([{"guardContent": {"text": {"text": str(turn[0].text)}}}])
        told = [*earlier, *turn]
        if self._marks(request):
            for place in self._places(earlier, turn):
                told[place] = _pointed(told[place], self._point)
        if self.known.system:
            return [SystemMessage(self._system(request)), *told]
        return _folded(_joined(request), told)

    def _marks(self, request: ModelRequest) -> bool:
        """What is written to the cache costs more; a summary is asked for once."""
        return self.known.caching is not None and not request.minutes

    def _system(self, request: ModelRequest) -> str | list[str | dict[Any, Any]]:
        if not self._marks(request):
            return _joined(request)
        tail: list[str | dict[Any, Any]] = [{"text": request.aside}] if request.aside else []
        return [{"text": request.system}, self._point, *tail]

    @property
    def _point(self) -> dict[str, Any]:
        return _HOUR if self.hour and self.known.caching is not None and self.known.caching.hour else _POINT

    def _places(self, earlier: Sequence[AnyMessage], turn: Sequence[AnyMessage]) -> list[int]:
        """Indices of the messages that a point follows. A past turn is told without its rows, so of the requests of
        the last one the first is what comes again; judged words come again in another form, so not even that one."""
        places = []
        if earlier:
            last = len(earlier) - 1
            asked = [n for n, message in enumerate(earlier) if isinstance(message, HumanMessage)]
            places = [last if self.guarded or not asked else asked[-1]]
        for n, message in enumerate(turn):
            closes = n + 1 == len(turn) or isinstance(turn[n + 1], AIMessage)
            if closes and not isinstance(message, AIMessage) and self._may_follow(message):
                places.append(len(earlier) + n)
        return places[-2:]

    def _may_follow(self, message: AnyMessage) -> bool:
        """Nova takes no point in a message with tool results."""
        assert self.known.caching is not None
        return self.known.caching.tools or not isinstance(message, ToolMessage)

    def _own(self, message: AnyMessage) -> AnyMessage:
        """A message without what another model thought; encrypted thinking as the bytes that it is on the wire."""
        if not isinstance(message, AIMessage) or isinstance(message.content, str):
            return message
        own = message.response_metadata.get("answered_by") == self.name and self.known.thinking
        blocks = [_decoded(block) for block in message.content if own or not _is_thought(block)]
        if blocks and all(isinstance(b, dict) and b.get("type") == "text" for b in blocks):
            return message.model_copy(update={"content": str(message.text)})
        return message.model_copy(update={"content": blocks or ""})

    def may_think(self, turn: Sequence[AnyMessage]) -> bool:
        """Whether thinking may be asked for: not amid calls that were made without it, which the API refuses."""
        calling = [m for m in turn if isinstance(m, AIMessage) and m.tool_calls]
        return all(any(map(_is_thought, self._own(m).content)) for m in calling)


def _is_thought(block: Any) -> bool:
    return isinstance(block, dict) and block.get("type") == _THOUGHT


def _decoded(block: str | dict[Any, Any]) -> str | dict[Any, Any]:
    if not isinstance(block, dict) or "redacted_content" not in block.get(_THOUGHT, {}):
        return block
    return {"type": _THOUGHT, _THOUGHT: {"redacted_content": base64.b64decode(block[_THOUGHT]["redacted_content"])}}


def _pointed(message: AnyMessage, point: dict[str, Any]) -> AnyMessage:
    """The message with the point after it; text becomes a block, for a point cannot stand beside plain text."""
    content: Any = message.content
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else list(content)
    return message.model_copy(update={"content": [*blocks, point]})


def _joined(request: ModelRequest) -> str:
    return f"{request.system}\n\n{request.aside}" if request.aside else request.system


def _folded(system: str, told: list[AnyMessage]) -> list[BaseMessage]:
    """The system prompt before the first message's words."""
    first, *rest = told
    return [HumanMessage(f"{system}\n\n{first.text}"), *rest]


def _transcript(request: ModelRequest, told: Sequence[AnyMessage]) -> str:
    """The whole conversation as one text, for models that only complete."""
    names = {"human": "Person", "ai": "Penny"}
    lines = [f"{names[m.type]}: {m.text}" for m in told if m.type in names]
    return "\n\n".join([_joined(request), *lines, "Penny:"])
