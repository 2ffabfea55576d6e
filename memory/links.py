"""Links: which account in a messaging app speaks for which user, made by a one-time code that the user is shown."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from db.engine import Database, Transaction

CODE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""No letter or digit that is taken for another one."""

CODE_LENGTH = 8
"""With 30 signs that is 39 bits: nobody guesses one in its quarter of an hour."""

CODE_MINUTES = 15


@dataclass(frozen=True, slots=True)
class Link:
    """An account (`address`) of an app; `chat` is where the person is written to unasked, "" until they have written to
    us alone; they wrote last at `used_at`, to the minute."""

    channel: str
    address: str
    chat: str
    created_at: datetime
    used_at: datetime


def _hash(channel: str, code: str) -> str:
    return hashlib.sha256(f"{channel}\n{code.upper()}".encode()).hexdigest()


async def new_code(tx: Transaction, channel: str) -> tuple[str, datetime]:
    """A fresh code that links one account in `channel` to this user, once, and when it ends. Earlier ones of the user
    for that channel count no more."""
    code = "".join(secrets.choice(CODE_ALPHABET) for _ in range(CODE_LENGTH))
    expires = await tx.pg.fetchval(
        """
        WITH old AS (DELETE FROM link_code WHERE user_id = $1 AND channel = $2)
        INSERT INTO link_code (user_id, channel, code_hash, expires_at)
        VALUES ($1, $2, $3, clock_timestamp() + $4::int * interval '1 minute') RETURNING expires_at
        """,
        tx.user,
        channel,
        _hash(channel, code),
        CODE_MINUTES,
    )
    return code, expires


async def user_of(db: Database, channel: str, address: str, chat: str | None = None) -> UUID | None:
    """The user that the account speaks for, or None. Whoever asks has just heard of them: in `chat`, if they wrote
    there alone."""
    found = await db.call("SELECT channel_user($1, $2, $3)", channel, address, chat)
    return UUID(int=found.int) if found else None


async def redeem(db: Database, channel: str, address: str, chat: str, code: str) -> UUID | None:
    """Links the account to the user whose code it is; the code is used up. `chat` is "" where others read along. None:
    no such code, or its time is over."""
    async with db.unowned() as pg:
        found = await pg.fetchval("SELECT redeem_link($1, $2, $3, $4)", channel, address, chat, _hash(channel, code))
    return UUID(int=found.int) if found else None


async def list_(tx: Transaction) -> list[Link]:
    """The user's linked accounts, the oldest first."""
    rows = await tx.pg.fetch(
        "SELECT channel, address, chat, created_at, used_at FROM channel_link WHERE user_id = $1 ORDER BY created_at",
        tx.user,
    )
    return [Link(**row) for row in rows]


async def unlink(tx: Transaction, channel: str, address: str | None = None) -> int:
    """Ends the link of the account, or of all accounts in that channel; gives how many there were."""
    done: str = await tx.pg.execute(
        "DELETE FROM channel_link WHERE user_id = $1 AND channel = $2 AND ($3::text IS NULL OR address = $3)",
        tx.user,
        channel,
        address,
    )
    return int(done.split()[1])
