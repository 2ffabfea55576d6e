"""Responses that stream server-sent events."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping

from sse_starlette import EventSourceResponse
from starlette.types import Receive, Scope, Send


class EventStream(EventSourceResponse):
    """sse-starlette's response, which the edge runs when the route that made it has been left: its own way of running
    takes four tasks and a task group, for as long as the stream is open (api/open_streams.py)."""

    frames: AsyncGenerator[bytes, None]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Begins the response and leaves its frames to the edge."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        scope["state"]["frames"] = self.frames


def event_stream(
    frames: AsyncGenerator[bytes, None], run_id: str = "", headers: Mapping[str, str] | None = None
) -> EventStream:
    """The `frames` of a run (or of a feed), encoded already, as they come, with a comment every 15 seconds to keep
    proxies from closing the connection. A client that leaves closes `frames` at once."""
    stream = EventStream(
        frames,
        headers={"Cache-Control": "no-store"} | ({"Penny-Run-Id": run_id} if run_id else {}) | dict(headers or {}),
    )
    stream.frames = frames
    return stream
