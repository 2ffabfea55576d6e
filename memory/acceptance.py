"""Accepting a message: its turn, its run and who makes it, in one transaction under the session row's lock."""

from __future__ import annotations

import hashlib
from typing import Literal
from uuid import UUID

from db.engine import Transaction
from domain.errors import Conflict
from domain.ids import new_id
from memory.runs import RUNS_PER_USER, Accepted, Claim, no_run
from memory.sessions import no_session

IfRunning = Literal["enqueue", "reject", "interrupt"]


class RunActive(Conflict):
    """A reply is being made in this session, and the request asked not to wait for it."""

    code = "run_active"


class ClientIdReused(Conflict):
    """The client_id was used before, for another text."""

    code = "client_id_reused"


class NotOver(Conflict):
    """The run is waiting, being made, or finished well: there is nothing to try again."""

    code = "not_over"


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
