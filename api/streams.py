"""Responses that stream server-sent events."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping

from sse_starlette import EventSourceResponse, ServerSentEvent

PING_SECONDS = 15
SEND_TIMEOUT_SECONDS = 60
"""A client that takes nothing for so long is dropped; it can resume."""


def event_stream(
    frames: AsyncGenerator[bytes, None], run_id: str = "", headers: Mapping[str, str] | None = None
) -> EventSourceResponse:
    """The `frames` of a run (or of a feed), encoded already, as they come, with a comment every 15 seconds to keep
    proxies from closing the connection. A client that leaves closes `frames` at once."""
    return EventSourceResponse(
        frames,
        headers={"Cache-Control": "no-store"} | ({"Penny-Run-Id": run_id} if run_id else {}) | dict(headers or {}),
        ping=PING_SECONDS,
        ping_message_factory=_ping,
        sep="\n",
        send_timeout=SEND_TIMEOUT_SECONDS,
    )


def _ping() -> ServerSentEvent:
    return ServerSentEvent(comment="ping", sep="\n")
