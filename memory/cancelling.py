"""Cancelling a run: one that is being made is told to stop, one that waits ends here and now."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

import asyncpg
import orjson

from db.engine import Transaction
from memory.frames import Frame, lines, sealed
from memory.runs import no_run

Cancelled = Literal["over", "asked", "ended"]
"""The run was over before; its owner, wherever it is, was asked to stop; it was waiting, and is over now."""

_NO_TOKENS = {"input_tokens": 0, "output_tokens": 0, "cache_read_tokens": 0, "cache_write_tokens": 0}


async def cancel(tx: Transaction, run_id: UUID) -> Cancelled:
    """Cancels the run. Raises NotFound."""
    row = await tx.pg.fetchrow(
        """
        UPDATE run SET cancel_requested = true,
               status = CASE status WHEN 'queued' THEN 'cancelled' ELSE status END,
               finished_at = CASE status WHEN 'queued' THEN clock_timestamp() ELSE finished_at END
         WHERE user_id = $1 AND id = $2 AND status IN ('queued', 'running')
        RETURNING id, session_id, turn, message_id, status, model, prompt_version
        """,
        tx.user,
        run_id,
    )
    if row is None:
        if not await tx.pg.fetchval("SELECT true FROM run WHERE user_id = $1 AND id = $2", tx.user, run_id):
            raise no_run(run_id)
        return "over"
    if row["status"] == "running":
        return "asked"
    await _close(tx, row)
    return "ended"


async def _close(tx: Transaction, row: asyncpg.Record) -> None:
    """What the run would have left if it had been claimed first: an empty reply, marked, and its events."""
    started = {
        "run_id": str(row["id"]),
        "session_id": str(row["session_id"]),
        "message_id": str(row["message_id"]),
        "model": row["model"],
        "prompt_version": row["prompt_version"],
    }
    told: tuple[tuple[str, object], ...] = (("run.started", started), ("usage", _NO_TOKENS), ("run.cancelled", {}))
    frames = [Frame(seq, kind, orjson.dumps(data).decode()) for seq, (kind, data) in enumerate(told, 1)]
    await tx.pg.execute(
        """
        WITH m AS (
            INSERT INTO message (user_id, session_id, turn, run_id, pos, id, role, body)
            SELECT r.user_id, r.session_id, r.turn, r.id, 1, r.message_id, 'assistant', '{"status": "cancelled"}'
              FROM run r WHERE r.user_id = $1 AND r.id = $2)
        INSERT INTO run_event (user_id, run_id, day, seq, last_seq, attempt, terminal, events)
        SELECT user_id, id, (created_at AT TIME ZONE 'UTC')::date, $3, $4, attempt, true, $5
          FROM run WHERE user_id = $1 AND id = $2
        """,
        tx.user,
        row["id"],
        *sealed(tx.ring, row["id"], lines(frames)),
    )
