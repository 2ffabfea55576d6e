"""Limits on requests: so many a minute and so many open at once, for a user, a tenant and an address, on all servers.

The database has the quotas (memory/quotas.py). A process takes tokens from it in handfuls and spends them without
asking again, so that a limit holds exactly over all servers and a request mostly costs no round trip; what is asked for
at the same time is asked for together. While the database is away nobody is refused: nothing else works then either.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import asyncpg
import structlog

from domain.errors import PennyError
from memory import quotas
from memory.quotas import PERMIT_SECONDS, Grant, Wish

HANDFUL = 10
"""A process takes at most this part of a bucket at a time."""

IDLE_SECONDS = 30.0
"""Tokens and permits that nobody here has used for so long are let go."""

TAKE_SECONDS = 2.0
"""An answer that takes longer does not hold a request up."""

KEEP_SECONDS = PERMIT_SECONDS / 3
RETRY_SECONDS = 1.0

log = structlog.get_logger(__name__)


class RateLimited(PennyError):
    """Too many requests in a minute."""

    code = "rate_limited"
    status = 429
    retryable = True


class TooManyOpen(PennyError):
    """Too many requests at once."""

    code = "too_many_open"
    status = 429
    retryable = True


@dataclass(frozen=True, slots=True)
class Limit:
    """Requests a minute, and open at once; 0 is no limit."""

    per_minute: int = 0
    at_once: int = 0


@dataclass(frozen=True, slots=True)
class Limits:
    """The limit of each kind of subject."""

    user: Limit = Limit()
    tenant: Limit = Limit()
    address: Limit = Limit()

    def any(self) -> bool:
        """Whether anything is limited at all."""
        return any(limit.per_minute or limit.at_once for limit in (self.user, self.tenant, self.address))


@dataclass(frozen=True, slots=True)
class _Answer:
    """What the database gave of what was wished."""

    wish: Wish
    grant: Grant

    @property
    def no_tokens(self) -> bool:
        """Whether the bucket has been emptied."""
        return self.grant.tokens < self.wish.wanted

    @property
    def no_permits(self) -> bool:
        """Whether as many are open as may be."""
        return self.grant.permits < self.wish.open


@dataclass(slots=True)
class _Held:
    """What this process has of a subject's quota."""

    limit: Limit
    what: str
    tokens: int = 0
    permits: int = 0
    open: int = 0
    waiting: int = 0
    used: float = 0.0
    asked: asyncio.Future[_Answer | None] | None = None

    @property
    def suffices(self) -> bool:
        """Whether another request can go on without asking."""
        return (self.tokens > 0 or not self.limit.per_minute) and (self.permits > self.open or not self.limit.at_once)


class Gate:
    """Lets requests in: `await gate.enter("user", id)` gives what is to be called when the request is over."""

    def __init__(
        self,
        limits: Limits,
        owner: str,
        connect: Callable[[], Awaitable[asyncpg.Connection]],
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limits = limits
        self._owner = owner
        self._connect = connect
        self._now = now
        self._held: dict[str, _Held] = {}
        self._wanted = asyncio.Event()
        self._asking: dict[str, asyncio.Future[_Answer | None]] = {}
        self._loop: asyncio.Task[None] | None = None
        self._away = False
        self.round_trips = 0

    async def start(self) -> None:
        """Starts asking the database, if anything is limited."""
        if self._limits.any():
            self._loop = asyncio.create_task(self._run(), name="quotas")

    async def stop(self) -> None:
        """Lets nobody wait any longer."""
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.gather(self._loop, return_exceptions=True)
            self._away = True
            self._answer(self._taken_up(), {})

    async def enter(self, kind: str, subject: str) -> Callable[[], None]:
        """Takes one request of the subject's quota. Raises RateLimited, TooManyOpen."""
        limit: Limit = getattr(self._limits, kind)
        if self._loop is None or not (limit.per_minute or limit.at_once):
            return _nothing
        key = hashlib.sha256(f"{kind} {subject}".encode()).hexdigest()[:32]
        held = self._held.setdefault(key, _Held(limit, kind))
        held.used = self._now()
        while not held.suffices:
            held.waiting += 1
            try:
                answer = await self._answered(key, held)
            finally:
                held.waiting -= 1
            if answer is None or held.suffices:
                break
            if answer.no_tokens and held.tokens <= 0 < limit.per_minute:
                raise RateLimited(
                    f"This {kind} sends more than {limit.per_minute} requests a minute; wait a moment.",
                    retry_after=max(1, math.ceil(answer.grant.wait)),
                )
            if answer.no_permits:
                raise TooManyOpen(
                    f"This {kind} has {limit.at_once} requests open, as many as may be at once; let one end first.",
                    retry_after=1,
                )
            # what was given went to requests that came while the answer was on its way: ask again
        held.tokens -= 1
        held.open += 1
        left = False

        def leave() -> None:
            nonlocal left
            if not left:
                left = True
                held.open -= 1

        return leave

    async def _answered(self, key: str, held: _Held) -> _Answer | None:
        """The database's answer, which all who wait for this subject share; None when there is none in time."""
        if self._away:
            return None
        if held.asked is None:
            held.asked = self._asking[key] = asyncio.get_running_loop().create_future()
            self._wanted.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(TAKE_SECONDS):
                return await asyncio.shield(held.asked)
        return None

    async def _run(self) -> None:
        """Takes what is wanted and keeps what is held, on a connection of its own; after an error on a fresh one."""
        worker: asyncpg.Connection | None = None
        kept = self._now()
        try:
            while True:
                try:
                    if worker is None or worker.is_closed():
                        worker = await self._connect()
                        self._away = False
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(KEEP_SECONDS):
                            await self._wanted.wait()
                    self._wanted.clear()
                    await self._take(worker)
                    if self._now() - kept >= KEEP_SECONDS:
                        kept = self._now()
                        await quotas.keep(worker, self._owner)
                except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, PennyError) as error:
                    log.warning("limits.unavailable", error=type(error).__name__)
                    self._away = True
                    self._answer(self._taken_up(), {})
                    if worker is not None:
                        worker.terminate()
                    worker = None
                    await asyncio.sleep(RETRY_SECONDS)
        finally:
            if worker is not None:
                worker.terminate()

    async def _take(self, worker: asyncpg.Connection) -> None:
        """One round trip for all that is wanted now, and for what quiet subjects give back."""
        wishes = [self._wish(key) for key in {*self._asking, *self._quiet()}]
        asking = self._taken_up()  # who comes from now on asks anew
        answers: dict[str, _Answer] = {}
        try:
            if wishes:
                wished = {wish.key: wish for wish in wishes}
                for grant in await quotas.take(worker, self._owner, wishes):
                    answers[grant.key] = _Answer(wished[grant.key], grant)
                    if held := self._held.get(grant.key):
                        held.tokens = max(held.tokens, 0) + grant.tokens
                        held.permits = grant.permits
                self.round_trips += 1
        finally:
            self._answer(asking, answers)

    def _quiet(self) -> list[str]:
        """Subjects that have asked for nothing in a while; those without an open request are forgotten here."""
        long_ago = self._now() - IDLE_SECONDS
        quiet = [key for key, held in self._held.items() if held.used < long_ago and not held.waiting]
        return [key for key in quiet if self._held[key].permits > self._held[key].open or self._forgotten(key)]

    def _forgotten(self, key: str) -> bool:
        if not self._held[key].open:
            del self._held[key]
        return False

    def _wish(self, key: str) -> Wish:
        held = self._held[key]
        size, cap = held.limit.per_minute, held.limit.at_once
        short = held.waiting - max(held.tokens, 0)
        wanted = max(short, size // HANDFUL) if size and short > 0 else 0
        return Wish(key, size or 1, wanted, cap, held.open + held.waiting)

    def _taken_up(self) -> dict[str, asyncio.Future[_Answer | None]]:
        asking, self._asking = self._asking, {}
        for key in asking:
            self._held[key].asked = None
        return asking

    def _answer(self, asking: dict[str, asyncio.Future[_Answer | None]], answers: dict[str, _Answer]) -> None:
        for key, future in asking.items():
            if not future.done():
                future.set_result(answers.get(key))


def _nothing() -> None:
    """There was nothing to take."""
