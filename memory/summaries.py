"""Summaries of older turns: immutable rows, each taking the place of the turns up to one and of the row before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from db.engine import Transaction
from db.sealing.places import SUMMARY_TEXT
from db.sealing.ring import Ring
from domain.ids import new_id
from memory.usage import Spent, columns, counted, sums

LEASE_SECONDS = 120
"""How long the making of one may take before another process may try."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What the turns of a session up to `through_turn` (included) were about."""

    id: UUID
    through_turn: int
    text: str


async def begin(tx: Transaction, session_id: UUID) -> tuple[bool, Summary | None]:
    """Whether the caller may make the session's next summary now, which nobody else then does for LEASE_SECONDS; and
    the newest there is."""
    leased = await tx.pg.fetchval(
        """
        UPDATE session SET summarizing_until = clock_timestamp() + $3::int * interval '1 second'
         WHERE user_id = $1 AND id = $2
           AND (summarizing_until IS NULL OR summarizing_until < clock_timestamp()) RETURNING 1
        """,
        tx.user,
        session_id,
        LEASE_SECONDS,
    )
    row = await tx.pg.fetchrow(
        """
        SELECT id, through_turn, text FROM summary s WHERE user_id = $1 AND session_id = $2
           AND NOT EXISTS (SELECT FROM message e WHERE e.user_id = $1 AND e.session_id = $2
                              AND e.replaces <= s.through_turn AND e.turn > s.through_turn)
         ORDER BY through_turn DESC LIMIT 1
        """,
        tx.user,
        session_id,
    )
    return leased is not None, of(tx.ring, *row) if row else None


def of(ring: Ring, summary_id: UUID, through_turn: int, text: str) -> Summary:
    """From the columns of its row."""
    return Summary(summary_id, through_turn, ring.open(SUMMARY_TEXT, summary_id, text))


async def give_up(tx: Transaction, session_id: UUID) -> None:
    """Lets the session's next summary be begun at any time; this one is not needed."""
    await tx.pg.execute(
        "UPDATE session SET summarizing_until = NULL WHERE user_id = $1 AND id = $2", tx.user, session_id
    )


async def add(
    tx: Transaction,
    session_id: UUID,
    through_turn: int,
    text: str,
    *,
    model: str,
    prompt_version: str,
    spent: Sequence[Spent],
) -> bool:
    """Keeps a summary, and lets the next one be begun; what it took is counted in any case. False when there is one up
    to that turn already, or the session is gone."""
    tokens, cost = sums(spent)
    summary_id = new_id()
    made = await tx.pg.fetchval(
        f"""
        WITH s AS (
            UPDATE session SET summarizing_until = NULL WHERE user_id = $1 AND id = $2 RETURNING user_id, id),
        d AS ({counted("s", 13, "summary")})
        INSERT INTO summary (user_id, id, session_id, through_turn, text, model, prompt_version,
                             input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, cost_usd)
        SELECT $1, $3, s.id, $4, $5, $6, $7, $8, $9, $10, $11, $12 FROM s
        ON CONFLICT (user_id, session_id, through_turn) DO NOTHING RETURNING 1
        """,  # noqa: S608 -- a statement of ours
        tx.user,
        session_id,
        summary_id,
        through_turn,
        tx.ring.seal(SUMMARY_TEXT, summary_id, text),
        model,
        prompt_version,
        tokens.input,
        tokens.output,
        tokens.cache_read,
        tokens.cache_write,
        cost,
        *columns(spent),
    )
    return made is not None
