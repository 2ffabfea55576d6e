"""The chunks of a reply, put together once at its end: adding one by one copies all that came before, each time."""

from __future__ import annotations

from functools import reduce
from operator import add

from langchain_core.messages import AIMessageChunk

from agent.model import ModelUnavailable


class Parts:
    """Takes chunks as they come. Neighbours that are nothing but text are kept as text."""

    def __init__(self) -> None:
        self._chunks: list[AIMessageChunk] = []
        self._text: list[str] = []

    def add(self, chunk: AIMessageChunk) -> None:
        """The next chunk."""
        content = chunk.content
        if isinstance(content, str) and not (
            chunk.tool_call_chunks or chunk.response_metadata or chunk.usage_metadata or chunk.additional_kwargs
        ):
            self._text.append(content)
        else:
            self._settle()
            self._chunks.append(chunk)

    def whole(self) -> AIMessageChunk:
        """The sum. Raises ModelUnavailable when nothing came."""
        self._settle()
        if not self._chunks:
            raise ModelUnavailable("The model ended without an answer. Please try again.")
        return reduce(add, self._chunks)

    def _settle(self) -> None:
        if self._text:
            self._chunks.append(AIMessageChunk(content="".join(self._text)))
            self._text = []
