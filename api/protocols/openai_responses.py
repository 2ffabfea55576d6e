"""OpenAI's responses, from the events of a run: streamed as typed events, or whole."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import orjson

from agent import events as ev
from api.protocols.openai_outcome import Outcome
from api.protocols.openai_request import CONVERSATION, MODEL, RESPONSE

INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}
"""The reason of a response that is `incomplete`, by the finish reason of a completion."""


@dataclass
class Reply:
    """One response. `created` is a Unix time in seconds; `metadata` and `previous` are the request's."""

    run_id: str
    session_id: str
    created: int
    metadata: dict[str, Any] = field(default_factory=dict)
    previous: str | None = None
    outcome: Outcome = field(default_factory=Outcome)
    _sent: int = 0

    def encode(self, event: ev.Event) -> Iterator[dict[str, Any]]:
        """The typed events that the event becomes."""
        at = {"item_id": self._item_id, "output_index": 0, "content_index": 0}
        if isinstance(event, ev.RunStarted):
            yield self._event("response.created", response=self._response("in_progress"))
            yield self._event("response.in_progress", response=self._response("in_progress"))
            item = self._item("in_progress") | {"content": []}
            yield self._event("response.output_item.added", output_index=0, item=item)
            yield self._event("response.content_part.added", **at, part=_part(""))
        if text := self.outcome.add(event):
            yield self._event("response.output_text.delta", **at, delta=text, logprobs=[])
        if self.outcome.end is None:
            return
        if self.outcome.failure:
            yield self._event("response.failed", response=self._response("failed"))
            return
        reply = self.outcome.reply
        yield self._event("response.output_text.done", **at, text=reply, logprobs=[])
        yield self._event("response.content_part.done", **at, part=_part(reply))
        yield self._event("response.output_item.done", output_index=0, item=self._item(self._status))
        yield self._event(f"response.{self._status}", response=self.whole())

    def whole(self) -> dict[str, Any]:
        """The response, once its run has finished."""
        prompt, cached, output = self.outcome.tokens()
        reason = INCOMPLETE.get(self.outcome.finish_reason)
        return self._response(self._status) | {
            "incomplete_details": {"reason": reason} if reason else None,
            "output": [self._item(self._status)],
            "usage": {
                "input_tokens": prompt,
                "input_tokens_details": {"cached_tokens": cached},
                "output_tokens": output,
                "output_tokens_details": {"reasoning_tokens": 0},
                "total_tokens": prompt + output,
            },
            "penny": self.outcome.beside(self.run_id, self.session_id),
        }

    @property
    def _status(self) -> str:
        return "incomplete" if self.outcome.finish_reason in INCOMPLETE else "completed"

    @property
    def _item_id(self) -> str:
        return f"msg_{self.run_id}"

    def _item(self, status: str) -> dict[str, Any]:
        content = [_part(self.outcome.reply)]
        return {"id": self._item_id, "type": "message", "role": "assistant", "status": status, "content": content}

    def _response(self, status: str) -> dict[str, Any]:
        failure = self.outcome.failure
        return {
            "id": RESPONSE + self.run_id,
            "object": "response",
            "created_at": self.created,
            "status": status,
            "error": {"code": "server_error", "message": failure[1]} if failure else None,
            "incomplete_details": None,
            "instructions": None,
            "metadata": self.metadata,
            "model": MODEL,
            "output": [],
            "parallel_tool_calls": True,
            "temperature": None,
            "tool_choice": "none",
            "tools": [],
            "top_p": None,
            "conversation": {"id": CONVERSATION + self.session_id},
            "previous_response_id": self.previous,
            "store": True,
            "text": {"format": {"type": "text"}},
            "usage": None,
        }

    def _event(self, kind: str, **members: Any) -> dict[str, Any]:
        self._sent += 1
        return {"type": kind, "sequence_number": self._sent - 1, **members}


def _part(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


async def frames(events: AsyncGenerator[ev.Event, None], reply: Reply) -> AsyncGenerator[bytes, None]:
    """The stream of a response. Closing this closes `events`."""
    async with aclosing(events):
        async for event in events:
            for told in reply.encode(event):
                yield f"event: {told['type']}\ndata: ".encode() + orjson.dumps(told) + b"\n\n"
