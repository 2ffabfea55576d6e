"""What a run's owner writes: its finished steps, and its end.

Every write is fenced by (run, attempt, owner): one whose lease was taken over can write nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from db.engine import Transaction
from memory.messages import Message, columns
from memory.runs import Claim, End, LeaseLost, Tokens


async def append(tx: Transaction, claim: Claim, owner: str, messages: Sequence[Message]) -> None:
    """Adds finished steps to the turn. Raises LeaseLost when the run is no longer this owner's."""
    done = await tx.pg.fetch(
        """
        WITH r AS (SELECT user_id, session_id, turn, id FROM run
                    WHERE id = $1 AND attempt = $2 AND owner = $3 AND status = 'running' FOR SHARE)
        INSERT INTO message (user_id, session_id, turn, run_id, pos, id, role, text, body)
        SELECT r.user_id, r.session_id, r.turn, r.id, u.pos, u.id, u.role, u.text, u.body::jsonb
          FROM r, unnest($4::int[], $5::uuid[], $6::text[], $7::text[], $8::text[]) AS u (pos, id, role, text, body)
        RETURNING 1
        """,
        claim.run_id,
        claim.attempt,
        owner,
        *columns(messages),
    )
    if not done:
        raise LeaseLost


async def complete(
    tx: Transaction,
    claim: Claim,
    owner: str,
    *,
    status: End,
    messages: Sequence[Message],
    events: tuple[int, int, str],
    tokens: Tokens,
    error: dict[str, Any] | None,
    model: str | None = None,
) -> None:
    """The end of a run in one statement: its status, the last messages, and the unflushed events (first seq, last seq,
    lines) with the terminal one; `model` is the one that answered, if that is known. Raises LeaseLost when the run is
    no longer this owner's."""
    done = await tx.pg.fetchval(
        """
        WITH r AS (
            UPDATE run SET status = $4, lease_until = NULL, finished_at = clock_timestamp(), error = $5::text::jsonb,
                   input_tokens = input_tokens + $6, output_tokens = output_tokens + $7,
                   cache_read_tokens = cache_read_tokens + $8, cache_write_tokens = cache_write_tokens + $9,
                   model = coalesce($18, model)
             WHERE id = $1 AND attempt = $2 AND owner = $3 AND status = 'running'
            RETURNING user_id, session_id, turn, id, attempt, created_at),
        m AS (
            INSERT INTO message (user_id, session_id, turn, run_id, pos, id, role, text, body)
            SELECT r.user_id, r.session_id, r.turn, r.id, u.pos, u.id, u.role, u.text, u.body::jsonb
              FROM r, unnest($13::int[], $14::uuid[], $15::text[], $16::text[], $17::text[])
                      AS u (pos, id, role, text, body)),
        e AS (
            INSERT INTO run_event (user_id, run_id, day, seq, last_seq, attempt, terminal, events)
            SELECT user_id, id, (created_at AT TIME ZONE 'UTC')::date, $10, $11, attempt, true, $12 FROM r),
        s AS (
            UPDATE session SET updated_at = clock_timestamp() FROM r
             WHERE session.user_id = r.user_id AND session.id = r.session_id)
        SELECT 1 FROM r
        """,
        claim.run_id,
        claim.attempt,
        owner,
        status,
        orjson.dumps(error).decode() if error else None,
        tokens.input,
        tokens.output,
        tokens.cache_read,
        tokens.cache_write,
        *events,
        *columns(messages),
        model,
    )
    if done is None:
        raise LeaseLost
