"""The logged events of a run: how far they go, reading them, and how long they are kept."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import asyncpg

from db.engine import Transaction
from db.sealing.places import RUN_EVENTS
from domain.errors import PennyError
from memory.frames import Frame, parse, row_of
from memory.runs import no_run


async def last_seq(tx: Transaction, run_id: UUID) -> int:
    """The number of the run's last logged event, 0 when there is none."""
    found = await tx.pg.fetchval(
        """
        SELECT max(last_seq) FROM run_event
         WHERE run_id = $1 AND day = (SELECT (created_at AT TIME ZONE 'UTC')::date FROM run WHERE id = $1)
        """,
        run_id,
    )
    return int(found or 0)


class EventsGone(PennyError):
    """The run is long over and its events are no longer kept; `details["message_id"]` names the reply."""

    code = "events_gone"
    status = 410


async def day_of(tx: Transaction, run_id: UUID) -> date:
    """The day (UTC) under which the run's events are kept. Raises NotFound, EventsGone."""
    row = await tx.pg.fetchrow(
        """
        SELECT (created_at AT TIME ZONE 'UTC')::date AS day, message_id, status IN ('queued', 'running')
               OR EXISTS (SELECT FROM run_event e WHERE e.run_id = run.id
                             AND e.day = (run.created_at AT TIME ZONE 'UTC')::date) AS kept
          FROM run WHERE user_id = $1 AND id = $2
        """,
        tx.user,
        run_id,
    )
    if row is None:
        raise no_run(run_id)
    if not row["kept"]:
        raise EventsGone(
            "The events of this run are no longer kept; its reply is a message of the session.",
            message_id=str(row["message_id"]),
        )
    day: date = row["day"]
    return day


async def positions(worker: asyncpg.Connection, run_ids: list[UUID], since: date) -> dict[UUID, int]:
    """How far each run is logged, of those of the day `since` or later that have events."""
    rows = await worker.fetch("SELECT run_id, last_seq FROM run_positions($1, $2)", run_ids, since)
    return {row["run_id"]: row["last_seq"] for row in rows}


async def keep(worker: asyncpg.Connection, days: int) -> int:
    """Makes the partitions of the coming days and drops those more than `days` days old; how many were dropped."""
    return int(await worker.fetchval("SELECT keep_run_events($1)", days))


async def read(tx: Transaction, run_id: UUID, after: int) -> tuple[list[Frame], bool]:
    """The run's logged events after `after`, and whether the terminal one is among all that is logged."""
    rows = await tx.pg.fetch(
        """
        SELECT seq, events, terminal FROM run_event
         WHERE user_id = $1 AND run_id = $2 AND (last_seq > $3 OR terminal)
           AND day = (SELECT (created_at AT TIME ZONE 'UTC')::date FROM run WHERE id = $2)
         ORDER BY seq
        """,
        tx.user,
        run_id,
        after,
    )
    opened = (tx.ring.open(RUN_EVENTS, row_of(run_id, row["seq"]), row["events"]) for row in rows)
    frames = [f for text in opened for f in parse(text) if f.seq > after]
    return frames, any(row["terminal"] for row in rows)
