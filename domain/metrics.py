"""What a process tells of itself in numbers: no user, session or text is ever a part of it."""

from __future__ import annotations

from typing import Literal, Protocol

Counter = Literal[
    "RunsFinished",
    "RunsFailed",
    "LeaseTakeovers",
    "RunsHandedOver",
    "ReadersDropped",
    "BedrockThrottles",
    "BedrockErrors",
    "InputTokens",
    "OutputTokens",
    "CacheReadTokens",
    "CostUsd",
    "OutboxDead",
]
"""Sums; what nobody counted is 0. Cost in US dollars, of models with a price only."""

Measured = Literal["FirstTokenMs", "TurnMs", "FlushMs", "DatabasePoolWaitMs"]
"""Milliseconds of single acts, whose distribution matters."""

Gauge = Literal[
    "RunsQueued",
    "QueueAgeSeconds",
    "Readers",
    "ActiveStreams",
    "OutboxAgeSeconds",
    "DatabasePoolInUse",
]
"""How things stand; RunsQueued, QueueAgeSeconds and OutboxAgeSeconds are of all servers together."""


class Metrics(Protocol):
    """Takes numbers as they arise, cheaply: recording one adds to a sum and does no I/O. `model` and `channel` are
    further dimensions, of few values."""

    def count(self, name: Counter, by: float = 1, *, model: str = "", channel: str = "") -> None:
        """So many more."""
        ...

    def measure(self, name: Measured, milliseconds: float, *, model: str = "") -> None:
        """One act that took so long."""
        ...


class Untold:
    """Takes numbers and does nothing with them."""

    def count(self, name: Counter, by: float = 1, *, model: str = "", channel: str = "") -> None:
        return

    def measure(self, name: Measured, milliseconds: float, *, model: str = "") -> None:
        return


UNTOLD: Metrics = Untold()
