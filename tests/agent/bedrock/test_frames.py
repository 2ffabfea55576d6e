"""Our reader of event-stream frames beside botocore's."""

from __future__ import annotations

import contextlib
from itertools import pairwise

import pytest
from botocore.eventstream import EventStreamBuffer, ParserError
from hypothesis import given
from hypothesis import strategies as st

from agent.bedrock.frames import FrameReader
from lab.bedrock_emulator import frames

TEXTS = st.lists(st.text(max_size=40), max_size=6)


def read(pieces: list[bytes]) -> list[tuple[dict[str, str], bytes]]:
    """All frames of a stream that arrives in these pieces."""
    reader, found = FrameReader(), []
    for piece in pieces:
        reader.add(piece)
        found += [(dict(headers), payload) for headers, payload in reader]
    return found


@given(texts=TEXTS, cuts=st.lists(st.integers(0, 3000), max_size=8))
def test_it_reads_what_botocore_reads(texts: list[str], cuts: list[int]) -> None:
    """However the stream is cut into pieces."""
    stream = b"".join(frames.event("contentBlockDelta", {"delta": {"text": text}}) for text in texts)
    stream += frames.exception("throttlingException", "slow down")
    theirs = EventStreamBuffer()
    theirs.add_data(stream)
    at = sorted({0, len(stream), *(min(cut, len(stream)) for cut in cuts)})
    pieces = [stream[a:b] for a, b in pairwise(at)]
    assert read(pieces) == [(message.headers, message.payload) for message in theirs]


@given(at=st.integers(0), bit=st.integers(0, 7))
def test_any_turned_bit_is_noticed(at: int, bit: int) -> None:
    """A frame with one is an error, or waits for bytes that do not come; it is never passed on."""
    frame = bytearray(frames.event("messageStop", {"stopReason": "end_turn"}))
    frame[at % len(frame)] ^= 1 << bit
    with contextlib.suppress(ParserError):
        assert read([bytes(frame)]) == []


def test_what_came_before_a_wrong_frame_stands() -> None:
    """The good frames are given, then the error."""
    good = frames.event("messageStart", {"role": "assistant"})
    reader = FrameReader()
    reader.add(good + frames.corrupted(good))
    told = iter(reader)
    assert next(told)[0][":event-type"] == "messageStart"
    with pytest.raises(ParserError):
        next(told)
