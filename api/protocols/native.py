"""Penny's own wire: server-sent events with `id: <seq>`, `event: <type>`, `data: <JSON>`; a client resumes by the last id."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import cast

from domain.errors import PennyError

RETRY = b"retry: 1000\n\n"
"""Milliseconds that a client waits before it reconnects."""

_log = logging.getLogger(__name__)


def frame(seq: int, kind: str, data: str) -> bytes:
    """One event; `data` is JSON text without line breaks. Lines end in LF: some clients split on nothing else."""
    return f"id: {seq}\nevent: {kind}\ndata: {data}\n\n".encode()


async def frames(events: AsyncIterator[tuple[int, str, str]]) -> AsyncGenerator[bytes, None]:
    """The stream of a run's events. One that breaks off without a terminal event is to be resumed by the client, so an
    error of Penny's own ends the stream quietly. Closing this closes `events`."""
    yield RETRY
    async with aclosing(cast("AsyncGenerator[tuple[int, str, str], None]", events)):
        try:
            async for seq, kind, data in events:
                yield frame(seq, kind, data)
        except PennyError as error:
            _log.warning("a stream of events broke off: %s", error.code)
