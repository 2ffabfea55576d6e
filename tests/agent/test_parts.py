"""A reply's chunks put together."""

from __future__ import annotations

import pytest
from langchain_core.messages import AIMessageChunk
from langchain_core.messages.tool import tool_call_chunk

from agent.model import ModelUnavailable
from agent.parts import Parts


def test_the_whole_is_the_sum_of_the_chunks() -> None:
    """Text, thinking, calls and metadata come out as if they had been added one by one."""
    thought = {"type": "reasoning_content", "reasoning_content": {"text": "hm"}, "index": 0}
    call = tool_call_chunk(name="f", args="{}", id="1", index=1)
    chunks = [
        AIMessageChunk(content=[thought]),
        AIMessageChunk(content="One "),
        AIMessageChunk(content="two."),
        AIMessageChunk(content="", tool_call_chunks=[call], response_metadata={"stopReason": "tool_use"}),
    ]
    parts, total = Parts(), chunks[0]
    for chunk in chunks:
        parts.add(chunk)
    for chunk in chunks[1:]:
        total = total + chunk
    whole = parts.whole()
    assert whole.text == total.text == "One two."
    assert (whole.tool_calls, whole.content, whole.response_metadata) == (
        total.tool_calls,
        total.content,
        total.response_metadata,
    )


def test_nothing_is_no_reply() -> None:
    """A stream without a chunk is an error that may be tried again."""
    with pytest.raises(ModelUnavailable):
        Parts().whole()
