"""Penny's own wire: server-sent events, each with its number in the run as id, so that a client can resume."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import cast

import structlog

from domain.errors import PennyError
from memory.frames import Frame

RETRY = b"retry: 1000\n\n"
"""Milliseconds that a client waits before it reconnects."""

log = structlog.get_logger(__name__)


def encode(event: Frame) -> bytes:
    """One event; its data has no line breaks already. Lines end in LF: some clients split on nothing else."""
    return f"id: {event.seq}\nevent: {event.type}\ndata: {event.data}\n\n".encode()


async def frames(events: AsyncIterator[Frame]) -> AsyncGenerator[bytes, None]:
    """The stream of a run's events. One that breaks off without a terminal event is to be resumed by the client, so an
    error of Penny's own ends the stream quietly. Closing this closes `events`."""
    yield RETRY
    async with aclosing(cast("AsyncGenerator[Frame, None]", events)):
        try:
            async for event in events:
                yield encode(event)
        except PennyError as error:
            log.warning("stream.broke_off", error=error.code)
