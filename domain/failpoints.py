"""Failpoints: the named places of a run's life where a test may end the process, to show that nothing is lost there.

The code says where it is by calling `reached(point)`; the composition root gives the function. The service's does
nothing. Each pair lies just before and just after a commit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

Point = Literal[
    "accept.storing",  # the message and its run, in the open transaction
    "accept.stored",
    "run.loaded",  # what the run starts from is read, nothing is said yet
    "events.writing",  # a batch of events, before its statement
    "events.written",  # committed, and shown to no reader yet
    "call.storing",  # the model's tool call, before its statement
    "call.stored",
    "results.storing",  # the tools have run (a proposal is committed), their results are not yet
    "results.stored",
    "end.storing",  # the last message, the last events and the status, before their statement
    "end.stored",
    "takeover.claimed",  # another's run is claimed, nothing is done for it yet
]

POINTS: tuple[Point, ...] = get_args(Point)

Reached = Callable[[Point], None]


def inert(_: Point) -> None:
    """What the service does at every point."""
