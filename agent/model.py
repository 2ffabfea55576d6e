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


class ProfileUnknown(ModelRefused):
    """The provider knows no such profile as this tenant's calls are to be billed to."""

    code = "model_profile_unknown"


class ContextTooLong(ModelRefused):
    """The request is longer than the model can read; with fewer older turns it may fit."""

    code = "context_too_long"


@dataclass(frozen=True, slots=True)
class Abilities:
    """What the graph has to know of a model. Without `tools` it answers from a snapshot that code makes and proposes
    nothing; without `prose` it cannot summarize; `context` is the most it reads and writes in one call, in tokens."""

    tools: bool = True
    context: int = 100_000
    prose: bool = True


@dataclass(frozen=True, slots=True)
class Situation:
    """What is true of the user when the turn starts; prompts are rendered from it, but for the `tenant`, on whose bill
    the model's answers are."""

    today: date
    locale: str
    currency: str
    time_zone: str
    categories: tuple[str, ...]
    accounts: tuple[str, ...]
    tenant: str = ""


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """One call: the rendered system prompt, older turns, this turn's messages, the tools as JSON-schema specs.

    `tools` is a list of `{"name", "description", "input_schema"}`. `earlier` ends with an answered turn; `turn` starts
    with the user's message. Assistant messages carry LangChain `tool_calls`, tool messages their `tool_call_id`.

    What a provider has read before costs a tenth, up to the first byte that differs: `tools` and `system` are to be the
    same for everybody, what differs by user or day stands in `aside`, which is told after `system` and before
    `earlier`; and `earlier` is to grow at its end, losing older turns seldom and several at a time.

    With `minutes` it is no turn that is to be answered but older turns that are to be summarized, without tools.
    """

    system: str
    situation: Situation
    earlier: Sequence[AnyMessage]
    turn: Sequence[AnyMessage]
    tools: Sequence[dict[str, Any]]
    aside: str = ""
    minutes: bool = False


class Model(Protocol):
    """A language model that answers with text, tool calls, or both."""

    name: str
    """As clients see it: "local", "bedrock:<id>", "scripted"."""

    abilities: Abilities

    def stream(self, request: ModelRequest) -> AsyncIterator[AIMessageChunk]:
        """The reply in chunks whose sum is the whole AIMessage, `usage_metadata` included. Closing the iterator closes
        the upstream. Raises the errors above, never a provider's own.

        `response_metadata` may say: `stopReason`, why it ended, as Bedrock puts it (`max_tokens`, `refusal`,
        `content_filtered`, `guardrail_intervened`...); `answered_by`, the name of the model that did; `priced_as`, what
        agent.capabilities knows its price by. A call that is no JSON object comes as an `invalid_tool_call`, one that
        was cut off not at all.
        """
        ...

    async def close(self) -> None:
        """Gives back what the model holds."""
        ...
