"""What the emulator has seen: counters, request bodies, and a way to wait until they are as a test expects."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

_KEPT_BODIES = 10_000

Outcome = Literal["completed", "cancelled", "broken"]


@dataclass(slots=True)
class State:
    """Counts of requests by what became of them. `open_streams`: accepted, neither ended nor left by the client.

    `started` counts accepted requests; each becomes one of `completed`, `cancelled` (the client left) and `broken`
    (the script ended it by a fault). `refused` counts HTTP errors; of the last 10,000 requests `bodies` are
    the JSON and `paths` the paths as they came.
    """

    requests: int = 0
    started: int = 0
    completed: int = 0
    cancelled: int = 0
    broken: int = 0
    refused: int = 0
    open_streams: int = 0
    bodies: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=_KEPT_BODIES))
    paths: deque[str] = field(default_factory=lambda: deque(maxlen=_KEPT_BODIES))
    _changed: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    def json(self) -> dict[str, int]:
        """The counters, as GET /emulator/state shows them."""
        names = ("requests", "started", "completed", "cancelled", "broken", "refused", "open_streams")
        return {name: getattr(self, name) for name in names}

    def announce(self) -> None:
        """Wakes those who wait; called after every change."""
        self._changed.set()

    async def wait_for(self, condition: Callable[[State], bool], seconds: float = 5.0) -> None:
        """Returns once the condition holds. Raises TimeoutError with the counters when it does not in time."""
        try:
            async with asyncio.timeout(seconds):
                while not condition(self):
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise TimeoutError(f"not within {seconds} s: {self.json()}") from None


class Watched:
    """Counts one accepted request in and out. It ends as cancelled unless told otherwise."""

    def __init__(self, state: State) -> None:
        self._state = state
        self.outcome: Outcome = "cancelled"

    def __enter__(self) -> Watched:
        self._state.started += 1
        self._state.open_streams += 1
        self._state.announce()
        return self

    def __exit__(self, *_: object) -> None:
        self._state.open_streams -= 1
        setattr(self._state, self.outcome, getattr(self._state, self.outcome) + 1)
        self._state.announce()
