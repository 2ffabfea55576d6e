"""Readers of runs and of sessions' feeds: any number, from any event on, whoever makes the run."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

from agent.followers import Followers
from agent.live import LiveRuns
from db.engine import Database
from domain.metrics import UNTOLD, Metrics
from memory import events, feed
from memory.event_log import Stream
from memory.frames import Frame

READER_BYTES = 256 * 1024
"""How far a reader may fall behind a live run before it is let go."""

FEED_PAUSES = (0.05, 0.4)
"""Seconds between two looks at the feeds that are followed."""

TERMINAL = frozenset({"run.finished", "run.failed", "run.cancelled"})


class Readers:
    """Those of this process; `runs` and `feeds` find what is written elsewhere, and are to be polled."""

    def __init__(self, db: Database, metrics: Metrics = UNTOLD) -> None:
        self._db = db
        self._metrics = metrics
        self.runs = Followers(events.positions)
        self.feeds = Followers(feed.positions, FEED_PAUSES)
        self.count = self.dropped = 0
        self._stopped = False

    def stop(self) -> None:
        """Lets all of them go: they ask again elsewhere."""
        self._stopped = True
        self.runs.nudge_all()
        self.feeds.nudge_all()

    async def events(self, live_runs: LiveRuns, user: UUID, run_id: UUID, after: int) -> AsyncIterator[Frame]:
        """The run's events after `after`, from the start to the terminal one, live or long past. Raises NotFound,
        EventsGone."""
        self.count += 1
        try:
            live = live_runs.get(run_id)
            if live is not None and live.run.claim.user == user and live.run.stream.first_shown <= after + 1:
                async for frame in self._follow(live.run.stream, after):  # most readers need no database
                    after = frame.seq
                    yield frame
                    if frame.type in TERMINAL:
                        return
                if not live.run.stream.ended:
                    return
            async with self._db.read(user) as tx:
                day = await events.day_of(tx, run_id)
            with self.runs.follow(run_id, day) as followed:
                while not self._stopped:
                    news = followed.news
                    live = live_runs.get(run_id)
                    if live is not None and live.run.stream.first_shown <= after + 1:
                        async for frame in self._follow(live.run.stream, after):
                            after = frame.seq
                            yield frame
                            if frame.type in TERMINAL:
                                return
                        if not live.run.stream.ended:
                            return
                    async with self._db.read(user) as tx:
                        frames, ended = await events.read(tx, run_id, after)
                    for frame in frames:
                        after = frame.seq
                        yield frame
                    if ended:
                        return
                    if live_runs.get(run_id) in (None, live):
                        await followed.beyond(after, news)
        finally:
            self.count -= 1

    async def feed(self, user: UUID, session_id: UUID, after: int) -> AsyncIterator[Frame]:
        """What happened in the session after the event `after`, and what happens. Raises NotFound, at any time when
        the session is deleted."""
        self.count += 1
        try:
            with self.feeds.follow(session_id) as followed:
                while not self._stopped:
                    news = followed.news
                    frames = await self._happened(user, session_id, after)
                    for frame in frames:
                        after = frame.seq
                        yield frame
                    if not frames:
                        await followed.beyond(after, news)
        finally:
            self.count -= 1

    async def _happened(self, user: UUID, session_id: UUID, after: int) -> list[Frame]:
        async with self._db.read(user) as tx:
            return await feed.read(tx, session_id, after)

    async def _follow(self, stream: Stream, after: int) -> AsyncIterator[Frame]:
        """What is shown after `after`, as it comes, until the stream ends or the reader is too slow."""
        at = after + 1 - stream.first_shown
        taken = sum(len(frame.data) for frame in stream.shown[:at])
        allowed = max(READER_BYTES, stream.bytes_shown - taken)
        while True:
            while at < len(stream.shown):
                if stream.bytes_shown - taken > allowed:
                    self.dropped += 1
                    self._metrics.count("ReadersDropped")
                    return
                frame = stream.shown[at]
                at += 1
                taken += len(frame.data)
                yield frame
            if stream.ended or self._stopped:
                return
            await stream.changed()
