"""Accepting a message: its turn, its run and who makes it, in one transaction under the session row's lock.

The locks come in one order everywhere: the user's ledger, the user's runs, the session.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Final, Literal
from uuid import UUID

from db.engine import Transaction
from db.sealing.places import MESSAGE_TEXT, SESSION_TITLE
from domain.errors import Conflict, NotFound
from domain.ids import new_id
from memory import beginnings
from memory.beginnings import Reading
from memory.messages import Message, sealed_body
from memory.runs import LOCK_RUNS, RUNS_PER_USER, Accepted, Claim, no_run
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


class NotEditable(Conflict):
    """The message is not one of the user's, or another has taken its place already."""

    code = "not_editable"


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms a process makes runs: its name in leases and their length, the model and prompt that a run notes,
    how many of one user are made at once, what is read for one that starts. With `queue_only` it makes none itself
    now."""

    owner: str
    lease_seconds: float
    model: str
    prompt_version: str
    queue_only: bool = False
    per_user: int = RUNS_PER_USER
    reading: Reading = field(default_factory=Reading)


@dataclass(frozen=True, slots=True)
class _Stance:
    """How things stand for a new run, under the locks: the session's last turn, and the runs that matter."""

    last_turn: int
    known: list[Any]

    @property
    def active(self) -> list[Any]:
        """The session's queued and running runs, in order."""
        return [row for row in self.known if row["here"] and row["status"] in ("queued", "running")]

    def has_room(self, terms: Terms) -> bool:
        """Whether a run may be made at once, by this process."""
        busy = sum(row["status"] == "running" for row in self.known)
        return not self.active and not terms.queue_only and busy < terms.per_user


async def accept(
    tx: Transaction,
    session_id: UUID,
    text: str,
    terms: Terms,
    *,
    client_id: str | None = None,
    if_running: IfRunning = "enqueue",
    edit_of: UUID | None = None,
    cause: str | None = None,
) -> Accepted:
    """The user's message and its run, in the caller's transaction.

    The run is claimed for this process at once unless the session has an active one, the user has enough runs under
    way, or the terms say otherwise. The same client_id again gives the run it made before. With `edit_of` the message
    takes the place of an earlier one of the user's: what came after that is superseded, and replies to it that are
    still being made are to be interrupted. Raises NotFound (session, message), ClientIdReused, RunActive, NotEditable.
    """
    stance = await _stance(tx, session_id, client_id)
    named = text if edit_of is None else f"{edit_of} {text}"
    for row in stance.known:
        if row["same"]:
            if not tx.ring.recognises(row["text_hash"], named):
                raise ClientIdReused("This client_id was already used for another text; use a new one.")
            return Accepted(row["id"], row["message_id"], row["turn"], replayed=True)
    active = stance.active
    if active and if_running == "reject":
        raise RunActive("A reply is still being made in this session.", run_id=str(active[0]["id"]))
    replaces = None if edit_of is None else await _turn_of(tx, session_id, edit_of)
    accepted = await _insert(
        tx, session_id, stance, terms, turn=stance.last_turn + 1, text=text, text_hash=tx.ring.digest(named),
        client_id=client_id, cause=cause, replaces=replaces, edit_of=edit_of,
    )  # fmt: skip
    unwanted = [r["id"] for r in active if if_running == "interrupt" or (replaces and r["turn"] >= replaces)]
    return replace(accepted, interrupts=tuple(unwanted), replaces=replaces)


async def again(tx: Transaction, run_id: UUID, terms: Terms) -> Accepted:
    """Says the message of a failed or cancelled run again; asked again, it is the run that was made of it. In place of
    the first when the user has said nothing since. Raises NotFound, NotOver."""
    await lock(tx)
    cause = f"retry of {run_id}"
    if made := await of_cause(tx, cause):
        return made
    row = await tx.pg.fetchrow(
        """
        SELECT r.session_id, r.status, m.id, m.text, m.role,
               NOT EXISTS (SELECT FROM message l WHERE l.user_id = r.user_id AND l.session_id = r.session_id
                              AND l.turn > r.turn AND l.role = 'user') AS last
          FROM run r JOIN message m
            ON m.user_id = r.user_id AND m.session_id = r.session_id AND m.turn = r.turn AND m.pos = 0
         WHERE r.user_id = $1 AND r.id = $2
        """,
        tx.user,
        run_id,
    )
    if row is None:
        raise no_run(run_id)
    if row["status"] not in ("failed", "cancelled"):
        raise NotOver(f"Run {run_id} is {row['status']}; only failed and cancelled runs can be tried again.")
    if row["role"] != "user":
        raise NotOver("This reply was to a decision, which stands; say what you want to know instead.")
    said = tx.ring.open(MESSAGE_TEXT, row["id"], row["text"])
    return await accept(tx, row["session_id"], said, terms, edit_of=row["id"] if row["last"] else None, cause=cause)


async def follow(tx: Transaction, session_id: UUID, turn: int, cause: str, terms: Terms) -> Accepted:
    """A run that answers what opened `turn`, a decision of this transaction; `lock` was taken before. Raises
    NotFound."""
    stance = await _stance(tx, session_id, None)
    return await _insert(tx, session_id, stance, terms, turn=turn, text_hash=tx.ring.digest(cause), cause=cause)


async def lock(tx: Transaction) -> None:
    """Lets one transaction at a time add or claim runs of this user."""
    await tx.pg.execute(LOCK_RUNS, str(tx.user))


async def of_cause(tx: Transaction, cause: str) -> Accepted | None:
    """The run that was made for this cause."""
    row = await tx.pg.fetchrow("SELECT id, message_id, turn FROM run WHERE user_id = $1 AND cause = $2", tx.user, cause)
    return Accepted(row["id"], row["message_id"], row["turn"], replayed=True) if row else None


async def _stance(tx: Transaction, session_id: UUID, client_id: str | None) -> _Stance:
    """Takes the locks, and looks under them (migration 0015). Raises NotFound."""
    rows = await tx.pg.fetch("SELECT * FROM runs_before($1, $2, $3)", tx.user, session_id, client_id)
    if not rows:
        raise no_session(session_id)
    return _Stance(rows[0]["last_turn"], [row for row in rows if row["id"]])


async def _turn_of(tx: Transaction, session_id: UUID, message_id: UUID) -> int:
    """The turn that a message of the user opened, if it may be edited. Raises NotFound, NotEditable."""
    row = await tx.pg.fetchrow(
        """
        SELECT turn, role, EXISTS (SELECT FROM message e WHERE e.user_id = m.user_id AND e.session_id = m.session_id
                                      AND e.replaces <= m.turn AND e.turn > m.turn) AS superseded
          FROM message m WHERE user_id = $1 AND session_id = $2 AND id = $3
        """,
        tx.user,
        session_id,
        message_id,
    )
    if row is None:
        raise NotFound(f"There is no message {message_id} in this session.")
    if row["role"] != "user":
        raise NotEditable("Only your own messages can be edited.")
    if row["superseded"]:
        raise NotEditable("This message has been replaced already; edit the one that took its place.")
    return int(row["turn"])


async def _insert(
    tx: Transaction,
    session_id: UUID,
    stance: _Stance,
    terms: Terms,
    *,
    turn: int,
    text_hash: str,
    text: str | None = None,
    client_id: str | None = None,
    cause: str | None = None,
    replaces: int | None = None,
    edit_of: UUID | None = None,
) -> Accepted:
    """The run of `turn`, and with `text` the message that opens it."""
    run_id, message_id, here = new_id(), new_id(), stance.has_room(terms)
    said = None if text is None else Message("user", text, {"edit_of": str(edit_of)} if edit_of else {}, turn=turn)
    reading = (_store_and_read(terms.reading.person), terms.reading.back) if here else (_STORE,)
    row = await tx.pg.fetchrow(
        reading[0],
        tx.user,
        session_id,
        turn,
        said.id if said else None,
        run_id,
        tx.ring.seal(MESSAGE_TEXT, said.id, said.text) if said else None,
        message_id,
        client_id,
        text_hash,
        "running" if here else "queued",
        terms.owner,
        terms.lease_seconds,
        tx.ring.seal(SESSION_TITLE, session_id, " ".join((text or "").split())[:60]),
        terms.model,
        terms.prompt_version,
        cause,
        replaces,
        sealed_body(tx.ring, said.id, said.body) if said else {},
        *reading[1:],
    )
    if not here:
        return Accepted(run_id, message_id, turn)
    claim, beginning = Claim(tx.user, run_id, session_id, turn, 1, message_id), beginnings.of(tx.ring, row)
    if said is not None:  # the statement does not see what it stores
        beginning.messages.append(replace(said, run_id=run_id))
    return Accepted(run_id, message_id, turn, claim=claim, beginning=beginning)


def _storing(summary: str) -> str:
    """The parts of a WITH that store a run, with what the query gives as its summary, and the message that opens it."""
    return f"""
s AS (
    UPDATE session SET last_turn = $3, updated_at = clock_timestamp(),
           title = CASE WHEN title = '' THEN $13 ELSE title END
     WHERE user_id = $1 AND id = $2 AND $6::text IS NOT NULL),
m AS (
    INSERT INTO message (user_id, session_id, turn, pos, id, run_id, role, text, replaces, body)
    SELECT $1, $2, $3, 0, $4, $5, 'user', $6, $17::int, $18::jsonb WHERE $6::text IS NOT NULL),
r AS (
    INSERT INTO run (user_id, id, session_id, turn, message_id, client_id, text_hash, model, prompt_version, cause,
                     status, attempt, owner, lease_until, summary_id)
    SELECT $1, $5, $2, $3, $7, $8, $9, $14, $15, $16, $10, CASE WHEN $10 = 'running' THEN 1 ELSE 0 END,
           CASE WHEN $10 = 'running' THEN $11::text END,
           CASE WHEN $10 = 'running' THEN clock_timestamp() + $12::float8 * interval '1 second' END, ({summary}))
"""  # noqa: S608 -- a query of ours


_STORE: Final = f"WITH {_storing('NULL')} SELECT"


@cache
def _store_and_read(person: str) -> str:
    """Stores as _STORE does, and reads what the run starts from, the message itself excepted."""
    return f"""
WITH {beginnings.EDITS} UNION ALL SELECT $3::int, $17::int WHERE $17::int IS NOT NULL), {beginnings.NEWEST},
{_storing("SELECT id FROM newest")}
{beginnings.told("SELECT id AS summary_id, '' AS prompt_version, NULL AS prompt_text FROM newest", "$19", person)}
"""  # noqa: S608 -- made of parts of ours
