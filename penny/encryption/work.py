"""What operators do with users' keys and sealed texts, user by user."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any, Final
from uuid import UUID

import asyncpg

from db.engine import Database
from db.sealing.again import again
from db.sealing.keys import Wrapper, context_of
from db.sealing.places import PLACES
from domain.errors import SetupError
from ledger.imports.batches import DIGEST

_USERS: Final = 200

_FOLLOW: Final = {
    # what an import remembers of its rows, to see whether they were changed since, is of the rows as they are stored
    "digest": DIGEST,
    "txn": """
        , noted AS (UPDATE import_row r SET digest = changed.after FROM changed JOIN stood USING (id)
                     WHERE r.user_id = $1 AND r.txn_id = changed.id AND r.digest = stood.before)
    """,
    "set import_row": f", digest = {DIGEST.format(row='u.new::jsonb')}",
}


async def everybody(worker: asyncpg.Connection) -> AsyncIterator[UUID]:
    """Every user there is."""
    last: UUID | None = None
    while True:
        rows = await worker.fetch("SELECT users_after($1, $2) AS id", last, _USERS)
        for row in rows:
            yield UUID(int=row["id"].int)
        if not rows:
            return
        last = rows[-1]["id"]


async def seal_all(db: Database, user: UUID, *, plain: bool, done: Callable[[int], None]) -> None:
    """Brings everything of the user's to the key that seals now, or to plain text. Raises EncryptionUnavailable."""
    if not plain and (ring := await db.ring(user)).current is None:
        raise ring.trouble or SetupError("Nothing can be encrypted while PENNY_ENCRYPTION=read; set it to `on`.")
    for place in PLACES:
        follow = _FOLLOW if place.table in ("txn", "import_row") else None
        async for changed in again(db, user, place, plain=plain, follow=follow):
            done(changed)


async def rotate(db: Database, wrapper: Wrapper, user: UUID) -> bool:
    """Gives the user another key, which seals from the moment on at which every server knows of it. False for a user
    without any, and while the one before is not yet in use."""
    async with db.unsealed(user) as pg:
        newest = await pg.fetchrow(
            """
            SELECT no, active_from > clock_timestamp() AS waits FROM data_key WHERE user_id = $1
             ORDER BY no DESC LIMIT 1
            """,
            user,
        )
    if newest is None or newest["waits"]:
        return False
    no = newest["no"] + 1
    _, wrapped, by = await wrapper.make(context_of(user, no))
    async with db.unsealed(user) as pg:
        made = await pg.fetchval(
            """
            INSERT INTO data_key (user_id, no, wrapped, wrapped_by, active_from)
            VALUES ($1, $2, $3, $4, clock_timestamp() + $5::float8 * interval '1 second')
            ON CONFLICT DO NOTHING RETURNING true
            """,
            user,
            no,
            wrapped,
            by,
            2 * db.keys.life,
        )
    return bool(made)


async def rewrap(db: Database, user: UUID, old: Wrapper, new: Wrapper, by: str) -> int:
    """Wraps the user's keys by the new key, except those that are wrapped `by` it; how many. The keys stay the same,
    so that no text need be sealed again."""
    async with db.unsealed(user) as pg:
        rows = await pg.fetch("SELECT no, wrapped, wrapped_by FROM data_key WHERE user_id = $1 ORDER BY no", user)
    count = 0
    for row in rows:
        if row["wrapped_by"] == by:
            continue
        context = context_of(user, row["no"])
        key = await old.unwrap(row["wrapped"], row["wrapped_by"], context)
        wrapped, named = await new.wrap(key, context)
        async with db.unsealed(user) as pg:
            await pg.execute(
                """
                UPDATE data_key SET wrapped = $3, wrapped_by = $4
                 WHERE user_id = $1 AND no = $2 AND wrapped = $5
                """,
                user,
                row["no"],
                wrapped,
                named,
                row["wrapped"],
            )
        count += 1
    return count


async def overview(worker: asyncpg.Connection) -> list[dict[str, Any]]:
    """Keys by what they are wrapped by: how many, of how many users, the oldest and the newest."""
    rows = await worker.fetch(
        """
        SELECT wrapped_by, count(*) AS keys, count(DISTINCT user_id) AS users, min(created_at) AS oldest,
               max(created_at) AS newest, count(*) FILTER (WHERE active_from > clock_timestamp()) AS waiting
          FROM data_key GROUP BY wrapped_by ORDER BY wrapped_by
        """
    )
    return [dict(row) for row in rows]
