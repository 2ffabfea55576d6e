"""The inbox: each event from a messaging app is acted on once; and which session a chat talks in."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from db.engine import Transaction
from memory import sessions

KEEP_DAYS = 30
"""Apps repeat an event for days at most."""


@dataclass(frozen=True, slots=True)
class Chat:
    """A chat of a user: its session, and whether money may be spoken of where others read along."""

    session_id: UUID
    money_allowed: bool


async def received(
    tx: Transaction, channel: str, event_id: str, run_id: UUID | None = None, message_ref: str | None = None
) -> bool:
    """Notes the event; False when it was noted before, by whatever server. `message_ref` is the app's id of the
    message, by which a later edit or deletion finds it."""
    return bool(
        await tx.pg.fetchval(
            """
            INSERT INTO inbox (user_id, channel, event_id, run_id, message_ref) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT DO NOTHING RETURNING true
            """,
            tx.user,
            channel,
            event_id,
            run_id,
            message_ref,
        )
    )


async def run_of(tx: Transaction, channel: str, message_ref: str) -> UUID | None:
    """The latest run that answers the app's message, or None."""
    found = await tx.pg.fetchval(
        """
        SELECT run_id FROM inbox WHERE user_id = $1 AND channel = $2 AND message_ref = $3 AND run_id IS NOT NULL
         ORDER BY received_at DESC LIMIT 1
        """,
        tx.user,
        channel,
        message_ref,
    )
    return UUID(int=found.int) if found else None


async def latest_words(tx: Transaction, channel: str, message_ref: str) -> UUID | None:
    """The id of the user's message that the app's message became, if they have said nothing after it in its session."""
    found = await tx.pg.fetchval(
        """
        SELECT m.id FROM inbox i
          JOIN run r ON r.user_id = i.user_id AND r.id = i.run_id
          JOIN message m ON m.user_id = r.user_id AND m.session_id = r.session_id AND m.turn = r.turn AND m.pos = 0
         WHERE i.user_id = $1 AND i.channel = $2 AND i.message_ref = $3
           AND NOT EXISTS (SELECT FROM message l WHERE l.user_id = m.user_id AND l.session_id = m.session_id
                              AND l.turn > m.turn AND l.role = 'user')
         ORDER BY i.received_at DESC LIMIT 1
        """,
        tx.user,
        channel,
        message_ref,
    )
    return UUID(int=found.int) if found else None


async def chat(tx: Transaction, channel: str, name: str, *, fresh: bool = False) -> Chat:
    """The chat with its session, made when there is none (or `fresh`, or it was deleted)."""
    row = await tx.pg.fetchrow(
        """
        SELECT session_id, money_allowed FROM channel_chat
         WHERE user_id = $1 AND channel = $2 AND chat = $3 AND session_id IS NOT NULL
        """,
        tx.user,
        channel,
        name,
    )
    if row is not None and not fresh:
        return Chat(UUID(int=row["session_id"].int), row["money_allowed"])
    row = await tx.pg.fetchrow(
        """
        INSERT INTO channel_chat AS c (user_id, channel, chat) VALUES ($1, $2, $3)
        ON CONFLICT (user_id, channel, chat) DO UPDATE SET chat = c.chat RETURNING session_id, money_allowed
        """,
        tx.user,
        channel,
        name,
    )
    if row["session_id"] is not None and not fresh:
        return Chat(UUID(int=row["session_id"].int), row["money_allowed"])
    made = await sessions.create(tx)
    await tx.pg.execute(
        "UPDATE channel_chat SET session_id = $4 WHERE user_id = $1 AND channel = $2 AND chat = $3",
        tx.user,
        channel,
        name,
        made.id,
    )
    return Chat(made.id, row["money_allowed"])


async def allow_money(tx: Transaction, channel: str, name: str, allowed: bool) -> None:
    """Whether money may be spoken of in a chat that others read."""
    await tx.pg.execute(
        """
        INSERT INTO channel_chat (user_id, channel, chat, money_allowed) VALUES ($1, $2, $3, $4)
        ON CONFLICT (user_id, channel, chat) DO UPDATE SET money_allowed = $4
        """,
        tx.user,
        channel,
        name,
        allowed,
    )
