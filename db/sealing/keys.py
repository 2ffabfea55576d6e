"""Users' keys: made at first need, kept wrapped in the database, unwrapped in memory for a while.

A key that is added later (a rotation) seals nothing before `active_from`: by then every server has read it, as none
goes on for longer than LIFE_SECONDS with what it has read.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol
from uuid import UUID

import asyncpg
import structlog

from db.connection import without_user
from db.sealing.ring import DataKey, EncryptionUnavailable, Ring

if TYPE_CHECKING:
    from db.engine import Database

log = structlog.get_logger(__name__)

LIFE_SECONDS: Final = 600.0
"""How long an unwrapped key is used before it is unwrapped anew, and how soon a key that was disabled is at the most
still used."""

OUTAGE_SECONDS: Final = 3600.0
"""How long it is used, all in all, while the key service does not answer. One that answers no is obeyed at once."""

MOST_USERS: Final = 10_000
"""Whose keys a process has in memory at once."""

PAUSE_SECONDS: Final = 2.0
"""After the key service did not answer, nobody else waits for it for so long."""

Context = Mapping[str, str]
"""What a wrapped key is bound to: without the same context it is not unwrapped."""


def context_of(user: UUID, no: int) -> Context:
    """Of a user's key of that number."""
    return {"application": "penny", "user": str(user), "key": str(no)}


class KeyRefused(EncryptionUnavailable):
    """The key service answers, and says no: the key is disabled, or its use not allowed."""

    code = "encryption_key_refused"

    def __init__(self, message: str, *, reason: str = "") -> None:
        super().__init__(message)
        self.reason = reason
        """For operators, not for clients."""


class Wrapper(Protocol):
    """What wraps users' keys: a key that never leaves its service, or one in a file. Raises KeyRefused,
    EncryptionUnavailable."""

    async def make(self, context: Context) -> tuple[bytes, bytes, str]:
        """A new key, the same wrapped, and the name of what it is wrapped by."""
        ...

    async def wrap(self, key: bytes, context: Context) -> tuple[bytes, str]:
        """The key wrapped, and by what."""
        ...

    async def unwrap(self, wrapped: bytes, by: str, context: Context) -> bytes:
        """The key again."""
        ...


@dataclass(frozen=True, slots=True)
class Held:
    """A ring, and when it was read."""

    ring: Ring
    read_at: float


_READ: Final = """
    SELECT no, wrapped, wrapped_by, active_from <= clock_timestamp() AS active FROM data_key
     WHERE user_id = $1 ORDER BY no
"""


class Keys:
    """Without a wrapper there are no keys: texts are written as they are. With one, `writes` says whether texts are
    sealed; what is sealed is opened in any case."""

    def __init__(
        self,
        wrapper: Wrapper | None = None,
        *,
        writes: bool = True,
        life: float = LIFE_SECONDS,
        outage: float = OUTAGE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.wrapper = wrapper
        self._writes = writes
        self.life = life
        self._outage = outage
        self._clock = clock
        self._held: OrderedDict[UUID, Held] = OrderedDict()
        self._reading: dict[UUID, asyncio.Task[Ring]] = {}
        self._away: tuple[float, EncryptionUnavailable] | None = None

    def at_hand(self, user: UUID) -> Ring | None:
        """The user's ring, if nothing has to be read for it."""
        if self.wrapper is None:
            return Ring(user)
        held = self._held.get(user)
        if held is None or self._clock() - held.read_at > self.life:
            return None
        self._held.move_to_end(user)
        return held.ring

    async def of(self, db: Database, user: UUID) -> Ring:
        """The user's ring, its first key made when there is none. Where that cannot be done now, a ring that says so
        when it is needed: what holds no sealed text goes on. Raises what the database raises."""
        if (ring := self.at_hand(user)) is not None:
            return ring
        task = self._reading.get(user)
        if task is None:
            task = self._reading[user] = asyncio.create_task(self._read(db, user), name="keys")
            task.add_done_callback(lambda done: self._have_read(user, done))
        try:
            return await asyncio.shield(task)
        except EncryptionUnavailable as error:
            return self._without(user, error)

    def forget(self, user: UUID) -> None:
        """The user's keys are gone, or are to be read again."""
        self._held.pop(user, None)

    def _have_read(self, user: UUID, task: asyncio.Task[Ring]) -> None:
        self._reading.pop(user, None)
        if task.cancelled() or task.exception() is not None:
            return
        ring = task.result()
        if not ring.keys:  # none to hold on to; another server may make one at any time
            return
        self._held[user] = Held(ring, self._clock())
        self._held.move_to_end(user)
        while len(self._held) > MOST_USERS:
            self._held.popitem(last=False)

    def _without(self, user: UUID, error: EncryptionUnavailable) -> Ring:
        held = self._held.get(user)
        if isinstance(error, KeyRefused):
            self._held.pop(user, None)
        elif held is not None and self._clock() - held.read_at <= self._outage:
            return held.ring
        return Ring(user, trouble=error)

    async def _read(self, db: Database, user: UUID) -> Ring:
        assert self.wrapper is not None
        made: tuple[bytes, bytes] | None = None
        async with db.unsealed(user) as pg:
            rows = await pg.fetch(_READ, user)
        if not rows and self._writes:
            key, wrapped, by = await self._ask(self.wrapper.make(context_of(user, 1)))
            made = key, wrapped
            try:
                async with db.unsealed(user) as pg:
                    await pg.execute(
                        """
                        INSERT INTO data_key (user_id, no, wrapped, wrapped_by) VALUES ($1, 1, $2, $3)
                        ON CONFLICT DO NOTHING
                        """,
                        user,
                        wrapped,
                        by,
                    )
                    rows = await pg.fetch(_READ, user)
            except asyncpg.ForeignKeyViolationError as error:
                if not without_user(error):
                    raise
                return Ring(user)  # an erased user: whatever is written for them is refused
        keys: dict[int, DataKey] = {}
        for row in rows:
            context = context_of(user, row["no"])
            if made is not None and made[1] == row["wrapped"]:
                key = made[0]
            else:
                key = await self._ask(self.wrapper.unwrap(row["wrapped"], row["wrapped_by"], context))
            keys[row["no"]] = DataKey.of(row["no"], key)
        if not keys or not self._writes:
            return Ring(user, keys)
        # the first one whatever its time: a database whose clock went back must not have texts stored plain
        return Ring(user, keys, max((row["no"] for row in rows if row["active"]), default=min(keys)))

    async def _ask(self, asking: Any) -> Any:
        """What the key service answers. After it did not, nobody asks for a moment."""
        if self._away is not None and self._clock() < self._away[0]:
            asking.close()
            raise self._away[1]
        try:
            return await asking
        except KeyRefused as error:
            log.error("encryption.key_refused", reason=error.reason)
            raise
        except EncryptionUnavailable as error:
            log.warning("encryption.unavailable", reason=str(error.__cause__ or error.message))
            self._away = self._clock() + PAUSE_SECONDS, error
            raise
