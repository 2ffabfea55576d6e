"""Messages unasked: which users have to be looked after now, and what they were told already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import asyncpg

from db.engine import Transaction
from domain.ids import new_id
from memory.messages import open_turn

Fact = dict[str, Any]

KEEP_DAYS = 400
"""How long a thing that was told is remembered; bills come back every year at the most."""


@dataclass(frozen=True, slots=True)
class Watch:
    """`seen` names the state of the ledger that was looked at last, `state` the one it is in; `weekly_told` is the day
    of the latest weekly summary, None before the first look after it was switched on."""

    seen: str
    state: str
    weekly_told: date | None


async def claim(worker: asyncpg.Connection, lease_seconds: float, limit: int) -> list[UUID]:
    """At most `limit` users whose time has come, for this process alone until the lease ends."""
    rows = await worker.fetch(
        """
        UPDATE notice_watch SET due_at = clock_timestamp() + $1::float8 * interval '1 second'
         WHERE user_id IN (SELECT user_id FROM notice_watch WHERE due_at <= clock_timestamp()
                            ORDER BY due_at FOR UPDATE SKIP LOCKED LIMIT $2)
        RETURNING user_id
        """,
        lease_seconds,
        limit,
    )
    return [UUID(int=row["user_id"].int) for row in rows]


async def watch(tx: Transaction) -> Watch | None:
    """How the user is looked after; None when they want no messages any more."""
    row = await tx.pg.fetchrow(
        """
        SELECT w.seen, w.weekly_told, u.last_txn_no,
               (SELECT id FROM journal WHERE user_id = $1 ORDER BY id DESC LIMIT 1) AS journal_id
          FROM notice_watch w JOIN app_user u ON u.id = w.user_id WHERE w.user_id = $1
        """,
        tx.user,
    )
    return Watch(row["seen"], f"{row['last_txn_no']} {row['journal_id']}", row["weekly_told"]) if row else None


async def looked(tx: Transaction, seen: str, pause_seconds: float) -> None:
    """Notes what was looked at, and that the next look is due after the pause."""
    await tx.pg.execute(
        """
        UPDATE notice_watch SET seen = $2, due_at = clock_timestamp() + $3::float8 * interval '1 second'
         WHERE user_id = $1
        """,
        tx.user,
        seen,
        pause_seconds,
    )


async def append(
    tx: Transaction, session_id: UUID, kind: str, label: str, text: str, facts: Sequence[Fact], figures: Sequence[Fact]
) -> UUID | None:
    """Adds a notice to the session, as a turn of its own, and gives the message's id; None when the session is gone.
    The ids of its facts, which `figures` name, become its own in the session; `label` says in a few words why it is
    there."""
    own = new_id().hex[-12:]

    def named(id_: str) -> str:
        return f"notice_{own}.{id_}"

    body = {
        "kind": kind,
        "label": label,
        "facts": [fact | {"id": named(fact["id"])} for fact in facts],
        "figures": [figure | {"fact_id": named(figure["fact_id"])} for figure in figures],
    }
    opened = await open_turn(tx, session_id, "notice", text, body)
    return opened[0] if opened else None


async def tell_week(tx: Transaction, day: date) -> bool:
    """Notes the weekly summary of that day; False when it was noted before, by whatever server."""
    return bool(
        await tx.pg.fetchval(
            """
            UPDATE notice_watch SET weekly_told = $2
             WHERE user_id = $1 AND (weekly_told IS NULL OR weekly_told < $2) RETURNING true
            """,
            tx.user,
            day,
        )
    )


async def tell_once(tx: Transaction, things: Sequence[str]) -> set[str]:
    """Notes the things; gives those that were not noted before, by whatever server."""
    await tx.pg.execute(
        "DELETE FROM notice_told WHERE user_id = $1 AND told_at < clock_timestamp() - $2::int * interval '1 day'",
        tx.user,
        KEEP_DAYS,
    )
    rows = await tx.pg.fetch(
        """
        INSERT INTO notice_told (user_id, thing) SELECT $1, thing FROM unnest($2::text[]) AS thing ORDER BY thing
        ON CONFLICT DO NOTHING RETURNING thing
        """,
        tx.user,
        list(things),
    )
    return {row["thing"] for row in rows}
