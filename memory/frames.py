"""Events as they are kept and served: numbered frames, and the lines of a flush."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple
from uuid import UUID

from db.sealing.places import RUN_EVENTS
from db.sealing.ring import Ring


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


def sealed(ring: Ring, run_id: UUID, batch: Batch) -> Batch:
    """The row as it is stored."""
    return batch[0], batch[1], ring.seal(RUN_EVENTS, row_of(run_id, batch[0]), batch[2])


def row_of(run_id: UUID, seq: int) -> str:
    """What a row of `run_event` is sealed for."""
    return f"{run_id} {seq}"


def parse(text: str) -> Iterator[Frame]:
    """The frames in a row's lines."""
    for line in text.split("\n"):
        seq, kind, data = line.split("\t", 2)
        yield Frame(int(seq), kind, data)
