"""The sender: takes what is due from the outbox, in this process, and sees each row to its end.

A row is leased like a run: when this process dies, another goes on after the lease. Rows of one chat go one after the
other; an app that is down holds up nobody but its own chats.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID, uuid4

import asyncpg
import structlog

from agent.runner import Runner
from channels.channel import Channel, Refused, Reply, TryLater
from channels.deliver import Sending
from db.engine import Database
from db.loops import forever
from domain.clock import Clock, SystemClock
from domain.errors import PennyError
from domain.metrics import UNTOLD, Metrics
from memory import outbox
from memory.outbox import Backoff, Delivery

log = structlog.get_logger(__name__)

LEASE_SECONDS = 30.0
RENEW_SECONDS = 5.0
LOOK_SECONDS = 2.0
AT_ONCE = 200
PATIENCE_SECONDS = 30.0
HINT_SECONDS = 3600.0
"""A chat that belongs to nobody is told how to link this often at most."""

HINTS_KEPT = 10_000


@dataclass(frozen=True)
class _Failure:
    error: str
    refused: bool = False
    retry_after: float | None = None


@dataclass
class _Live:
    delivery: Delivery
    task: asyncio.Task[None]


class Sender:
    """Sends the rows of `channels` until it is stopped."""

    def __init__(
        self,
        db: Database,
        runner: Runner,
        channels: Mapping[str, Channel],
        owner: str,
        *,
        backoff: Backoff | None = None,
        chance: random.Random | None = None,
        clock: Clock | None = None,
        metrics: Metrics = UNTOLD,
    ) -> None:
        self._db = db.patient(PATIENCE_SECONDS)
        self._runner = runner
        self._channels = channels
        self._owner = owner
        self._backoff = backoff or Backoff()
        self._chance = chance or random.Random()  # noqa: S311 -- jitter
        self._clock = clock or SystemClock()
        self._metrics = metrics
        self._live: dict[UUID, _Live] = {}
        self._ended: deque[tuple[Delivery, _Failure | None]] = deque()
        self._due = asyncio.Event()
        self._loops: list[asyncio.Task[None]] = []
        self._hinted: OrderedDict[tuple[str, str], float] = OrderedDict()
        self._telling: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Starts looking for rows that are due; without a channel there is nothing to do."""
        if self._channels:
            self._loops = [
                asyncio.create_task(forever(self._db, self._step), name="outbox"),
                asyncio.create_task(forever(self._db, self._renew), name="outbox-leases"),
            ]

    async def stop(self) -> None:
        """Leaves what is not sent to other processes; what an app has taken is noted."""
        tasks = [*self._loops, *self._telling, *(live.task for live in self._live.values())]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if tasks:
            with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError, PennyError):
                worker = await self._db.worker_connection()
                await self._settle(worker)
                await outbox.release(worker, self._owner)
                await worker.close()
        for channel in self._channels.values():
            await channel.close()

    def wake(self) -> None:
        """There is something new to send."""
        self._due.set()

    def tell(self, channel: Channel, chat: str, text: str) -> None:
        """Writes to a chat that belongs to no user, once an hour at most for each text, without a promise."""
        now = time.monotonic()
        key = (f"{channel.name} {chat}", text)
        if now - self._hinted.get(key, -HINT_SECONDS) < HINT_SECONDS or len(self._telling) >= AT_ONCE:
            return
        self._hinted[key] = now
        self._hinted.move_to_end(key)
        if len(self._hinted) > HINTS_KEPT:
            self._hinted.popitem(last=False)
        task = asyncio.create_task(self._tell(channel, chat, text))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _tell(self, channel: Channel, chat: str, text: str) -> None:
        try:
            for part in channel.render(Reply(text), "en-US"):
                await channel.send(chat, part.payload, f"hint-{uuid4().hex}")
        except (Refused, TryLater) as error:
            log.info("channel.hint_not_sent", channel=channel.name, error=error.code)

    async def _step(self, worker: asyncpg.Connection) -> None:
        """Waits for something to do, settles what came to an end, takes what is due."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOOK_SECONDS):
                await self._due.wait()
        self._due.clear()
        await self._settle(worker)
        while (room := AT_ONCE - len(self._live)) > 0:
            claimed = await outbox.claim(worker, self._owner, LEASE_SECONDS, list(self._channels), room)
            for delivery in claimed:
                task = asyncio.create_task(self._perform(delivery), name=f"outbox-{delivery.id}")
                self._live[delivery.id] = _Live(delivery, task)
            if not claimed:
                return

    async def _settle(self, worker: asyncpg.Connection) -> None:
        """Notes in the outbox how deliveries ended; one that cannot be noted now is kept for the next time."""
        while self._ended:
            delivery, end = self._ended[0]
            if end is None:
                await outbox.sent(worker, delivery)
            else:
                tries = delivery.refusals + 1 if end.refused else delivery.attempt
                pause = max(self._backoff.seconds(tries, self._chance), end.retry_after or 0.0)
                if await outbox.failed(worker, delivery, end.error, refused=end.refused, pause=pause):
                    self._metrics.count("OutboxDead", channel=delivery.channel)
                    log.error("outbox.dead", channel=delivery.channel, id=str(delivery.id), error=end.error)
                asyncio.get_running_loop().call_later(pause, self.wake)
            self._ended.popleft()

    async def _renew(self, worker: asyncpg.Connection) -> None:
        await asyncio.sleep(RENEW_SECONDS)
        mine = list(self._live.values())
        if not mine:
            return
        held = await outbox.renew(
            worker, self._owner, LEASE_SECONDS, [(live.delivery.id, live.delivery.attempt) for live in mine]
        )
        for live in mine:
            if live.delivery.id not in held:
                live.task.cancel()

    async def _perform(self, delivery: Delivery) -> None:
        channel = self._channels[delivery.channel]
        end: _Failure | None = None
        try:
            await Sending(self._db, self._runner, channel, delivery, self._clock).perform()
        except Refused as no:
            end = _Failure(no.code, refused=True)
        except TryLater as later:
            end = _Failure(later.code, retry_after=later.retry_after)
        except PennyError as away:
            end = _Failure(away.code)
        except Exception:
            log.exception("outbox.broke", channel=delivery.channel, id=str(delivery.id))
            end = _Failure("internal", refused=True)
        finally:
            del self._live[delivery.id]
        self._ended.append((delivery, end))
        self._due.set()  # to note the end, and for the next one of the chat
