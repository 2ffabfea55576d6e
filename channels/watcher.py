"""The watcher: looks after the users who want to be told things unasked, on whichever server their time comes first.

A look is cheap while nothing has changed: one query. What is found is told once, by a key in the database; in quiet
hours it waits in the outbox for their end.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

import asyncpg
import structlog

from channels import noticing
from channels.channel import Channel
from channels.figures import Backed, Figures
from channels.noticing import Found
from channels.texts import texts
from db.engine import Database, Transaction
from db.loops import forever
from domain.clock import Clock
from domain.errors import PennyError
from domain.hours import latest_weekly, next_weekly, quiet_until
from ledger import preferences
from ledger.preferences import SWITCHES, Notice, Preferences
from memory import links, notices, outbox
from memory.links import Link

log = structlog.get_logger(__name__)

LOOK_SECONDS: Final = 10.0
LEASE_SECONDS: Final = 300.0
AT_ONCE: Final = 4
PATIENCE_SECONDS: Final = 30.0

EVERY_SECONDS: Final = 600.0
"""How often a user is looked after who wants to know what happens."""

LATE: Final = timedelta(days=1)
"""A weekly summary that no server was there to send is still sent so much later."""


class Watcher:
    """Looks after users until it is stopped; `wake` tells the sender that there is something to send."""

    def __init__(self, db: Database, channels: Mapping[str, Channel], clock: Clock, wake: Callable[[], None]) -> None:
        self._db = db.patient(PATIENCE_SECONDS)
        self._channels = channels
        self._clock = clock
        self._wake = wake
        self._loop: asyncio.Task[None] | None = None
        self._room = asyncio.Semaphore(AT_ONCE)

    async def start(self) -> None:
        """Starts; without a channel there is nowhere to tell anything."""
        if self._channels:
            self._loop = asyncio.create_task(forever(self._db, self._step), name="notices")

    async def stop(self) -> None:
        """Stops; who is being looked after is looked after again by another process."""
        if self._loop is not None:
            self._loop.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._loop

    async def _step(self, worker: asyncpg.Connection) -> None:
        while users := await notices.claim(worker, LEASE_SECONDS, AT_ONCE):
            await asyncio.gather(*map(self._look, users))
        await asyncio.sleep(LOOK_SECONDS)

    async def _look(self, user: UUID) -> None:
        async with self._room:
            try:
                await self.look(user)
            except PennyError as error:
                log.warning("notices.not_looked", error=error.code)
            except Exception:
                log.exception("notices.broke")

    async def look(self, user: UUID) -> None:
        """Tells the user what there is to tell now, and notes when to look again."""
        now = self._clock.now()
        async with self._db.read(user) as tx:
            own, watch = await preferences.get(tx), await notices.watch(tx)
            if watch is None:
                return
            write, today = Figures(texts(own.locale)), now.astimezone(own.zone).date()
            chat = reachable(await links.list_(tx), own, self._channels, now)
            day, came = latest_weekly(now, own.zone, own.weekly_day, own.weekly_time)
            summary = None
            if chat and own.weekly_summary and watch.weekly_told and watch.weekly_told < day and now - came < LATE:
                summary = await noticing.week(tx, own, day, write)
            state = f"{today} {watch.state}"
            told = await noticing.found(tx, own, today, write) if chat and state != watch.seen else []
        async with self._db.transaction(user) as tx:
            first = own.weekly_summary and watch.weekly_told is None
            if (first or (own.weekly_summary and chat)) and await notices.tell_week(tx, day) and chat and summary:
                await self._tell(tx, own, chat, "weekly", f"{day}", write.read(summary), now)
            if chat:
                await self._tell_new(tx, own, chat, told, today, write, now)
            await notices.looked(tx, state if chat else watch.seen, _pause(own, now) if chat else EVERY_SECONDS)
        if told or summary:
            self._wake()

    async def _tell_new(
        self,
        tx: Transaction,
        own: Preferences,
        chat: Link,
        told: list[Found],
        today: date,
        write: Figures,
        now: datetime,
    ) -> None:
        new = await notices.tell_once(tx, [thing for one in told for thing in one.things]) if told else set()
        for kind in SWITCHES:
            mine = [one for one in told if one.kind == kind and one.things[0] in new]
            if mine:
                marked = noticing.message(kind, [one.line for one in mine], today, write)
                await self._tell(tx, own, chat, kind, mine[0].things[0], write.read(marked), now)

    async def _tell(
        self, tx: Transaction, own: Preferences, chat: Link, kind: Notice, key: str, told: Backed, now: datetime
    ) -> None:
        over = quiet_until(now, own.zone, own.quiet_from, own.quiet_until)
        await outbox.add(
            tx,
            chat.channel,
            chat.chat,
            "notice",
            f"notice {kind} {key}",
            body={"text": told.text, "kind": kind, "facts": told.facts, "figures": told.figures},
            after=(over - now).total_seconds() if over else 0.0,
        )


def reachable(known: list[Link], own: Preferences, channels: Mapping[str, Channel], now: datetime) -> Link | None:
    """The chat to write to unasked: in the app that the user chose, else the one used last; only where they are alone,
    and where the app would take it now."""
    there = [link for link in known if link.chat and link.channel in channels]
    if own.messages_to:
        there = [link for link in there if link.channel == own.messages_to]
    open_ = [link for link in there if channels[link.channel].templates or within_window(link, channels, now)]
    if there and not open_:
        log.info("notices.window_closed", channel=there[0].channel)
    return max(open_, key=lambda link: link.used_at, default=None)


def within_window(link: Link, channels: Mapping[str, Channel], now: datetime) -> bool:
    """Whether the app still takes what we like, so long after the person wrote."""
    hours = channels[link.channel].window_hours
    return hours is None or now - link.used_at < timedelta(hours=hours)


def _pause(own: Preferences, now: datetime) -> float:
    """Seconds until the next look: when something may have happened, or the week is over."""
    pause = EVERY_SECONDS if own.notices - {"weekly"} else 24 * 3600.0
    if own.weekly_summary:
        coming = next_weekly(now, own.zone, own.weekly_day, own.weekly_time)
        pause = min(pause, (coming - now).total_seconds())
    return pause
