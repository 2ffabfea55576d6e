"""Events as they are kept and served: numbered frames, and the lines of a flush."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple


class Frame(NamedTuple):
    """One logged event: its number in the run, its type, its data as JSON text."""

    seq: int
    type: str
    data: str


Batch = tuple[int, int, str]
"""First seq, last seq, and the lines of a flush."""


def lines(frames: list[Frame]) -> Batch:
    """The frames as a row of `run_event` holds them. JSON text has no raw tab or line feed, so they can separate."""
    return frames[0].seq, frames[-1].seq, "\n".join(f"{f.seq}\t{f.type}\t{f.data}" for f in frames)


def parse(text: str) -> Iterator[Frame]:
    """The frames in a row's lines."""
    for line in text.split("\n"):
        seq, kind, data = line.split("\t", 2)
        yield Frame(int(seq), kind, data)
