"""Messages: the append-only truth of a session.

A turn is the user's message (pos 0) and all that answers it, in order: assistant messages, the results of the tools
they called, and the closing answer. A decision on a proposal opens a turn of its own, and so does a notice, which Penny
sent unasked. A message that the user edited is a new turn, which `replaces` the turns from the edited message's on:
what was said in those is superseded. It stays in the log, and decisions and notices among them stand. Bodies by role:

    user       {"edit_of"?: "..."}
    assistant  {"tool_calls": [{"id", "name", "args"}], "status"?: "cancelled" | "failed", "figures"?: [...],
                "model"?: which said it, "outcome"?: how it fell short (agent.asking),
                "thinking"?: [...] (agent.thinking), "unreadable"?: [ids of calls that were no JSON object]}
    tool       {"call_id", "name", "ok", "summary", "facts": [...], "chart": {...} | null, "proposal_id": "..." | null}
    decision   {"proposal_id", "status", "journal_id"?}
    notice     {"kind", "label", "facts": [...], "figures": [...]}; people see it as said by the assistant
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any, Literal
from uuid import UUID

import orjson

from db.engine import Transaction
from db.sealing.places import MESSAGE_BODY, MESSAGE_TEXT, shape
from db.sealing.ring import Ring
from domain.ids import new_id

TOOL_KEYS = ("call_id", "name", "label", "ok", "summary", "facts", "chart", "proposal_id")
"""What of a tool's result is shown."""

Role = Literal["user", "assistant", "tool", "decision", "notice"]


@dataclass(frozen=True, slots=True)
class Message:
    """One row of the log. `text` is what was said; for a tool, the result as the model reads it."""

    role: Role
    text: str
    body: dict[str, Any] = field(default_factory=dict)
    id: UUID = field(default_factory=new_id)
    turn: int = 0
    pos: int = 0
    run_id: UUID | None = None
    created_at: datetime | None = None
    superseded_by: UUID | None = None
    """The edited message that took the place of this one, or of one before it."""

    @property
    def tool_calls(self) -> list[dict[str, Any]]:
        """The calls an assistant message asks for, each `{"id", "name", "args"}`."""
        calls: list[dict[str, Any]] = self.body.get("tool_calls", [])
        return calls


def reply_text(messages: Iterable[Message]) -> str:
    """The reply of a turn as people see it: what the assistant said in its steps, a blank line between them."""
    return "\n\n".join(m.text for m in messages if m.role == "assistant" and m.text)


def answered(last: Message) -> bool:
    """Whether a turn that ends with this message is complete."""
    return last.role == "assistant" and not last.tool_calls


def columns(ring: Ring, messages: Sequence[Message]) -> tuple[list[int], list[UUID], list[str], list[str], list[str]]:
    """Positions, ids, roles, texts and bodies (JSON text), the arrays that one INSERT unnests; sealed."""
    return (
        [m.pos for m in messages],
        [m.id for m in messages],
        [m.role for m in messages],
        [ring.seal(MESSAGE_TEXT, m.id, m.text) for m in messages],
        [orjson.dumps(sealed_body(ring, m.id, m.body), default=str).decode() for m in messages],
    )


def sealed_body(ring: Ring, message_id: UUID, body: dict[str, Any]) -> Any:
    """The body as the row stores it."""
    return ring.seal_json(MESSAGE_BODY, message_id, body, shape(body))


def message_of(ring: Ring, row: Any) -> Message:
    """The message in a row of its columns and `superseded_by`."""
    return Message(
        row["role"],
        ring.open(MESSAGE_TEXT, row["id"], row["text"]),
        ring.open_json(MESSAGE_BODY, row["id"], row["body"]),
        row["id"],
        row["turn"],
        row["pos"],
        row["run_id"],
        row["created_at"],
        row["superseded_by"],
    )


async def turns(tx: Transaction, session_id: UUID, first: int, last: int) -> list[Message]:
    """The messages of the turns `first` to `last` (both included), in order."""
    rows = await tx.pg.fetch(
        """
        SELECT turn, pos, id, run_id, role, text, body, created_at, NULL AS superseded_by FROM message
         WHERE user_id = $1 AND session_id = $2 AND turn BETWEEN $3 AND $4 ORDER BY turn, pos
        """,
        tx.user,
        session_id,
        first,
        last,
    )
    return [message_of(tx.ring, row) for row in rows]


async def standing(tx: Transaction, session_id: UUID, turn: int, back: int, *, after: int = 0) -> list[Message]:
    """The messages of the turn and of at least `back` turns before it, down to the turn `after` (excluded), in order,
    without what edits up to this turn have superseded."""
    rows = await tx.pg.fetch(
        """
        WITH edit AS MATERIALIZED (
            SELECT turn, replaces FROM message
             WHERE user_id = $1 AND session_id = $2 AND replaces IS NOT NULL AND turn <= $3)
        SELECT turn, pos, id, run_id, role, text, body, created_at, NULL AS superseded_by FROM message m
         WHERE user_id = $1 AND session_id = $2
           AND turn > greatest($5, $3 - $4 - (SELECT coalesce(sum(turn - replaces), 0)::int FROM edit)) AND turn <= $3
           AND (role IN ('decision', 'notice')
                OR NOT EXISTS (SELECT FROM edit e WHERE e.replaces <= m.turn AND e.turn > m.turn))
         ORDER BY turn, pos
        """,
        tx.user,
        session_id,
        turn,
        back + 1,
        after,
    )
    return [message_of(tx.ring, row) for row in rows]


async def open_turn(
    tx: Transaction, session_id: UUID, role: Literal["decision", "notice"], text: str, body: dict[str, Any]
) -> tuple[UUID, int] | None:
    """Adds a turn of this one message, in the caller's transaction, under the session row's lock. Gives the message's
    id and its turn; None when the session is gone."""
    message_id = new_id()
    turn = await tx.pg.fetchval(
        """
        WITH s AS (
            UPDATE session SET last_turn = last_turn + 1, updated_at = clock_timestamp()
             WHERE user_id = $1 AND id = $2 RETURNING last_turn)
        INSERT INTO message (user_id, session_id, turn, pos, id, role, text, body)
        SELECT $1, $2, s.last_turn, 0, $3, $4, $5, $6 FROM s RETURNING turn
        """,
        tx.user,
        session_id,
        message_id,
        role,
        tx.ring.seal(MESSAGE_TEXT, message_id, text),
        sealed_body(tx.ring, message_id, body),
    )
    return None if turn is None else (message_id, int(turn))


async def page(
    tx: Transaction, session_id: UUID, limit: int, before: int | None = None, *, superseded: bool = False
) -> tuple[list[dict[str, Any]], int | None]:
    """The conversation as people see it, oldest first: the last `limit` turns before turn `before`, as items of
    `GET /v1/sessions/{id}/messages`; and the turn that the next (older) page ends before. What an edited message has
    taken the place of is left out unless `superseded`.

    `seq` rises through the session; a turn has two numbers, the message's and its reply's.
    """
    rows = await tx.pg.fetch(
        """
        WITH edit AS MATERIALIZED (
            SELECT turn, replaces, id FROM message WHERE user_id = $1 AND session_id = $2 AND replaces IS NOT NULL),
        said AS NOT MATERIALIZED (
            SELECT m.*, (SELECT e.id FROM edit e WHERE m.role NOT IN ('decision', 'notice') AND e.replaces <= m.turn
                            AND e.turn > m.turn ORDER BY e.turn LIMIT 1) AS superseded_by
              FROM message m WHERE m.user_id = $1 AND m.session_id = $2 AND ($3::int IS NULL OR m.turn < $3))
        SELECT turn, pos, id, run_id, role, text, body, created_at, superseded_by FROM said
         WHERE ($5 OR superseded_by IS NULL) AND turn IN (
               SELECT turn FROM said WHERE pos = 0 AND ($5 OR superseded_by IS NULL) ORDER BY turn DESC LIMIT $4)
         ORDER BY turn, pos
        """,
        tx.user,
        session_id,
        before,
        limit + 1,
        superseded,
    )
    found = [message_of(tx.ring, row) for row in rows]
    grouped = [(turn, list(group)) for turn, group in groupby(found, key=lambda m: m.turn)]
    shown = grouped[-limit:]
    items = [item for _, group in shown for item in _items(group)]
    return items, shown[0][0] if len(grouped) > limit else None


def _items(turn: list[Message]) -> Iterable[dict[str, Any]]:
    first, answers = turn[0], turn[1:]
    if first.role == "notice":
        yield _notice(first)
        return
    yield _item(first, first.turn * 2 - 1, first.text)
    if answers:
        results = [m for m in answers if m.role == "tool"]
        last = answers[-1]
        yield _item(last, last.turn * 2, reply_text(answers)) | {
            "role": "assistant",
            "status": last.body.get("status", "finished" if answered(last) else "open"),
            "tools": [{key: m.body.get(key) for key in TOOL_KEYS} for m in results],
            "proposals": [m.body["proposal_id"] for m in results if m.body.get("proposal_id")],
            "figures": last.body.get("figures", []),
            **({"outcome": last.body["outcome"]} if "outcome" in last.body else {}),
        }


def _notice(m: Message) -> dict[str, Any]:
    """A notice as a reply that nobody asked for; what it stands on is shown as what a tool found."""
    looked = {"call_id": "notice", "name": "notice", "ok": True, "summary": "", "chart": None, "proposal_id": None}
    return _item(m, m.turn * 2, m.text) | {
        "role": "assistant",
        "status": "finished",
        "notice": m.body["kind"],
        "tools": [looked | {"label": m.body["label"], "facts": m.body["facts"]}],
        "figures": m.body["figures"],
    }


def _item(m: Message, seq: int, text: str) -> dict[str, Any]:
    item: dict[str, Any] = {
        "id": str(m.id),
        "seq": seq,
        "role": m.role,
        "text": text,
        "created_at": m.created_at.isoformat() if m.created_at else None,
        "run_id": str(m.run_id) if m.run_id else None,
        "tools": [],
        "proposals": [],
        "figures": [],
        "superseded_by": str(m.superseded_by) if m.superseded_by else None,
        "edit_of": m.body.get("edit_of"),
    }
    if m.role == "decision":
        item["proposals"] = [m.body["proposal_id"]]
        item["status"] = m.body["status"]
    return item
