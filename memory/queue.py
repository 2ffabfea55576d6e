"""The queue of runs, as the processes that make them see it: claiming, keeping and giving back a lease.

All of it is done by the worker's role, across users, on columns that hold no words of anybody's. Whoever locks several
runs at once does so in the order of their ids, as the event log does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import asyncpg

from memory.runs import LOCK_RUNS, RUNS_PER_USER, Claim, no_run

_MAY_START = """
       (SELECT count(*) FROM run o WHERE o.user_id = r.user_id AND o.status = 'running') < $1
   AND NOT EXISTS (SELECT FROM run o WHERE o.session_id = r.session_id
                      AND (o.status = 'running' OR (o.status = 'queued' AND o.turn < r.turn)))
"""

_DUE = f"""
SELECT r.id, r.user_id, r.status, r.status = 'running' AND r.lease_until = '-infinity' AS handed_over FROM run r
 CROSS JOIN LATERAL (SELECT count(*) AS busy FROM run o WHERE o.user_id = r.user_id AND o.status = 'running') AS u
 WHERE (r.status = 'running' AND r.lease_until < clock_timestamp()) OR (r.status = 'queued' AND {_MAY_START})
 ORDER BY r.status = 'queued', u.busy, r.created_at FOR UPDATE OF r SKIP LOCKED LIMIT 1
"""  # noqa: S608 -- made of constants

_TAKE = f"""
UPDATE run r SET status = 'running', attempt = attempt + 1, owner = $3,
       lease_until = clock_timestamp() + $4::float8 * interval '1 second'
 WHERE r.id = $2 AND (r.status = 'running' OR {_MAY_START})
RETURNING user_id, id, session_id, turn, attempt, message_id
"""  # noqa: S608 -- made of constants


async def claim_next(
    worker: asyncpg.Connection, owner: str, lease_seconds: float, per_user: int = RUNS_PER_USER
) -> Claim | None:
    """Claims a run that is due: one abandoned by its owner, or else a queued one with nothing before it in its session
    and fewer than `per_user` of its user under way; of these the oldest of the users with the fewest under way.

    A queued one is looked at again under the lock of its user's runs (memory/acceptance.py), so that servers that claim
    at one instant keep to the cap together.
    """
    while True:
        try:
            async with worker.transaction():
                due = await worker.fetchrow(_DUE, per_user)
                if due is None:
                    return None
                if due["status"] == "queued":
                    await worker.execute(LOCK_RUNS, str(due["user_id"]))
                row = await worker.fetchrow(_TAKE, per_user, due["id"], owner, lease_seconds)
        except asyncpg.UniqueViolationError:
            continue  # another process started a run of that session between our look and our claim
        if row is not None:
            claim = Claim(*row)
            return replace(claim, handed_over=due["handed_over"])


async def heartbeat(
    worker: asyncpg.Connection, owner: str, lease_seconds: float, claims: Sequence[Claim]
) -> dict[UUID, bool]:
    """Renews the leases of `claims`; gives those still ours, each with whether its cancellation was asked for."""
    rows = await worker.fetch(
        """
        WITH mine AS (
            SELECT r.id FROM run r JOIN unnest($3::uuid[], $4::int[]) AS m (id, attempt)
                ON r.id = m.id AND r.attempt = m.attempt AND r.owner = $1 AND r.status = 'running'
             ORDER BY r.id FOR NO KEY UPDATE OF r)
        UPDATE run SET lease_until = clock_timestamp() + $2::float8 * interval '1 second'
          FROM mine WHERE run.id = mine.id
        RETURNING run.id, run.cancel_requested
        """,
        owner,
        lease_seconds,
        [c.run_id for c in claims],
        [c.attempt for c in claims],
    )
    return {row["id"]: row["cancel_requested"] for row in rows}


async def release(worker: asyncpg.Connection, owner: str, claims: Sequence[Claim]) -> None:
    """Lets other processes take the runs over at once, and see that they were handed over."""
    await worker.execute(
        """
        WITH mine AS (
            SELECT r.id FROM run r JOIN unnest($2::uuid[], $3::int[]) AS m (id, attempt)
                ON r.id = m.id AND r.attempt = m.attempt AND r.owner = $1 AND r.status = 'running'
             ORDER BY r.id FOR NO KEY UPDATE OF r)
        UPDATE run SET lease_until = '-infinity' FROM mine WHERE run.id = mine.id
        """,
        owner,
        [c.run_id for c in claims],
        [c.attempt for c in claims],
    )


async def queued(worker: asyncpg.Connection) -> tuple[int, float]:
    """How many runs wait, on all servers, and the age of the oldest in seconds."""
    row = await worker.fetchrow(
        """
        SELECT count(*), coalesce(extract(epoch FROM clock_timestamp() - min(created_at)), 0)::float8
          FROM run WHERE status = 'queued'
        """
    )
    return row[0], row[1]


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
