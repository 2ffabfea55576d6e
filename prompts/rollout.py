"""Which version of the system prompt a user's replies are made with, while a new one is being rolled out.

A user is in a rollout by name, or by a share: a hash of version and user gives each a number below 10,000, the same on
every server and each time, so that a wider share keeps those who are in already.
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

import asyncpg
import structlog

from prompts import store
from prompts.library import Prompt, PromptError, checked
from prompts.stopping import verdict

log = structlog.get_logger(__name__)

ALL = 10_000
"""A share that is everybody."""

POLL_SECONDS = 2.0
JUDGE_EVERY = 5
"""Of so many looks at the table one compares how replies ended."""

Status = Literal["running", "stopped", "rolled_back"]


@dataclass(frozen=True, slots=True)
class Rollout:
    """A version on its way to the users, `share` of ALL and those of `users`."""

    id: int
    prompt: Prompt
    base: str
    share: int
    users: frozenset[UUID]

    def takes(self, user: UUID) -> bool:
        """Whether this user's replies are made with it."""
        return user in self.users or place(self.prompt.version, user) < self.share


def place(version: str, user: UUID) -> int:
    """The user's number in rollouts of that version, from 0 to ALL - 1."""
    return int.from_bytes(hashlib.sha256(f"{version} {user}".encode()).digest()[:8], "big") % ALL


@dataclass
class Rollouts:
    """What this process knows of the rollout that is under way, and which texts it knows to be kept. `follow` False
    (a prompt of the terminal's own): nothing is rolled out here."""

    follow: bool = True
    current: Rollout | None = None
    _kept: set[str] = field(default_factory=set)
    _refused: str = ""
    _turns: int = 0

    def choose(self, user: UUID, base: Prompt) -> Prompt:
        """The prompt of a reply to this user."""
        at = self.current
        return at.prompt if at is not None and at.takes(user) else base

    def is_kept(self, version: str) -> bool:
        """Whether the text of that version can be had from the database."""
        return version in self._kept

    def kept(self, version: str) -> None:
        """The text is stored, and that is committed."""
        self._kept.add(version)

    async def begin(self, worker: asyncpg.Connection, base: Prompt) -> None:
        """Keeps the base's text, and looks at the table for the first time."""
        await store.keep(worker, base)
        self.kept(base.version)
        await self.refresh(worker)

    async def step(self, worker: asyncpg.Connection) -> None:
        """Waits a little, looks at the table, and from time to time at how replies ended."""
        await asyncio.sleep(POLL_SECONDS)
        await self.refresh(worker)
        self._turns += 1
        if self.current is not None and self._turns % JUDGE_EVERY == 0:
            await judge(worker, self.current.id)

    async def refresh(self, worker: asyncpg.Connection) -> None:
        """Takes over what is rolled out now. A text that this code cannot use is left to servers that can."""
        if not self.follow:
            return
        found = await store.running(worker)
        if found is None:
            self.current = None
            return
        prompt = Prompt(found.name, found.text)
        try:
            checked(prompt, f"The prompt {found.version}")
        except PromptError as error:
            if self._refused != found.version:
                log.warning("prompt.rollout_not_usable", version=found.version, error=error.message)
            self._refused, self.current = found.version, None
            return
        self.kept(found.version)
        self.current = Rollout(found.id, prompt, found.base, found.share, found.users)


async def judge(worker: asyncpg.Connection, rollout_id: int) -> str | None:
    """Compares how replies ended with the new version and with its base, when there are enough for another look; stops
    the rollout when it is worse, and says why. One server does it."""
    seen = await store.outcomes(worker, rollout_id)
    if seen is None:
        return None
    found = verdict(seen.candidate, seen.base, seen.least, seen.looks)
    if found.looks == seen.looks or not await store.looked(worker, rollout_id, seen.looks, found.looks):
        return None
    if found.reason is None or not await store.end(worker, rollout_id, "stopped", found.reason):
        return None
    log.warning("prompt.rollout_stopped", version=seen.version, base=seen.base_version, reason=found.reason)
    return found.reason
