"""How a reply came about, from what is stored: the steps of its turn, when each was done, what the run took."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from db.engine import Transaction
from db.sealing.places import MESSAGE_TEXT
from memory import messages, runs
from memory.messages import Message


async def trace(tx: Transaction, run_id: UUID) -> dict[str, Any]:
    """The run as `GET /v1/runs/{id}` shows it, the user's words, and the steps, each a span in seconds since the run
    was asked for:

        model    {"text", "thinking": bool, "calls": [{"id", "name", "args"}], "outcome"?}
        tools    {"results": [{"call_id", "name", "ok", "summary", "facts", "proposal_id"}]}

    `first_event` is when the first event was logged, `figures` are the reply's. Times are those of the rows: a step
    lasts from the end of the one before it. Raises NotFound.
    """
    run = await runs.get(tx, run_id)
    row = await tx.pg.fetchrow(
        """
        SELECT r.session_id, r.turn, r.created_at, r.finished_at,
               (SELECT min(e.created_at) FROM run_event e WHERE e.run_id = r.id
                   AND e.day = (r.created_at AT TIME ZONE 'UTC')::date) AS first_event
          FROM run r WHERE r.user_id = $1 AND r.id = $2
        """,
        tx.user,
        run_id,
    )
    opened, *steps = await messages.turns(tx, row["session_id"], row["turn"], row["turn"])
    began: datetime = row["created_at"]

    def since(at: datetime | None) -> float | None:
        return None if at is None else round(max(0.0, (at - began).total_seconds()), 3)

    spans: list[dict[str, Any]] = []
    for message in steps:
        before = spans[-1]["end"] if spans else 0.0
        if message.role == "tool" and spans and spans[-1]["kind"] == "tools":
            spans[-1]["results"].append(_result(message))
            spans[-1]["end"] = since(message.created_at)
        else:
            spans.append({"start": before, "end": since(message.created_at), **_step(message)})
    return {
        "run": run,
        "turn": row["turn"],
        "user": {"role": opened.role, "text": opened.text, "message_id": str(opened.id)},
        "first_event": since(row["first_event"]),
        "seconds": since(row["finished_at"]),
        "steps": spans,
        "figures": steps[-1].body.get("figures", []) if steps else [],
    }


async def of_session(tx: Transaction, session_id: UUID, limit: int = 50) -> list[dict[str, Any]]:
    """The session's newest runs, oldest first: id, turn, the words that opened it, how it stands. None for a session
    that there is not."""
    rows = await tx.pg.fetch(
        """
        SELECT r.id, r.turn, r.status, r.prompt_version, r.model, r.created_at, m.id AS said, m.text,
               EXISTS (SELECT FROM message e WHERE e.user_id = r.user_id AND e.session_id = r.session_id
                          AND e.replaces <= r.turn AND e.turn > r.turn) AS superseded
          FROM run r LEFT JOIN message m
            ON m.user_id = r.user_id AND m.session_id = r.session_id AND m.turn = r.turn AND m.pos = 0
         WHERE r.user_id = $1 AND r.session_id = $2 ORDER BY r.turn DESC LIMIT $3
        """,
        tx.user,
        session_id,
        limit,
    )
    shown = ("turn", "status", "prompt_version", "model", "superseded")
    return [
        {
            **{name: row[name] for name in shown},
            "id": str(row["id"]),
            "created_at": row["created_at"].isoformat(),
            "text": tx.ring.open(MESSAGE_TEXT, row["said"], row["text"] or ""),
        }
        for row in reversed(rows)
    ]


def _step(message: Message) -> dict[str, Any]:
    if message.role == "tool":
        return {"kind": "tools", "results": [_result(message)]}
    told: dict[str, Any] = {
        "kind": "model",
        "text": message.text,
        "thinking": bool(message.body.get("thinking")),
        "calls": message.tool_calls,
    }
    return told | {name: message.body[name] for name in ("outcome", "model", "status") if message.body.get(name)}


def _result(message: Message) -> dict[str, Any]:
    return {name: message.body.get(name) for name in ("call_id", "name", "ok", "summary", "facts", "proposal_id")}
