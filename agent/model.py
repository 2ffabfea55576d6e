"""What the graph needs of a language model, whoever provides it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from langchain_core.messages import AIMessageChunk, AnyMessage

from domain.errors import Unavailable


class ModelUnavailable(Unavailable):
    """The model did not answer, or broke off; the same message may be sent again."""

    code = "model_unavailable"


class ModelThrottled(ModelUnavailable):
    """The provider asks for less traffic; trying again later works."""

    code = "model_throttled"


class ModelRefused(Unavailable):
    """The provider refused the request as it stands (access, a wrong model id, a malformed request)."""

    code = "model_refused"
    retryable = False


@dataclass(frozen=True, slots=True)
class Situation:
    """What is true of the user when the turn starts; prompts are rendered from it."""

    today: date
    locale: str
    currency: str
    time_zone: str
    categories: tuple[str, ...]
    accounts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """One call: the rendered system prompt, older turns, this turn's messages, the tools as JSON-schema specs.

    `tools` is a list of `{"name", "description", "input_schema"}`. `earlier` ends with an answered turn; `turn` starts
    with the user's message. Assistant messages carry LangChain `tool_calls`, tool messages their `tool_call_id`.
    """

    system: str
    situation: Situation
    earlier: Sequence[AnyMessage]
    turn: Sequence[AnyMessage]
    tools: Sequence[dict[str, Any]]


class Model(Protocol):
    """A language model that answers with text, tool calls, or both."""

    name: str
    """As clients see it: "local", "bedrock:<id>", "scripted"."""

    def stream(self, request: ModelRequest) -> AsyncIterator[AIMessageChunk]:
        """The reply in chunks whose sum is the whole AIMessage, `usage_metadata` included. Closing the iterator closes
        the upstream. Raises the errors above, never a provider's own."""
        ...

    async def close(self) -> None:
        """Gives back what the model holds."""
        ...
