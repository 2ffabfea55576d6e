"""Runs: the queue of replies to be made, who makes which, and how each ended.

A run belongs to one turn of a session. It is queued, or claimed by a process (its `owner`) for a lease that heartbeats
renew; all times are the database's. Every write of an owner is fenced by (run, attempt, owner): one whose lease was
taken over can write nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

import asyncpg
import orjson

from db.engine import Transaction
from domain.errors import Conflict, NotFound
from domain.ids import new_id
from memory.messages import Message, columns
from memory.sessions import no_session

IfRunning = Literal["enqueue", "reject", "interrupt"]
RUNS_PER_USER = 5
"""How many replies are made for a user at once, in all sessions and on all servers; later ones wait."""

End = Literal["finished", "failed", "cancelled"]


class LeaseLost(Exception):
    """This process no longer owns the run; whoever owns it now goes on. Never shown to a user."""


class RunActive(Conflict):
    """A reply is being made in this session, and the request asked not to wait for it."""

    code = "run_active"


class ClientIdReused(Conflict):
    """The client_id was used before, for another text."""

    code = "client_id_reused"


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


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of a message: its run; the claim if it runs here at once; the active runs it wants interrupted."""

    run_id: UUID
    message_id: UUID
    turn: int
    replayed: bool = False
    claim: Claim | None = None
    interrupts: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a run used, in tokens as the provider counts them."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


async def accept(
    tx: Transaction,
    session_id: UUID,
    text: str,
    *,
    client_id: str | None,
    if_running: IfRunning,
    owner: str,
    lease_seconds: float,
    model: str,
    prompt_version: str,
    queue_only: bool = False,
    per_user: int = RUNS_PER_USER,
) -> Accepted:
    """The user's message and its run, in the caller's transaction, under the session row's lock.

    The run is claimed for `owner` at once unless the session has an active one, `per_user` runs of the user are being
    made, or `queue_only`. The same client_id again gives the run it made before. Raises NotFound (session),
    ClientIdReused, RunActive.
    """
    session = await tx.pg.fetchrow(
        """
        SELECT last_turn, pg_advisory_xact_lock(hashtextextended('runs of ' || user_id, 0)) FROM session
         WHERE user_id = $1 AND id = $2 FOR UPDATE
        """,
        tx.user,
        session_id,
    )
    if session is None:
        raise no_session(session_id)
    known = await tx.pg.fetch(
        """
        SELECT id, message_id, turn, text_hash, status, session_id = $2 AS here,
               session_id = $2 AND client_id = $3 AS same FROM run
         WHERE user_id = $1 AND (session_id = $2 AND client_id = $3 OR status IN ('queued', 'running'))
        """,
        tx.user,
        session_id,
        client_id,
    )
    text_hash = _hash(text)
    for row in known:
        if row["same"]:
            if row["text_hash"] != text_hash:
                raise ClientIdReused("This client_id was already used for another text; use a new one.")
            return Accepted(row["id"], row["message_id"], row["turn"], replayed=True)
    active = [row for row in known if row["here"]]
    if active and if_running == "reject":
        raise RunActive("A reply is still being made in this session.", run_id=str(active[0]["id"]))
    turn, run_id, message_id = session["last_turn"] + 1, new_id(), new_id()
    busy = sum(row["status"] == "running" for row in known)
    here = not active and not queue_only and busy < per_user
    await tx.pg.execute(
        """
        WITH s AS (
            UPDATE session SET last_turn = $3, updated_at = clock_timestamp(),
                   title = CASE WHEN title = '' THEN $13 ELSE title END WHERE user_id = $1 AND id = $2),
        m AS (
            INSERT INTO message (user_id, session_id, turn, pos, id, run_id, role, text)
            VALUES ($1, $2, $3, 0, $4, $5, 'user', $6))
        INSERT INTO run (user_id, id, session_id, turn, message_id, client_id, text_hash, model, prompt_version,
                         status, attempt, owner, lease_until)
        VALUES ($1, $5, $2, $3, $7, $8, $9, $14, $15, $10, CASE WHEN $10 = 'running' THEN 1 ELSE 0 END,
                CASE WHEN $10 = 'running' THEN $11::text END,
                CASE WHEN $10 = 'running' THEN clock_timestamp() + $12::float8 * interval '1 second' END)
        """,
        tx.user,
        session_id,
        turn,
        new_id(),
        run_id,
        text,
        message_id,
        client_id,
        text_hash,
        "running" if here else "queued",
        owner,
        lease_seconds,
        " ".join(text.split())[:60],
        model,
        prompt_version,
    )
    claim = Claim(tx.user, run_id, session_id, turn, 1, message_id) if here else None
    interrupts = tuple(row["id"] for row in active) if if_running == "interrupt" else ()
    return Accepted(run_id, message_id, turn, claim=claim, interrupts=interrupts)


_CLAIM = """
UPDATE run SET status = 'running', attempt = attempt + 1, owner = $1,
       lease_until = clock_timestamp() + $2::float8 * interval '1 second'
 WHERE id = (
    SELECT r.id FROM run r
     CROSS JOIN LATERAL (SELECT count(*) AS busy FROM run o WHERE o.user_id = r.user_id AND o.status = 'running') AS u
     WHERE (r.status = 'running' AND r.lease_until < clock_timestamp())
        OR (r.status = 'queued' AND u.busy < $3 AND NOT EXISTS (
              SELECT 1 FROM run o WHERE o.session_id = r.session_id
                 AND (o.status = 'running' OR (o.status = 'queued' AND o.turn < r.turn))))
     ORDER BY r.status = 'queued', u.busy, r.created_at FOR UPDATE OF r SKIP LOCKED LIMIT 1)
RETURNING user_id, id, session_id, turn, attempt, message_id
"""


async def claim_next(
    worker: asyncpg.Connection, owner: str, lease_seconds: float, per_user: int = RUNS_PER_USER
) -> Claim | None:
    """Claims a run that is due: one abandoned by its owner, or else a queued one with nothing before it in its session
    and fewer than `per_user` of its user under way; of these the oldest of the users with the fewest under way."""
    while True:
        try:
            row = await worker.fetchrow(_CLAIM, owner, lease_seconds, per_user)
        except asyncpg.UniqueViolationError:
            continue  # another process started a run of that session between our look and our claim
        return Claim(*row) if row else None


async def heartbeat(
    worker: asyncpg.Connection, owner: str, lease_seconds: float, claims: Sequence[Claim]
) -> dict[UUID, bool]:
    """Renews the leases of `claims`; gives those still ours, each with whether its cancellation was asked for."""
    rows = await worker.fetch(
        """
        UPDATE run SET lease_until = clock_timestamp() + $2::float8 * interval '1 second'
          FROM unnest($3::uuid[], $4::int[]) AS mine (id, attempt)
         WHERE run.id = mine.id AND run.attempt = mine.attempt AND owner = $1 AND status = 'running'
        RETURNING run.id, cancel_requested
        """,
        owner,
        lease_seconds,
        [c.run_id for c in claims],
        [c.attempt for c in claims],
    )
    return {row["id"]: row["cancel_requested"] for row in rows}


async def release(worker: asyncpg.Connection, owner: str, claims: Sequence[Claim]) -> None:
    """Lets other processes take the runs over at once."""
    await worker.execute(
        """
        UPDATE run SET lease_until = clock_timestamp() - interval '1 second'
          FROM unnest($2::uuid[], $3::int[]) AS mine (id, attempt)
         WHERE run.id = mine.id AND run.attempt = mine.attempt AND owner = $1 AND status = 'running'
        """,
        owner,
        [c.run_id for c in claims],
        [c.attempt for c in claims],
    )


async def append(tx: Transaction, claim: Claim, owner: str, messages: Sequence[Message]) -> None:
    """Adds finished steps to the turn. Raises LeaseLost when the run is no longer this owner's."""
    done = await tx.pg.fetch(
        """
        WITH r AS (SELECT user_id, session_id, turn, id FROM run
                    WHERE id = $1 AND attempt = $2 AND owner = $3 AND status = 'running' FOR SHARE)
        INSERT INTO message (user_id, session_id, turn, run_id, pos, id, role, text, body)
        SELECT r.user_id, r.session_id, r.turn, r.id, u.pos, u.id, u.role, u.text, u.body::jsonb
          FROM r, unnest($4::int[], $5::uuid[], $6::text[], $7::text[], $8::text[]) AS u (pos, id, role, text, body)
        RETURNING 1
        """,
        claim.run_id,
        claim.attempt,
        owner,
        *columns(messages),
    )
    if not done:
        raise LeaseLost


async def complete(
    tx: Transaction,
    claim: Claim,
    owner: str,
    *,
    status: End,
    messages: Sequence[Message],
    events: tuple[int, int, str],
    tokens: Tokens,
    error: dict[str, Any] | None,
) -> None:
    """The end of a run in one statement: its status, the last messages, and the unflushed events (first seq, last seq,
    lines) with the terminal one. Raises LeaseLost when the run is no longer this owner's."""
    done = await tx.pg.fetchval(
        """
        WITH r AS (
            UPDATE run SET status = $4, lease_until = NULL, finished_at = clock_timestamp(), error = $5::text::jsonb,
                   input_tokens = input_tokens + $6, output_tokens = output_tokens + $7,
                   cache_read_tokens = cache_read_tokens + $8, cache_write_tokens = cache_write_tokens + $9
             WHERE id = $1 AND attempt = $2 AND owner = $3 AND status = 'running'
            RETURNING user_id, session_id, turn, id, attempt, created_at),
        m AS (
            INSERT INTO message (user_id, session_id, turn, run_id, pos, id, role, text, body)
            SELECT r.user_id, r.session_id, r.turn, r.id, u.pos, u.id, u.role, u.text, u.body::jsonb
              FROM r, unnest($13::int[], $14::uuid[], $15::text[], $16::text[], $17::text[])
                      AS u (pos, id, role, text, body)),
        e AS (
            INSERT INTO run_event (user_id, run_id, day, seq, last_seq, attempt, terminal, events)
            SELECT user_id, id, (created_at AT TIME ZONE 'UTC')::date, $10, $11, attempt, true, $12 FROM r),
        s AS (
            UPDATE session SET updated_at = clock_timestamp() FROM r
             WHERE session.user_id = r.user_id AND session.id = r.session_id)
        SELECT 1 FROM r
        """,
        claim.run_id,
        claim.attempt,
        owner,
        status,
        orjson.dumps(error).decode() if error else None,
        tokens.input,
        tokens.output,
        tokens.cache_read,
        tokens.cache_write,
        *events,
        *columns(messages),
    )
    if done is None:
        raise LeaseLost


async def queued(worker: asyncpg.Connection) -> int:
    """How many runs wait, on all servers."""
    return int(await worker.fetchval("SELECT count(*) FROM run WHERE status = 'queued'"))


async def request_cancel(tx: Transaction, run_id: UUID) -> bool:
    """Asks the run's owner, wherever it is, to stop; a queued run ends here. True when the run was already over or
    still queued, so that nobody needs to be told. Raises NotFound."""
    row = await tx.pg.fetchrow(
        """
        UPDATE run SET cancel_requested = true WHERE user_id = $1 AND id = $2 RETURNING status
        """,
        tx.user,
        run_id,
    )
    if row is None:
        raise no_run(run_id)
    return bool(row["status"] not in ("queued", "running"))


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
        "cost": None,
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


async def user_of(worker: asyncpg.Connection, run_id: UUID) -> UUID:
    """Whose run it is, for operators. Raises NotFound."""
    found = await worker.fetchval("SELECT user_id FROM run WHERE id = $1", run_id)
    if found is None:
        raise no_run(run_id)
    return UUID(int=found.int)


async def overview(worker: asyncpg.Connection, status: str | None, limit: int) -> list[dict[str, Any]]:
    """The newest runs of all users as the queue knows them, without their words; `abandoned`: the lease is over."""
    rows = await worker.fetch(
        """
        SELECT id, user_id, session_id, status, attempt, owner, created_at,
               coalesce(status = 'running' AND lease_until < clock_timestamp(), false) AS abandoned
          FROM run WHERE $1::text IS NULL OR status = $1 ORDER BY created_at DESC LIMIT $2
        """,
        status,
        limit,
    )
    return [dict(row) for row in rows]


class NotOver(Conflict):
    """The run is waiting, being made, or finished well: there is nothing to try again."""

    code = "not_over"


async def again(tx: Transaction, run_id: UUID) -> Accepted:
    """Queues the message of a failed or cancelled run as a new one of its session. Raises NotFound, NotOver."""
    row = await tx.pg.fetchrow(
        """
        SELECT r.session_id, r.status, r.model, r.prompt_version, m.text FROM run r
          JOIN message m ON m.user_id = r.user_id AND m.session_id = r.session_id AND m.turn = r.turn AND m.pos = 0
         WHERE r.user_id = $1 AND r.id = $2
        """,
        tx.user,
        run_id,
    )
    if row is None:
        raise no_run(run_id)
    if row["status"] not in ("failed", "cancelled"):
        raise NotOver(f"Run {run_id} is {row['status']}; only failed and cancelled runs can be tried again.")
    return await accept(
        tx,
        row["session_id"],
        row["text"],
        client_id=None,
        if_running="enqueue",
        owner="",
        lease_seconds=0,
        model=row["model"],
        prompt_version=row["prompt_version"],
        queue_only=True,
    )
