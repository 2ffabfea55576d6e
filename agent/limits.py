"""How much is made at once, and what is told of it."""

from __future__ import annotations

from dataclasses import dataclass

from memory.runs import RUNS_PER_USER


@dataclass(frozen=True)
class Limits:
    """Bounds of one process, of one user on all of them, and of one message (in code points)."""

    runs_at_once: int = 500
    runs_per_user: int = RUNS_PER_USER
    message_characters: int = 8_000
    event_retention_days: int = 7


@dataclass(frozen=True)
class Metrics:
    """A snapshot of one process. `queued` counts runs that wait, on all servers; seconds are of flushes of the log."""

    queued: int
    running: int
    takeovers: int
    flushes: int
    flush_seconds_mean: float
    flush_seconds_longest: float
    readers: int
    dropped_readers: int
