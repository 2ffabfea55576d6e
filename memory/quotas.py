"""Quotas in the database: tokens for requests and permits for open ones, taken for many keys in one round trip."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import asyncpg

PERMIT_SECONDS = 30.0
"""A process that does not renew its permits for so long has died; they are free again."""


class Wish(NamedTuple):
    """For `key`: a bucket of `size` tokens a minute of which so many are `wanted`, and so many requests `open` here of
    the `cap` that may be open everywhere (0: any number)."""

    key: str
    size: int
    wanted: int
    cap: int
    open: int


class Grant(NamedTuple):
    """What was given: tokens, seconds until there is another one, and how many requests may be open here."""

    key: str
    tokens: int
    wait: float
    permits: int


async def take(worker: asyncpg.Connection, owner: str, wishes: Sequence[Wish]) -> list[Grant]:
    """Takes what can be given of each wish, in one round trip."""
    rows = await worker.fetch(
        "SELECT o_key, o_granted, o_wait, o_permits FROM take_quota($1, $2, $3, $4, $5, $6, $7)",
        owner,
        PERMIT_SECONDS,
        [w.key for w in wishes],
        [w.size for w in wishes],
        [w.wanted for w in wishes],
        [w.cap for w in wishes],
        [w.open for w in wishes],
    )
    return [Grant(*row) for row in rows]


async def keep(worker: asyncpg.Connection, owner: str) -> None:
    """Renews the permits of a process that lives, and forgets what is over."""
    await worker.execute("SELECT keep_quota($1, $2)", owner, PERMIT_SECONDS)
