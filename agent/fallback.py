"""A list of models: while one is throttled or out, the next one answers."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from typing import cast

import structlog
from langchain_core.messages import AIMessageChunk

from agent.model import Abilities, Model, ModelRequest, ModelUnavailable
from domain.errors import SetupError

log = structlog.get_logger(__name__)

REST_SECONDS = 30.0


class FallbackModel:
    """The first of `models` that answers, answers. Changes only before a reply has begun: what was said stands.

    A model that failed rests for `rest_seconds`, in which the others are asked before it. A refusal (access, a wrong
    id, a malformed request) is no outage and is raised. Raises SetupError when a model without tools is to stand in for
    one with tools: it could not go on where that one stopped.
    """

    def __init__(
        self,
        models: Sequence[Model],
        *,
        rest_seconds: float = REST_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        first = models[0]
        for model in models:
            if model.abilities.tools != first.abilities.tools:
                raise SetupError(f"{model.name} cannot stand in for {first.name}: only one of them can call tools.")
        self.name = first.name
        self.abilities = Abilities(first.abilities.tools, min(model.abilities.context for model in models))
        self._models, self._rest, self._clock = models, rest_seconds, clock
        self._resting: dict[str, float] = {}

    async def stream(self, request: ModelRequest) -> AsyncIterator[AIMessageChunk]:
        """The reply of the first model that begins one; `answered_by` in its metadata says which."""
        *others, last = self._in_order()
        for model in others:
            begun = False
            try:
                async with aclosing(_reply(model, request)) as chunks:
                    async for chunk in chunks:
                        begun = True
                        yield chunk
            except ModelUnavailable as error:
                if begun:
                    raise
                self._resting[model.name] = self._clock() + self._rest
                log.warning("model.stood_in_for", model=model.name, error=error.code)
            else:
                return
        async with aclosing(_reply(last, request)) as chunks:
            async for chunk in chunks:
                yield chunk

    def _in_order(self) -> list[Model]:
        """Those that do not rest, as listed, then those that do."""
        now = self._clock()
        return sorted(self._models, key=lambda model: self._resting.get(model.name, 0) > now)

    async def warm_up(self, progress: Callable[[str], None] | None = None) -> None:
        """Readies those that need it."""
        for model in self._models:
            if ready := getattr(model, "warm_up", None):
                await ready(progress)

    async def close(self) -> None:
        """Closes all of them."""
        for model in self._models:
            await model.close()


def _reply(model: Model, request: ModelRequest) -> AsyncGenerator[AIMessageChunk, None]:
    return cast("AsyncGenerator[AIMessageChunk, None]", model.stream(request))
