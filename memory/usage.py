"""Usage: what replies and summaries took of which model, counted once, in the transaction in which it becomes known;
and the caps that are asked about before a model is. A day is a day in UTC by the database's clock, for users and
tenants alike: a tenant's users live in many time zones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final, Literal
from uuid import UUID

import asyncpg

from db.engine import Transaction
from memory.runs import Tokens

Cap = Literal["user_tokens", "user_cost", "tenant_tokens", "tenant_cost"]


@dataclass(frozen=True, slots=True)
class Caps:
    """What a day may take, in tokens (those read from a cache count a tenth) and US dollars; None: any amount."""

    user_tokens: int | None = None
    user_usd: Decimal | None = None
    tenant_tokens: int | None = None
    tenant_usd: Decimal | None = None

    @property
    def any(self) -> bool:
        """Whether there is anything to ask about."""
        return (self.user_tokens, self.user_usd, self.tenant_tokens, self.tenant_usd) != (None,) * 4


@dataclass(frozen=True, slots=True)
class Spent:
    """What calls of one model took; `cost` is in US dollars, None when the model's price is not known."""

    model: str
    calls: int
    tokens: Tokens
    cost: Decimal | None


SPENT_COLUMNS: Final = 7


def columns(spent: Sequence[Spent]) -> tuple[list[Any], ...]:
    """Models, calls, input, output, cache reads, cache writes and costs: the arrays that `counted` unnests."""
    return (
        [s.model for s in spent],
        [s.calls for s in spent],
        [s.tokens.input for s in spent],
        [s.tokens.output for s in spent],
        [s.tokens.cache_read for s in spent],
        [s.tokens.cache_write for s in spent],
        [s.cost for s in spent],
    )


def counted(source: str, first: int, purpose: Literal["reply", "summary"]) -> str:
    """The statement that adds what was spent to the user's day; `source` is where it takes `user_id` from, and its
    parameters begin at `first`."""
    a = [f"${first + n}" for n in range(SPENT_COLUMNS)]
    return f"""
        INSERT INTO usage_day AS d (user_id, day, model, purpose, calls, input_tokens, output_tokens,
                                    cache_read_tokens, cache_write_tokens, cost_usd, unpriced_calls)
        SELECT {source}.user_id, (clock_timestamp() AT TIME ZONE 'UTC')::date, c.model, '{purpose}', c.calls, c.input,
               c.output, c.read, c.written, coalesce(c.cost, 0), CASE WHEN c.cost IS NULL THEN c.calls ELSE 0 END
          FROM {source}, unnest({a[0]}::text[], {a[1]}::bigint[], {a[2]}::bigint[], {a[3]}::bigint[], {a[4]}::bigint[],
                                {a[5]}::bigint[], {a[6]}::numeric[]) AS c (model, calls, input, output, read, written,
                                                                           cost)
        ON CONFLICT (user_id, day, model, purpose) DO UPDATE
           SET calls = d.calls + excluded.calls, input_tokens = d.input_tokens + excluded.input_tokens,
               output_tokens = d.output_tokens + excluded.output_tokens,
               cache_read_tokens = d.cache_read_tokens + excluded.cache_read_tokens,
               cache_write_tokens = d.cache_write_tokens + excluded.cache_write_tokens,
               cost_usd = d.cost_usd + excluded.cost_usd,
               unpriced_calls = d.unpriced_calls + excluded.unpriced_calls
    """  # noqa: S608 -- names and positions of ours


def sums(spent: Sequence[Spent]) -> tuple[Tokens, Decimal | None]:
    """All of it together; the cost is None when a part of it is not known."""
    tokens = sum((s.tokens for s in spent), Tokens())
    costs = [s.cost for s in spent]
    known = [cost for cost in costs if cost is not None]
    return tokens, sum(known, Decimal()) if len(known) == len(costs) else None


async def reserve(tx: Transaction, run_id: UUID, tokens: int, usd: Decimal, caps: Caps) -> Cap | None:
    """Sets so much aside for the run, in place of what it had set aside before; the cap that forbids it, if one does.
    What is used and what is set aside never exceed a cap together, on however many servers."""
    cap: Cap | None = await tx.pg.fetchval(
        "SELECT reserve_usage($1, $2, $3, $4, $5, $6, $7)",
        run_id,
        tokens,
        usd,
        caps.user_tokens,
        caps.user_usd,
        caps.tenant_tokens,
        caps.tenant_usd,
    )
    return cap


_SHOWN: Final = (
    "calls",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "unpriced_calls",
)


def shown(row: Any) -> dict[str, Any]:
    """The counts of a row as clients see them; the cost is exact decimal text."""
    return {name: int(row[name]) for name in _SHOWN} | {"cost_usd": f"{row['cost_usd']:f}"}


async def by_day(
    tx: Transaction, limit: int, before: tuple[date, str, str] | None = None
) -> tuple[list[dict[str, Any]], tuple[date, str, str] | None]:
    """The user's usage by day, model and purpose, the latest day first, and where the next page starts."""
    rows = await tx.pg.fetch(
        """
        SELECT * FROM usage_day
         WHERE user_id = $1 AND ($2::date IS NULL OR day < $2 OR day = $2 AND (model, purpose) > ($3, $4))
         ORDER BY day DESC, model, purpose LIMIT $5
        """,
        tx.user,
        *(before or (None, None, None)),
        limit + 1,
    )
    kept = rows[:limit]
    items = [{"day": r["day"], "model": r["model"], "purpose": r["purpose"], **shown(r)} for r in kept]
    last = kept[-1] if len(rows) > limit else None
    return items, (last["day"], last["model"], last["purpose"]) if last else None


async def today(tx: Transaction) -> tuple[date, int, Decimal]:
    """The day, and what the user has used of it: tokens as caps count them, and US dollars."""
    row = await tx.pg.fetchrow(
        """
        SELECT (clock_timestamp() AT TIME ZONE 'UTC')::date AS day,
               coalesce(sum(input_tokens + output_tokens + cache_write_tokens + cache_read_tokens / 10), 0) AS tokens,
               coalesce(sum(cost_usd), 0) AS usd
          FROM usage_day WHERE user_id = $1 AND day = (clock_timestamp() AT TIME ZONE 'UTC')::date
        """,
        tx.user,
    )
    return row["day"], int(row["tokens"]), row["usd"]


async def overview(worker: asyncpg.Connection, since: date) -> list[dict[str, Any]]:
    """Everybody's usage from the day on, by user, day, model and purpose, for operators."""
    rows = await worker.fetch("SELECT * FROM usage_overview($1)", since)
    return [dict(row) for row in rows]
