"""Proposals as chats show them: the short code to type there, and the app's message that carries the buttons."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from uuid import UUID

from db.engine import Transaction

CODES = tuple(f"{letter}{digit}" for letter in "ABCDEFGHJKMNPQRSTVWXYZ" for digit in range(2, 10))
"""Two signs that are not mistaken for others, and are said easily."""


@dataclass(frozen=True, slots=True)
class ShownProposal:
    """A proposal in a chat, its code there, and the hash of what was shown; `ref` is the app's message, if it took it
    already."""

    proposal_id: UUID
    code: str
    hash: str
    ref: str | None


async def show(tx: Transaction, channel: str, chat: str, proposal_id: UUID) -> str:
    """The code of the proposal in that chat, chosen when it is first shown there. A code that names a proposal nobody
    can decide on any more is used again."""
    await tx.pg.execute(
        """
        DELETE FROM channel_proposal c USING proposal p
         WHERE c.user_id = $1 AND c.channel = $2 AND c.chat = $3 AND p.user_id = c.user_id AND p.id = c.proposal_id
           AND (p.status <> 'pending' OR p.expires_at <= clock_timestamp())
           AND c.shown_at < clock_timestamp() - interval '2 days'
        """,
        tx.user,
        channel,
        chat,
    )
    taken = await tx.pg.fetch(
        "SELECT proposal_id, code FROM channel_proposal WHERE user_id = $1 AND channel = $2 AND chat = $3 FOR UPDATE",
        tx.user,
        channel,
        chat,
    )
    codes = {UUID(int=row["proposal_id"].int): str(row["code"]) for row in taken}
    if proposal_id in codes:
        return codes[proposal_id]
    free = [code for code in CODES if code not in codes.values()] or [f"{CODES[0]}{len(codes)}"]
    return str(
        await tx.pg.fetchval(
            """
            INSERT INTO channel_proposal AS c (user_id, channel, chat, proposal_id, code) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (user_id, channel, chat, proposal_id) DO UPDATE SET code = c.code RETURNING code
            """,
            tx.user,
            channel,
            chat,
            proposal_id,
            secrets.choice(free),
        )
    )


async def carried_by(tx: Transaction, channel: str, chat: str, proposal_id: UUID, ref: str) -> None:
    """Notes the app's message that shows the proposal."""
    await tx.pg.execute(
        """
        UPDATE channel_proposal SET ref = $5, shown_at = clock_timestamp()
         WHERE user_id = $1 AND channel = $2 AND chat = $3 AND proposal_id = $4
        """,
        tx.user,
        channel,
        chat,
        proposal_id,
        ref,
    )


async def named(tx: Transaction, channel: str, chat: str, code: str) -> list[ShownProposal]:
    """The proposal of that code in the chat, decided or not; without a code all that wait for a decision there."""
    rows = await tx.pg.fetch(
        """
        SELECT c.proposal_id, c.code, p.hash, c.ref FROM channel_proposal c
          JOIN proposal p ON p.user_id = c.user_id AND p.id = c.proposal_id
         WHERE c.user_id = $1 AND c.channel = $2 AND c.chat = $3
           AND CASE WHEN $4 = '' THEN p.status = 'pending' AND p.expires_at > clock_timestamp() ELSE c.code = $4 END
         ORDER BY c.shown_at
        """,
        tx.user,
        channel,
        chat,
        code,
    )
    return [ShownProposal(UUID(int=row["proposal_id"].int), row["code"], row["hash"], row["ref"]) for row in rows]


async def ref_of(tx: Transaction, channel: str, chat: str, proposal_id: UUID) -> tuple[str, str | None] | None:
    """The code of the proposal in the chat and the app's message that shows it; None when the chat does not."""
    row = await tx.pg.fetchrow(
        """
        SELECT code, ref FROM channel_proposal
         WHERE user_id = $1 AND channel = $2 AND chat = $3 AND proposal_id = $4
        """,
        tx.user,
        channel,
        chat,
        proposal_id,
    )
    return (row["code"], row["ref"]) if row else None
