"""The queue of runs, as the processes that make them see it: claiming, keeping and giving back a lease.

All of it is done by the worker's role, across users, on columns that hold no words of anybody's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg

from memory.runs import RUNS_PER_USER, Claim, no_run

_CLAIM = """
UPDATE run SET status = 'running', attempt = attempt + 1, owner = $1,
       lease_until = clock_timestamp() + $2::float8 * interval '1 second'
 WHERE id = (
    SELECT r.id FROM run r
     CROSS JOIN LATERAL (SELECT count(*) AS busy FROM run o WHERE o.user_id = r.user_id AND o.status = 'running') AS u
     WHERE (r.status = 'running' AND r.lease_until < clock_timestamp())
        OR (r.status = 'queued' AND u.busy < $3 AND NOT EXISTS (
              SELECT 1 FROM run o WHERE o.session_id = r.session_id
                 AND (o.status = 'running' OR (o.status = 'queued' AND o.turn < r.turn))))
     ORDER BY r.status = 'queued', u.busy, r.created_at FOR UPDATE OF r SKIP LOCKED LIMIT 1)
RETURNING user_id, id, session_id, turn, attempt, message_id
"""


async def claim_next(
    worker: asyncpg.Connection, owner: str, lease_seconds: float, per_user: int = RUNS_PER_USER
) -> Claim | None:
    """Claims a run that is due: one abandoned by its owner, or else a queued one with nothing before it in its session
    and fewer than `per_user` of its user under way; of these the oldest of the users with the fewest under way."""
    while True:
        try:
            row = await worker.fetchrow(_CLAIM, owner, lease_seconds, per_user)
        except asyncpg.UniqueViolationError:
            continue  # another process started a run of that session between our look and our claim
        return Claim(*row) if row else None


async def heartbeat(
    worker: asyncpg.Connection, owner: str, lease_seconds: float, claims: Sequence[Claim]
) -> dict[UUID, bool]:
    """Renews the leases of `claims`; gives those still ours, each with whether its cancellation was asked for."""
    rows = await worker.fetch(
        """
        UPDATE run SET lease_until = clock_timestamp() + $2::float8 * interval '1 second'
          FROM unnest($3::uuid[], $4::int[]) AS mine (id, attempt)
         WHERE run.id = mine.id AND run.attempt = mine.attempt AND owner = $1 AND status = 'running'
        RETURNING run.id, cancel_requested
        """,
        owner,
        lease_seconds,
        [c.run_id for c in claims],
        [c.attempt for c in claims],
    )
    return {row["id"]: row["cancel_requested"] for row in rows}


async def release(worker: asyncpg.Connection, owner: str, claims: Sequence[Claim]) -> None:
    """Lets other processes take the runs over at once."""
    await worker.execute(
        """
        UPDATE run SET lease_until = clock_timestamp() - interval '1 second'
          FROM unnest($2::uuid[], $3::int[]) AS mine (id, attempt)
         WHERE run.id = mine.id AND run.attempt = mine.attempt AND owner = $1 AND status = 'running'
        """,
        owner,
        [c.run_id for c in claims],
        [c.attempt for c in claims],
    )


async def queued(worker: asyncpg.Connection) -> int:
    """How many runs wait, on all servers."""
    return int(await worker.fetchval("SELECT count(*) FROM run WHERE status = 'queued'"))


async def user_of(worker: asyncpg.Connection, run_id: UUID) -> UUID:
    """Whose run it is, for operators. Raises NotFound."""
    found = await worker.fetchval("SELECT user_id FROM run WHERE id = $1", run_id)
    if found is None:
        raise no_run(run_id)
    return UUID(int=found.int)


async def overview(worker: asyncpg.Connection, status: str | None, limit: int) -> list[dict[str, Any]]:
    """The newest runs of all users as the queue knows them, without their words; `abandoned`: the lease is over."""
    rows = await worker.fetch(
        """
        SELECT id, user_id, session_id, status, attempt, owner, created_at,
               coalesce(status = 'running' AND lease_until < clock_timestamp(), false) AS abandoned
          FROM run WHERE $1::text IS NULL OR status = $1 ORDER BY created_at DESC LIMIT $2
        """,
        status,
        limit,
    )
    return [dict(row) for row in rows]
