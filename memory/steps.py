"""What a run's owner writes: its finished steps, and its end.

Every write is fenced by (run, attempt, owner): one whose lease was taken over can write nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import orjson

from db.engine import Transaction
from memory.messages import Message, columns
from memory.runs import Claim, End, LeaseLost, Tokens
from memory.usage import Spent, counted, sums
from memory.usage import columns as spent_columns


@dataclass(frozen=True, slots=True)
class SoFar:
    """What earlier attempts at a run spent, and whether its cancellation was asked for."""

    cancelled: bool
    tokens: Tokens
    cost: Decimal | None


async def so_far(tx: Transaction, claim: Claim) -> SoFar:
    """How the run stands. Raises LeaseLost when it is gone: its session was deleted meanwhile."""
    row = await tx.pg.fetchrow(
        """
        SELECT cancel_requested, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, cost_usd FROM run
         WHERE user_id = $1 AND id = $2
        """,
        tx.user,
        claim.run_id,
    )
    if row is None:
        raise LeaseLost
    cancelled, *tokens, cost = row
    return SoFar(cancelled, Tokens(*tokens), cost)


_FENCE = """
    SELECT user_id, session_id, turn, id FROM run
     WHERE id = $1 AND attempt = $2 AND owner = $3 AND status = 'running' FOR SHARE
"""
_FENCE_AND_COUNT = """
    UPDATE run SET input_tokens = input_tokens + $9, output_tokens = output_tokens + $10,
           cache_read_tokens = cache_read_tokens + $11, cache_write_tokens = cache_write_tokens + $12,
           cost_usd = cost_usd + $13::numeric
     WHERE id = $1 AND attempt = $2 AND owner = $3 AND status = 'running'
    RETURNING user_id, session_id, turn, id
"""


async def append(
    tx: Transaction, claim: Claim, owner: str, messages: Sequence[Message], spent: Sequence[Spent] = ()
) -> None:
    """Adds finished steps to the turn, and what was spent on them to the run and the user's day. Raises LeaseLost when
    the run is no longer this owner's."""
    tokens, cost = sums(spent)
    counts = (tokens.input, tokens.output, tokens.cache_read, tokens.cache_write, cost, *spent_columns(spent))
    first = f"r AS ({_FENCE_AND_COUNT}), u AS ({counted('r', 14, 'reply')})" if spent else f"r AS ({_FENCE})"
    done = await tx.pg.fetch(
        f"""
        WITH {first}
        INSERT INTO message (user_id, session_id, turn, run_id, pos, id, role, text, body)
        SELECT r.user_id, r.session_id, r.turn, r.id, u.pos, u.id, u.role, u.text, u.body::jsonb
          FROM r, unnest($4::int[], $5::uuid[], $6::text[], $7::text[], $8::text[]) AS u (pos, id, role, text, body)
        RETURNING 1
        """,  # noqa: S608 -- statements of ours
        claim.run_id,
        claim.attempt,
        owner,
        *columns(messages),
        *(counts if spent else ()),
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
    spent: Sequence[Spent],
    error: dict[str, Any] | None,
    model: str | None = None,
) -> None:
    """The end of a run in one statement: its status, the last messages, what was spent since the last step, and the
    unflushed events (first seq, last seq, lines) with the terminal one; `model` is the one that answered, if that is
    known. Raises LeaseLost when the run is no longer this owner's."""
    tokens, cost = sums(spent)
    done = await tx.pg.fetchval(
        f"""
        WITH r AS (
            UPDATE run SET status = $4, lease_until = NULL, finished_at = clock_timestamp(), error = $5::text::jsonb,
                   input_tokens = input_tokens + $6, output_tokens = output_tokens + $7,
                   cache_read_tokens = cache_read_tokens + $8, cache_write_tokens = cache_write_tokens + $9,
                   model = coalesce($18, model), cost_usd = cost_usd + $19::numeric
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
             WHERE session.user_id = r.user_id AND session.id = r.session_id),
        d AS ({counted("r", 20, "reply")})
        SELECT 1 FROM r
        """,  # noqa: S608 -- statements of ours
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
        cost,
        *spent_columns(spent),
    )
    if done is None:
        raise LeaseLost
