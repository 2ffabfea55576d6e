"""Who may take one of the pool's connections: first come, first served, each with a patience of its own."""

from __future__ import annotations

import asyncio
import time

from db.connection import PoolExhausted
from domain.metrics import Metrics


class Seats:
    """As many as the pool has connections; the pool's own queue knows one patience for all."""

    def __init__(self, count: int, metrics: Metrics) -> None:
        self._free = asyncio.Semaphore(count)
        self._metrics = metrics
        self.taken = 0
        self.moves = 0
        """How often the database moved to another server: connections made before the last move are not used again."""

    async def take(self, patience: float) -> None:
        """Waits so many seconds for one. Raises PoolExhausted."""
        began = time.monotonic() if self._free.locked() else None
        try:
            async with asyncio.timeout(patience):
                await self._free.acquire()
        except TimeoutError:
            raise PoolExhausted(
                "Penny is answering as many requests as it can; try again in a second.", retry_after=1
            ) from None
        finally:
            waited = 0.0 if began is None else time.monotonic() - began
            self._metrics.measure("DatabasePoolWaitMs", waited * 1000)
        self.taken += 1

    def move(self) -> None:
        """The server at the other end of some connection is not the one that takes writes any more."""
        self.moves += 1

    def give_back(self) -> None:
        """One is free again."""
        self.taken -= 1
        self._free.release()
