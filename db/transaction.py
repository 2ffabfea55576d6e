"""An open transaction of one user."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import asyncpg
from sqlalchemy.ext.asyncio import AsyncConnection

from db.endings import to_its_end
from db.sealing.ring import Ring


@dataclass(frozen=True)
class Transaction:
    """An open transaction that sees and writes the rows of `user` and no others.

    `conn` takes SQLAlchemy Core statements, `pg` is the driver's connection of the same transaction for hand-written
    SQL. On both, json and jsonb go in as Python values and come out as Python values (dict, list, str, int, None),
    not as text. An error of a statement ends the transaction: let it out, or put the statement in a `savepoint`.
    `ring` seals and opens the columns of db.sealing.places.
    """

    conn: AsyncConnection
    pg: asyncpg.Connection
    user: UUID
    ring: Ring

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """A part that is undone alone when it raises; the exception goes on. May be nested."""
        await self.pg.execute("SAVEPOINT part")
        try:
            yield
        except BaseException:
            if not self.pg.is_closed():
                await to_its_end(self.pg.execute("ROLLBACK TO SAVEPOINT part; RELEASE SAVEPOINT part"))
            raise
        await self.pg.execute("RELEASE SAVEPOINT part")
