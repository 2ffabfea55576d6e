"""How many Python calls a streamed token takes: a guard that does not depend on the machine. The numbers may fall; a
rise has to be meant (docs/performance.md)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from agent.bedrock.answer import Answer
from agent.bedrock.frames import FrameReader
from agent.bedrock.wire import _parsed
from api.protocols.native import encode
from lab.bedrock_emulator.frames import event
from memory.frames import Frame

FEW, MANY = 200, 1200


class Calls:
    """Calls of Python functions, generators' resumptions among them."""

    count = 0


@contextmanager
def counted() -> Iterator[Calls]:
    """Counts the calls of this thread."""
    calls, before = Calls(), sys.getprofile()

    def note(_: Any, event: str, __: Any) -> None:
        calls.count += event == "call"

    sys.setprofile(note)
    try:
        yield calls
    finally:
        sys.setprofile(before)


def each(work: Callable[[int], object]) -> float:
    """Calls for one more."""
    counts = []
    for n in (FEW, FEW, MANY):  # the first time warms caches
        with counted() as calls:
            work(n)
        counts.append(calls.count)
    return (counts[2] - counts[1]) / (MANY - FEW)


@pytest.mark.parametrize(("at_once", "most"), [(1, 29), (4, 42)], ids=["a token a read", "four tokens a read"])
def test_a_read_becomes_one_chunk_in_so_many_calls(at_once: int, most: int) -> None:
    """From the bytes of a socket read to the chunk that the graph gets."""
    data = b"".join(
        event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "word "}}) for _ in range(at_once)
    )
    chunks: list[str] = []

    def work(reads: int) -> None:
        reader, answer = FrameReader(), Answer()
        chunks.clear()
        for _ in range(reads):
            reader.add(data)
            events, _failure = _parsed(reader)
            chunks.extend(str(chunk.content) for chunk in answer.feed(events))

    took = each(work)
    assert chunks == ["word " * at_once] * MANY
    assert took <= most, f"{took:.1f} calls a read"


async def test_a_chunk_becomes_an_event_in_so_many_calls(start: Any, collect: Any, user: Any, session: Any) -> None:
    """From the model's chunk to the event that waits to be written: through the graph's node, the voice and the run."""
    counts = []
    for words in (FEW, FEW, MANY):
        async with start([{"text": "word " * words}]) as runner:
            with counted() as calls:
                accepted = await runner.submit(user, session, "talk")
                events = await collect(runner, user, accepted.run_id)
        assert events[-1][2]["text"].count("word") == words
        counts.append(calls.count)
    took = (counts[2] - counts[1]) / (MANY - FEW)
    assert took <= 29, f"{took:.1f} calls a chunk"


def test_an_event_is_encoded_in_one_call() -> None:
    """What a reader is sent is put together once, from text that is JSON already."""

    def work(events: int) -> None:
        for n in range(events):
            encode(Frame(n, "text.delta", '{"text":"word "}'))

    assert each(work) <= 2
