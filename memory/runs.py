"""Runs: who makes which reply, and how it ended.

A run belongs to one turn of a session. It is queued (memory/queue.py), or claimed by a process (its `owner`) for a
lease that heartbeats renew; all times are the database's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from db.engine import Transaction
from domain.errors import NotFound

if TYPE_CHECKING:
    from memory.beginnings import Beginning

RUNS_PER_USER = 5
"""How many replies are made for a user at once, in all sessions and on all servers; later ones wait."""

LOCK_RUNS = "SELECT pg_advisory_xact_lock(hashtextextended('runs of ' || $1::text, 0))"
"""Lets one transaction at a time, of any server, add or start runs of the user whose id is $1."""

End = Literal["finished", "failed", "cancelled"]


class LeaseLost(Exception):
    """This process no longer owns the run; whoever owns it now goes on. Never shown to a user."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A run that this process owns, from its acceptance or a takeover."""

    user: UUID
    run_id: UUID
    session_id: UUID
    turn: int
    attempt: int
    message_id: UUID
    """The id that the reply's message will have."""
    handed_over: bool = False
    """Whether its owner before let go of it on purpose, as a server does that drains."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of a message: its run; the claim if it runs here at once, and what it starts from; the active runs
    it wants interrupted; of an edited message the first turn that it takes the place of."""

    run_id: UUID
    message_id: UUID
    turn: int
    replayed: bool = False
    claim: Claim | None = None
    beginning: Beginning | None = None
    interrupts: tuple[UUID, ...] = ()
    replaces: int | None = None


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a run used, in tokens as the provider counts them."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    cache_hour: int = 0
    """Of `cache_write`, what is kept for an hour: it has a price of its own, and is stored with the rest."""

    @property
    def weight(self) -> int:
        """Tokens as caps count them: those read from a provider's cache are a tenth."""
        return self.input + self.output + self.cache_write + self.cache_read // 10

    def __add__(self, other: Tokens) -> Tokens:
        return Tokens(
            self.input + other.input,
            self.output + other.output,
            self.cache_read + other.cache_read,
            self.cache_write + other.cache_write,
            self.cache_hour + other.cache_hour,
        )


def no_run(run_id: UUID) -> NotFound:
    """The error for an id that names no run of this user."""
    return NotFound(f"There is no run {run_id}.")


async def get(tx: Transaction, run_id: UUID) -> dict[str, Any]:
    """The run as GET /v1/runs/{id} shows it. Raises NotFound."""
    row = await tx.pg.fetchrow("SELECT * FROM run WHERE user_id = $1 AND id = $2", tx.user, run_id)
    if row is None:
        raise no_run(run_id)
    return {
        "id": str(row["id"]),
        "session_id": str(row["session_id"]),
        "message_id": str(row["message_id"]),
        "status": row["status"],
        "attempt": row["attempt"],
        "model": row["model"],
        "prompt_version": row["prompt_version"],
        "usage": {
            "input_tokens": row["input_tokens"],
            "output_tokens": row["output_tokens"],
            "cache_read_tokens": row["cache_read_tokens"],
            "cache_write_tokens": row["cache_write_tokens"],
        },
        "cost": None if row["cost_usd"] is None else f"{row['cost_usd']:f}",
        "created_at": row["created_at"].isoformat(),
        "finished_at": row["finished_at"].isoformat() if row["finished_at"] else None,
        "error": row["error"],
    }


async def active(tx: Transaction, session_id: UUID) -> UUID | None:
    """The session's last run that is queued or running."""
    found = await tx.pg.fetchval(
        """
        SELECT id FROM run WHERE user_id = $1 AND session_id = $2 AND status IN ('queued', 'running')
         ORDER BY turn DESC LIMIT 1
        """,
        tx.user,
        session_id,
    )
    return UUID(int=found.int) if found else None
