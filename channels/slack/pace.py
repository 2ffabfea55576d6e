"""How often a method of Slack's is called for courtesy: its limits count for the whole workspace, and what is whole and
has to arrive shall find room."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

MINUTE = 60.0


class Pace:
    """Lets `a_minute` calls pass in a minute, and none for as long as Slack said to wait. `now` is in seconds."""

    def __init__(self, a_minute: int, now: Callable[[], float] = time.monotonic) -> None:
        self._most = a_minute
        self._now = now
        self._passed: deque[float] = deque()
        self._until = 0.0

    def may(self) -> bool:
        """Whether one more may be made now; it counts if so."""
        now = self._now()
        while self._passed and self._passed[0] <= now - MINUTE:
            self._passed.popleft()
        if now < self._until or len(self._passed) >= self._most:
            return False
        self._passed.append(now)
        return True

    def wait(self, seconds: float) -> None:
        """Slack said so."""
        self._until = max(self._until, self._now() + seconds)
