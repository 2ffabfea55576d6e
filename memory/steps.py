"""What a run's owner writes: its finished steps, and its end, each in one round trip.

Every write is fenced by (run, attempt, owner): one whose lease was taken over can write nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import orjson

from db.engine import Database, Transaction
from db.sealing.ring import Ring
from memory.frames import sealed
from memory.messages import Message, columns
from memory.runs import Claim, End, LeaseLost, Tokens
from memory.usage import Spent, sums
from memory.usage import columns as spent_columns

_APPEND = f"SELECT append_steps({', '.join(f'${n}' for n in range(1, 19))})"
_COMPLETE = f"SELECT complete_run({', '.join(f'${n}' for n in range(1, 25))})"
"""Each a transaction of its own (migrations 0015, 0018), or part of the caller's. False or 0: the run is another's."""

_MORE_WAIT = 2


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


async def append(
    to: Database | Transaction,
    claim: Claim,
    owner: str,
    messages: Sequence[Message],
    spent: Sequence[Spent] = (),
    *,
    ring: Ring | None = None,
) -> None:
    """Adds finished steps to the turn, and what was spent on them to the run and the user's day; `ring` is the user's,
    if it is at hand. Raises LeaseLost when
    the run is no longer this owner's."""
    ring = ring or await _ring(to, claim)
    await _write(to, _APPEND, claim, owner, spent, *columns(ring, messages))


async def complete(
    to: Database | Transaction,
    claim: Claim,
    owner: str,
    *,
    status: End,
    messages: Sequence[Message],
    events: tuple[int, int, str],
    spent: Sequence[Spent],
    error: dict[str, Any] | None,
    model: str | None = None,
    ring: Ring | None = None,
) -> bool:
    """The end of a run: its status, the last messages, what was spent since the last step, and the unflushed events
    (first seq, last seq, lines) with the terminal one; `model` is the one that answered, if that is known. Gives
    whether more runs of the user are queued. Raises LeaseLost when the run is no longer this owner's."""
    told = orjson.dumps(error).decode() if error else None
    ring = ring or await _ring(to, claim)
    ended = sealed(ring, claim.run_id, events)
    return await _write(to, _COMPLETE, claim, owner, spent, status, told, model, *ended, *columns(ring, messages))


async def _ring(to: Database | Transaction, claim: Claim) -> Ring:
    return await to.ring(claim.user) if isinstance(to, Database) else to.ring


async def _write(
    to: Database | Transaction, function: str, claim: Claim, owner: str, spent: Sequence[Spent], *args: Any
) -> bool:
    tokens, cost = sums(spent)
    counts = [tokens.input, tokens.output, tokens.cache_read, tokens.cache_write]
    given = (claim.user, claim.run_id, claim.attempt, owner, counts, cost, *spent_columns(spent), *args)
    done = await (to.call(function, *given) if isinstance(to, Database) else to.pg.fetchval(function, *given))
    if not done:
        raise LeaseLost
    return int(done) == _MORE_WAIT
