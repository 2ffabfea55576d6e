"""Prompt texts and rollouts in the database; rollouts are the operators', as the worker's role."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from domain.errors import Conflict, NotFound
from prompts.library import Prompt
from prompts.stopping import Counts

DAYS = 30
MOST = 2_000
"""How far back, and how many of the newest replies of a version, are compared."""


class OtherRollout(Conflict):
    """Another version is being rolled out."""

    code = "other_rollout"


@dataclass(frozen=True, slots=True)
class Running:
    """The rollout that is under way, as it is stored."""

    id: int
    version: str
    name: str
    text: str
    base: str
    share: int
    users: frozenset[UUID]


@dataclass(frozen=True, slots=True)
class Outcomes:
    """How replies ended since a rollout began, with the new version and with its base."""

    version: str
    base_version: str
    candidate: Counts
    base: Counts
    least: int
    looks: int


@dataclass(frozen=True, slots=True)
class Past:
    """A rollout in the list."""

    version: str
    base: str
    share: int
    users: int
    status: str
    reason: str
    began_at: datetime
    changed_at: datetime


async def keep(pg: asyncpg.Connection, prompt: Prompt) -> None:
    """Keeps the text, in the caller's transaction."""
    await pg.execute("SELECT keep_prompt($1, $2, $3)", prompt.version, prompt.name, prompt.text)


async def kept(worker: asyncpg.Connection, version: str | None = None) -> list[Prompt]:
    """The texts that are kept, the newest first; of one version, or all."""
    rows = await worker.fetch(
        "SELECT name, text FROM prompt WHERE $1::text IS NULL OR version = $1 ORDER BY kept_at DESC, version", version
    )
    return [Prompt(row["name"], row["text"]) for row in rows]


async def running(worker: asyncpg.Connection) -> Running | None:
    """The rollout that is under way."""
    row = await worker.fetchrow(
        """
        SELECT r.id, r.version, p.name, p.text, r.base, r.share,
               ARRAY(SELECT user_id FROM prompt_rollout_user u WHERE u.rollout_id = r.id) AS users
          FROM prompt_rollout r JOIN prompt p USING (version) WHERE r.status = 'running'
        """
    )
    if row is None:
        return None
    users = frozenset(UUID(int=user.int) for user in row["users"])
    return Running(row["id"], row["version"], row["name"], row["text"], row["base"], row["share"], users)


async def roll_out(
    worker: asyncpg.Connection,
    prompt: Prompt,
    base: str,
    *,
    share: int | None = None,
    users: Sequence[UUID] = (),
    least: int,
) -> Running:
    """Begins the version's rollout, or changes the one under way: a share takes the place of the one before, users come
    along. Raises OtherRollout."""
    async with worker.transaction():
        await worker.execute("LOCK TABLE prompt_rollout IN SHARE ROW EXCLUSIVE MODE")
        await keep(worker, prompt)
        now = await running(worker)
        if now is not None and now.version != prompt.version:
            raise OtherRollout(
                f"{now.version} is being rolled out; end that first with: penny prompts rollback", version=now.version
            )
        if now is None:
            rollout_id = await worker.fetchval(
                "INSERT INTO prompt_rollout (version, base, share, least) VALUES ($1, $2, $3, $4) RETURNING id",
                prompt.version,
                base,
                share or 0,
                least,
            )
        else:
            rollout_id = now.id
            await worker.execute(
                """
                UPDATE prompt_rollout SET share = coalesce($2, share), least = $3, changed_at = clock_timestamp()
                 WHERE id = $1
                """,
                rollout_id,
                share,
                least,
            )
        await worker.executemany(
            "INSERT INTO prompt_rollout_user (rollout_id, user_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            [(rollout_id, user) for user in users],
        )
        made = await running(worker)
        assert made is not None
        return made


async def roll_back(worker: asyncpg.Connection) -> str:
    """Ends the rollout under way; its version. Raises NotFound."""
    version = await worker.fetchval(
        """
        UPDATE prompt_rollout SET status = 'rolled_back', changed_at = clock_timestamp()
         WHERE status = 'running' RETURNING version
        """
    )
    if version is None:
        raise NotFound("No prompt is being rolled out; everybody has the base already.")
    return str(version)


async def end(worker: asyncpg.Connection, rollout_id: int, status: str, reason: str) -> bool:
    """Ends a rollout for a reason; False when it had ended before."""
    done = await worker.fetchval(
        """
        UPDATE prompt_rollout SET status = $2, reason = $3, changed_at = clock_timestamp()
         WHERE id = $1 AND status = 'running' RETURNING true
        """,
        rollout_id,
        status,
        reason,
    )
    return done is not None


async def looked(worker: asyncpg.Connection, rollout_id: int, before: int, now: int) -> bool:
    """Notes a look; False when another server took it."""
    done = await worker.fetchval(
        "UPDATE prompt_rollout SET looks = $3 WHERE id = $1 AND looks = $2 AND status = 'running' RETURNING true",
        rollout_id,
        before,
        now,
    )
    return done is not None


async def outcomes(worker: asyncpg.Connection, rollout_id: int) -> Outcomes | None:
    """How replies ended since the rollout began. Of a base that has too few since then, its newest of the last DAYS
    days; None when the rollout is over."""
    row = await worker.fetchrow(
        "SELECT version, base, began_at, least, looks FROM prompt_rollout WHERE id = $1 AND status = 'running'",
        rollout_id,
    )
    if row is None:
        return None
    candidate = await counts(worker, row["version"], row["began_at"])
    base = await counts(worker, row["base"], row["began_at"])
    if base.replies < row["least"]:
        base = await counts(worker, row["base"])
    return Outcomes(row["version"], row["base"], candidate, base, row["least"], row["looks"])


async def counts(worker: asyncpg.Connection, version: str, since: datetime | None = None) -> Counts:
    """How the newest replies of a version ended, since then or in the last DAYS days."""
    row: Any = await worker.fetchrow(
        """
        SELECT replies, failed, unverified
          FROM prompt_outcomes($1, coalesce($2, clock_timestamp() - $3::int * interval '1 day'), $4)
        """,
        version,
        since,
        DAYS,
        MOST,
    )
    return Counts(*row)


async def history(worker: asyncpg.Connection, limit: int = 20) -> list[Past]:
    """The newest rollouts."""
    rows = await worker.fetch(
        """
        SELECT version, base, share,
               (SELECT count(*)::int FROM prompt_rollout_user u WHERE u.rollout_id = r.id) AS users,
               status, reason, began_at, changed_at
          FROM prompt_rollout r ORDER BY id DESC LIMIT $1
        """,
        limit,
    )
    return [Past(*row) for row in rows]
