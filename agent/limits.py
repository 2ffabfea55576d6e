"""How much is made at once, and what is told of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from agent.turn import MAX_TOOL_ROUNDS
from memory.runs import RUNS_PER_USER
from memory.usage import Caps
from tools.tool import PROPOSALS_A_TURN


@dataclass(frozen=True)
class Allowance:
    """What one reply may take: the caps of the day, rounds of tool calls, and proposals."""

    caps: Caps = field(default_factory=Caps)
    tool_rounds: int = MAX_TOOL_ROUNDS
    proposals: int = PROPOSALS_A_TURN


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
    queue_seconds: float
    running: int
    takeovers: int
    flushes: int
    flush_seconds_mean: float
    flush_seconds_longest: float
    readers: int
    dropped_readers: int
