"""OpenAI's chat completions, from the events of a run: streamed as chunks, or whole."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import orjson

from agent import events as ev
from api.protocols.openai_outcome import Outcome
from api.protocols.openai_request import COMPLETION, MODEL

DONE = b"data: [DONE]\n\n"


@dataclass
class Completion:
    """One completion. `created` is a Unix time in seconds."""

    run_id: str
    session_id: str
    created: int
    include_usage: bool = False
    outcome: Outcome = field(default_factory=Outcome)

    def encode(self, event: ev.Event) -> Iterator[dict[str, Any]]:
        """The chunks that the event becomes."""
        if isinstance(event, ev.RunStarted):
            yield self._chunk({"role": "assistant", "content": ""})
        if text := self.outcome.add(event):
            yield self._chunk({"content": text})
        if self.outcome.end is None:
            return
        if failure := self.outcome.failure:
            code, message = failure
            yield {"error": {"message": message, "type": "server_error", "param": None, "code": code}}
            return
        beside = self.outcome.beside(self.run_id, self.session_id)
        yield self._chunk({}, self.outcome.finish_reason) | {"penny": beside}
        if self.include_usage:
            yield self._head("chat.completion.chunk") | {"choices": [], "usage": self.usage()}

    def whole(self) -> dict[str, Any]:
        """The completion, once its run has finished."""
        message: dict[str, Any] = {
            "role": "assistant",
            "content": self.outcome.reply,
            "refusal": None,
            "annotations": [],
        }
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": self.outcome.finish_reason}
        return self._head("chat.completion") | {
            "choices": [choice],
            "usage": self.usage(),
            "penny": self.outcome.beside(self.run_id, self.session_id),
        }

    def usage(self) -> dict[str, Any]:
        """Tokens in OpenAI's terms: the prompt's include those that the cache gave."""
        prompt, cached, output = self.outcome.tokens()
        return {
            "prompt_tokens": prompt,
            "completion_tokens": output,
            "total_tokens": prompt + output,
            "prompt_tokens_details": {"cached_tokens": cached},
        }

    def _head(self, kind: str) -> dict[str, Any]:
        return {"id": COMPLETION + self.run_id, "object": kind, "created": self.created, "model": MODEL}

    def _chunk(self, delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        chunk = self._head("chat.completion.chunk") | {"choices": [choice]}
        return chunk | {"usage": None} if self.include_usage else chunk


async def frames(events: AsyncGenerator[ev.Event, None], completion: Completion) -> AsyncGenerator[bytes, None]:
    """The stream of a completion. Closing this closes `events`."""
    async with aclosing(events):
        async for event in events:
            for chunk in completion.encode(event):
                yield b"data: " + orjson.dumps(chunk) + b"\n\n"
    yield DONE
