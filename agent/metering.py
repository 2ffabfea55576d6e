"""Asking before a model is asked: each call is estimated and set aside under the caps of the day, and what a call that
broke off took is counted too. At a cap the answer comes without the model.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from typing import cast

import orjson
from langchain_core.messages import AIMessageChunk

from agent.capabilities import cost
from agent.history import tokens as estimated
from agent.model import Abilities, Model, ModelRequest
from agent.without_model import WithoutModel
from memory.runs import Tokens
from memory.usage import Cap
from tools import catalog

RESULTS_TOKENS = 4_000
"""What is set aside for results of tools: a look-up and its answer are two calls, of which the second reads these too,
and most replies need to ask only once."""

OUTPUT_TOKENS = 2_000
"""What is set aside for the answer of a call."""


@dataclass(frozen=True, slots=True)
class Need:
    """What one call may take, rather too much than too little: nothing is taken for read from a cache."""

    read: int
    usd: Decimal

    @property
    def tokens(self) -> int:
        return self.read + OUTPUT_TOKENS

    @classmethod
    def of(cls, request: ModelRequest, model: str) -> Need:
        """The estimate for the request to the model of that name; 0 dollars when its price is not known."""
        text = len(request.system.encode()) + len(request.aside.encode())
        told = estimated([*request.earlier, *request.turn])
        return cls.reading(text // 4 + told + (_tools() if request.tools else 0), model)

    @classmethod
    def reading(cls, tokens: int, model: str) -> Need:
        """Of a call that reads so many tokens."""
        return cls(tokens, cost(model, Tokens(input=tokens, output=OUTPUT_TOKENS)) or Decimal())


@cache
def _tools() -> int:
    return len(orjson.dumps(catalog.specs())) // 4


Reserve = Callable[[int, Decimal], Awaitable[Cap | None]]
"""Sets tokens and US dollars aside for the run, in place of what it had set aside; the cap that forbids it, if any."""


@dataclass
class Metered:
    """The model of one run, within its caps. `count` is told of calls that broke off, which their reader cannot count;
    `set_aside` are tokens for calls to come, `cap` is the one that is reached. Without `reserve` there are no caps."""

    model: Model
    count: Callable[[Tokens, str], None]
    reserve: Reserve | None = None
    set_aside: int = 0
    cap: Cap | None = None
    name: str = field(init=False)
    abilities: Abilities = field(init=False)

    def __post_init__(self) -> None:
        self.name, self.abilities = self.model.name, self.model.abilities

    async def ask_for(self, request: ModelRequest, reserve: Reserve) -> None:
        """Sets aside what this and a further call may take."""
        need = Need.of(request, self.name)
        further = Need.reading(need.read + RESULTS_TOKENS, self.name)
        self.cap = await reserve(need.tokens + further.tokens, need.usd + further.usd)
        self.set_aside = need.tokens + further.tokens

    async def stream(self, request: ModelRequest) -> AsyncIterator[AIMessageChunk]:
        """The model's answer, or one without it. Raises what the model raises."""
        need = Need.of(request, self.name)
        if self.reserve is not None and self.cap is None and need.tokens > self.set_aside:
            await self.ask_for(request, self.reserve)
        self.set_aside -= need.tokens
        if self.cap is not None:
            async for chunk in WithoutModel(self.cap).stream(request):
                yield chunk
            return
        heard, told = 0, False
        try:
            stream = cast("AsyncGenerator[AIMessageChunk, None]", self.model.stream(request))
            async with aclosing(stream) as chunks:
                async for chunk in chunks:
                    heard += 1 + (len(chunk.content) if isinstance(chunk.content, str) else 0)
                    told = told or chunk.usage_metadata is not None
                    yield chunk
        finally:
            if heard and not told:  # cancelled or broken off: read as a whole, and answered as far as was heard
                self.count(Tokens(input=need.read, output=1 + heard // 4), self.name)

    async def close(self) -> None:
        """The model is the process's, and is closed with it."""
