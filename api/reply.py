"""A run read to its end, for clients that wait for the whole reply."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, cast

import orjson

from agent.events import Grounding, ProposalMade, RunCancelled, RunFailed, RunFinished, Usage
from memory.frames import Frame


@dataclass(frozen=True)
class RunEnded(Exception):
    """The run ended without a reply, or its events broke off; `status` is what that is in HTTP."""

    code: str
    message: str
    status: int
    retryable: bool


@dataclass
class Reply:
    """What a finished run said and made."""

    text: str = ""
    figures: list[dict[str, Any]] = field(default_factory=list)
    proposals: list[dict[str, Any]] = field(default_factory=list)
    usage: dict[str, Any] = field(default_factory=dict)


async def collect(events: AsyncIterator[Frame]) -> Reply:
    """Reads `events` to the terminal one and closes them. Raises RunEnded when the run failed or was cancelled."""
    reply = Reply()
    async with aclosing(cast("AsyncGenerator[Frame, None]", events)):
        async for event in events:
            kind, data = event.type, event.data
            if kind == Grounding.type:
                reply.figures = orjson.loads(data)["figures"]
            elif kind == ProposalMade.type:
                reply.proposals.append(orjson.loads(data))
            elif kind == Usage.type:
                reply.usage = orjson.loads(data)
            elif kind == RunFinished.type:
                reply.text = orjson.loads(data)["text"]
                return reply
            elif kind == RunFailed.type:
                failed = orjson.loads(data)
                status = 503 if failed["retryable"] else 500
                raise RunEnded(failed["code"], failed["message"], status, failed["retryable"])
            elif kind == RunCancelled.type:
                raise RunEnded("run_cancelled", "The run was cancelled before it had a reply.", 409, retryable=False)
    raise RunEnded("run_interrupted", "The run's events broke off; GET /v1/runs/{id} shows how it ends.", 503, True)
