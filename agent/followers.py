"""Readers of what is written elsewhere (a run, a session's feed): one query for all of them finds which have news, and
wakes their readers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import date
from uuid import UUID

import asyncpg

Look = Callable[[asyncpg.Connection, list[UUID], date], Awaitable[dict[UUID, int]]]
"""How far each of those is written, given the oldest day among them."""


class Followed:
    """One run or feed that readers of this process wait for. `news` is set when a look becomes worth it; who looks
    takes it before, so that what comes during the look is not missed."""

    def __init__(self, day: date) -> None:
        self.day = day
        self.readers = 0
        self.last_seq = 0
        self.news = asyncio.Event()

    def wake(self) -> None:
        """Has the readers look."""
        self.news.set()
        self.news = asyncio.Event()

    async def beyond(self, seq: int, news: asyncio.Event) -> None:
        """Returns when an event after `seq` is there, or something else has made a look worth it since `news` was
        taken."""
        if self.last_seq <= seq:
            await news.wait()


class Followers:
    """The runs, or the feeds, that this process follows from afar. `pauses` are the seconds between two looks: while
    there is news, and after a while without."""

    def __init__(self, look: Look, pauses: tuple[float, float] = (0.025, 0.1)) -> None:
        self._look = look
        self._shortest, self._longest = pauses
        self._runs: dict[UUID, Followed] = {}
        self._wanted = asyncio.Event()
        self._pause = self._shortest

    @contextmanager
    def follow(self, run_id: UUID, day: date = date.max) -> Iterator[Followed]:
        """Watches the run of that `day` (the partition of its events), or a feed, for as long as the block lasts."""
        followed = self._runs.setdefault(run_id, Followed(day))
        followed.readers += 1
        self._pause = self._shortest
        self._wanted.set()
        try:
            yield followed
        finally:
            followed.readers -= 1
            if not followed.readers:
                del self._runs[run_id]

    def nudge(self, run_id: UUID) -> None:
        """The run has come here, so that its readers need not wait for the database."""
        if run_id in self._runs:
            self._runs[run_id].wake()

    def nudge_all(self) -> None:
        """Has every reader look."""
        for followed in self._runs.values():
            followed.wake()

    async def poll(self, worker: asyncpg.Connection) -> None:
        """One look, once anybody waits; then a pause."""
        if not self._runs:
            self._wanted.clear()
            await self._wanted.wait()
        oldest = min(followed.day for followed in self._runs.values())
        found = await self._look(worker, list(self._runs), oldest)
        news = False
        for run_id, last_seq in found.items():
            followed = self._runs.get(run_id)
            if followed is not None and last_seq > followed.last_seq:
                followed.last_seq = last_seq
                followed.wake()
                news = True
        self._pause = self._shortest if news else min(self._pause * 1.2, self._longest)
        await asyncio.sleep(self._pause)
