"""The outbox: what chats have to be told, in the order of each chat, until the app has taken it or it is given up."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import asyncpg

from db.engine import Transaction
from db.sealing.places import OUTBOX_BODY, shape
from domain.errors import Conflict, NotFound
from domain.ids import new_id

Kind = Literal["reply", "note", "decided", "notice"]

MAX_REFUSALS = 5
"""How often an app may refuse a message for good before it is given up."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """Seconds until the first repetition, and the most; each is twice the one before, less up to half by chance."""

    first: float = 2.0
    longest: float = 600.0

    def seconds(self, tries: int, chance: random.Random) -> float:
        """The pause after so many tries."""
        return min(self.first * 2.0 ** min(tries - 1, 20), self.longest) * chance.uniform(0.5, 1.0)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A row that this process sends now. `attempt` fences what it writes."""

    user: UUID
    id: UUID
    channel: str
    chat: str
    kind: Kind
    run_id: UUID | None
    attempt: int
    refusals: int
    created_at: datetime


async def add(
    tx: Transaction,
    channel: str,
    chat: str,
    kind: Kind,
    dedupe: str,
    *,
    run_id: UUID | None = None,
    body: dict[str, Any] | None = None,
    after: float = 0.0,
) -> None:
    """Queues something for a chat, once for each `dedupe`: the reply of a run (`run_id`), a note or a notice (`body`);
    not to be sent before `after` seconds are over."""
    row_id, body = new_id(), body or {}
    await tx.pg.execute(
        """
        INSERT INTO outbox (user_id, id, channel, chat, kind, dedupe, run_id, body, due_at, give_up_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, clock_timestamp() + $9::float8 * interval '1 second',
                clock_timestamp() + $9::float8 * interval '1 second' + interval '24 hours')
        ON CONFLICT (user_id, channel, chat, dedupe) DO NOTHING
        """,
        tx.user,
        row_id,
        channel,
        chat,
        kind,
        dedupe,
        run_id,
        tx.ring.seal_json(OUTBOX_BODY, row_id, body, shape(body)),
        after,
    )


async def claim(
    worker: asyncpg.Connection, owner: str, lease_seconds: float, channels: list[str], limit: int
) -> list[Delivery]:
    """At most `limit` rows that are due, each the first of its chat, for this owner alone until the lease ends. A
    notice that waits for the morning holds up nothing behind it; one that is due comes between what is said, not into
    the middle of it."""
    rows = await worker.fetch(
        """
        UPDATE outbox SET owner = $1, attempt = attempt + 1,
               lease_until = clock_timestamp() + $2::float8 * interval '1 second'
         WHERE (user_id, id) IN (
            SELECT o.user_id, o.id FROM outbox o
             WHERE o.status = 'waiting' AND o.due_at <= clock_timestamp() AND o.channel = ANY ($3)
               AND (o.lease_until IS NULL OR o.lease_until < clock_timestamp())
               AND NOT EXISTS (
                   SELECT FROM outbox p
                    WHERE p.status = 'waiting' AND p.channel = o.channel AND p.chat = o.chat AND p.no <> o.no
                      AND CASE WHEN p.kind = 'notice' AND p.lease_until > clock_timestamp() THEN true
                               WHEN p.kind = 'notice'
                               THEN o.kind = 'notice' AND p.no < o.no AND p.due_at <= clock_timestamp()
                               ELSE o.kind = 'notice' OR p.no < o.no END)
             ORDER BY o.due_at FOR UPDATE OF o SKIP LOCKED LIMIT $4)
        RETURNING user_id, id, channel, chat, kind, run_id, attempt, refusals, created_at
        """,
        owner,
        lease_seconds,
        channels,
        limit,
    )
    return [Delivery(UUID(int=row[0].int), UUID(int=row[1].int), *row[2:]) for row in rows]


async def renew(
    worker: asyncpg.Connection, owner: str, lease_seconds: float, mine: list[tuple[UUID, int]]
) -> set[UUID]:
    """Renews the leases of (id, attempt); gives those that are still this owner's."""
    rows = await worker.fetch(
        """
        UPDATE outbox SET lease_until = clock_timestamp() + $2::float8 * interval '1 second'
          FROM unnest($3::uuid[], $4::int[]) AS mine (id, attempt)
         WHERE outbox.id = mine.id AND outbox.attempt = mine.attempt AND owner = $1 AND status = 'waiting'
        RETURNING outbox.id
        """,
        owner,
        lease_seconds,
        [row_id for row_id, _ in mine],
        [attempt for _, attempt in mine],
    )
    return {UUID(int=row["id"].int) for row in rows}


async def release(worker: asyncpg.Connection, owner: str) -> None:
    """Lets other processes take this owner's rows at once."""
    await worker.execute("UPDATE outbox SET lease_until = NULL WHERE owner = $1 AND status = 'waiting'", owner)


async def content(tx: Transaction, delivery: Delivery) -> tuple[dict[str, Any], dict[str, Any]]:
    """What has to be said, and what of it the app has taken so far."""
    row = await tx.pg.fetchrow("SELECT body, progress FROM outbox WHERE user_id = $1 AND id = $2", tx.user, delivery.id)
    if row is None:
        raise NotFound(f"There is no message {delivery.id} to send.")
    return tx.ring.open_json(OUTBOX_BODY, delivery.id, row["body"]), row["progress"]


async def held(tx: Transaction, delivery: Delivery) -> dict[str, Any] | None:
    """What of the row the app has taken so far, with the row locked; None when it is no longer this delivery's to
    send."""
    progress: dict[str, Any] | None = await tx.pg.fetchval(
        """
        SELECT progress FROM outbox WHERE user_id = $1 AND id = $2 AND attempt = $3 AND status = 'waiting' FOR UPDATE
        """,
        tx.user,
        delivery.id,
        delivery.attempt,
    )
    return progress


async def put_off(tx: Transaction, delivery: Delivery, seconds: float, why: str) -> None:
    """Has the row wait for so long, with its time to be sent in starting then. It is nobody's meanwhile; `why` is a
    short code."""
    await tx.pg.execute(
        """
        UPDATE outbox SET owner = NULL, lease_until = NULL, attempt = attempt + 1, error = $5,
               due_at = clock_timestamp() + $4::float8 * interval '1 second',
               give_up_at = clock_timestamp() + $4::float8 * interval '1 second' + interval '24 hours'
         WHERE user_id = $1 AND id = $2 AND attempt = $3
        """,
        tx.user,
        delivery.id,
        delivery.attempt,
        seconds,
        why,
    )


async def keep_progress(tx: Transaction, delivery: Delivery, progress: dict[str, Any]) -> None:
    """Notes what the app has taken, so that nobody sends it again."""
    await tx.pg.execute(
        "UPDATE outbox SET progress = $3 WHERE user_id = $1 AND id = $2 AND attempt = $4",
        tx.user,
        delivery.id,
        progress,
        delivery.attempt,
    )


async def sent(worker: asyncpg.Connection, delivery: Delivery) -> None:
    """The app has taken all of it."""
    await worker.execute(
        """
        UPDATE outbox SET status = 'sent', ended_at = clock_timestamp(), lease_until = NULL, error = ''
         WHERE user_id = $1 AND id = $2 AND attempt = $3 AND status = 'waiting'
        """,
        delivery.user,
        delivery.id,
        delivery.attempt,
    )


async def failed(
    worker: asyncpg.Connection,
    delivery: Delivery,
    error: str,
    *,
    refused: bool,
    pause: float,
) -> bool:
    """Puts the row off by `pause` seconds; or gives it up: after MAX_REFUSALS refusals,
    or when the app was away for a day (`give_up_at`). True when it was given up. `error` is a short code, never a text
    of the app's."""
    return bool(
        await worker.fetchval(
            """
            UPDATE outbox SET refusals = refusals + $4::int, error = $5, lease_until = NULL,
                   due_at = clock_timestamp() + $6::float8 * interval '1 second',
                   status = CASE WHEN refusals + $4::int >= $7 OR give_up_at < clock_timestamp()
                                 THEN 'dead' ELSE 'waiting' END,
                   ended_at = CASE WHEN refusals + $4::int >= $7 OR give_up_at < clock_timestamp()
                                   THEN clock_timestamp() END
             WHERE user_id = $1 AND id = $2 AND attempt = $3 AND status = 'waiting' RETURNING status = 'dead'
            """,
            delivery.user,
            delivery.id,
            delivery.attempt,
            int(refused),
            error[:200],
            pause,
            MAX_REFUSALS,
        )
    )


async def oldest(worker: asyncpg.Connection) -> float:
    """For how many seconds the oldest message waits that should have been sent by now; 0 when there is none."""
    return float(
        await worker.fetchval(
            """
            SELECT coalesce(extract(epoch FROM clock_timestamp() - min(due_at)), 0)::float8
              FROM outbox WHERE status = 'waiting' AND due_at <= clock_timestamp()
            """
        )
    )


async def overview(worker: asyncpg.Connection, status: str | None, limit: int) -> list[dict[str, Any]]:
    """The newest rows of all users as the queue knows them, without their words."""
    rows = await worker.fetch(
        """
        SELECT id, user_id, channel, kind, status, attempt, refusals, error, due_at, created_at, ended_at FROM outbox
         WHERE $1::text IS NULL OR status = $1 ORDER BY created_at DESC LIMIT $2
        """,
        status,
        limit,
    )
    return [dict(row) for row in rows]


async def replay(worker: asyncpg.Connection, row_id: UUID) -> None:
    """Queues a row that was given up once more, with its time and refusals forgotten. Raises NotFound, Conflict."""
    row = await worker.fetchrow("SELECT user_id, status FROM outbox WHERE id = $1", row_id)
    if row is None:
        raise NotFound(f"There is no message {row_id} in the outbox.")
    if row["status"] != "dead":
        raise Conflict(f"Message {row_id} is {row['status']}; only dead ones are sent again.")
    await worker.execute(
        """
        UPDATE outbox SET status = 'waiting', refusals = 0, attempt = attempt + 1, due_at = clock_timestamp(),
               give_up_at = clock_timestamp() + interval '24 hours', ended_at = NULL, error = ''
         WHERE id = $1 AND status = 'dead'
        """,
        row_id,
    )
