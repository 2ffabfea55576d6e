"""The feed of a session: one numbered list of what happened in it, on whatever channel and server.

The database's triggers write it in the transactions in which things happen (migration 0006), so it says nothing that
did not happen and leaves nothing out. An event names its subject; what it says of it is read with it.
"""

from __future__ import annotations

from datetime import date
from uuid import UUID

import asyncpg
import orjson

from db.engine import Transaction
from db.sealing.places import MESSAGE_TEXT, PROPOSAL_TEXT
from db.sealing.ring import Ring
from memory import sessions
from memory.frames import Frame

PAGE = 200


async def read(tx: Transaction, session_id: UUID, after: int, limit: int = PAGE) -> list[Frame]:
    """The events after `after`, at most `limit`. Raises NotFound."""
    await sessions.get(tx, session_id)
    rows = await tx.pg.fetch(
        """
        SELECT e.seq, e.type, e.subject_id, e.status, e.at, coalesce(m.run_id, p.run_id) AS run_id,
               r.message_id, coalesce(m.text, p.text) AS text, m.body ->> 'edit_of' AS edit_of,
               CASE WHEN e.status = 'notice' THEN m.body ->> 'kind' END AS notice
          FROM session_event e
          LEFT JOIN message m ON e.type = 'message.added' AND m.user_id = e.user_id AND m.id = e.subject_id
          LEFT JOIN run r ON e.type LIKE 'run.%' AND r.id = e.subject_id
          LEFT JOIN proposal p ON e.type LIKE 'proposal.%' AND p.user_id = e.user_id AND p.id = e.subject_id
         WHERE e.user_id = $1 AND e.session_id = $2 AND e.seq > $3 ORDER BY e.seq LIMIT $4
        """,
        tx.user,
        session_id,
        after,
        limit,
    )
    return [Frame(row["seq"], row["type"], orjson.dumps(_data(tx.ring, row)).decode()) for row in rows]


def _data(ring: Ring, row: asyncpg.Record) -> dict[str, object]:
    subject, of_run = str(row["subject_id"]), str(row["run_id"]) if row["run_id"] else None
    at = row["at"].isoformat()
    match row["type"]:
        case "message.added":
            text = ring.open(MESSAGE_TEXT, subject, row["text"]) if row["text"] is not None else None
            edit = {"edit_of": row["edit_of"]} if row["edit_of"] else {}
            notice = {"role": "assistant", "notice": row["notice"]} if row["status"] == "notice" else {}
            said = {"message_id": subject, "role": row["status"], "text": text, "run_id": of_run, "at": at}
            return said | edit | notice
        case "proposal.made" | "proposal.decided":
            text = ring.open(PROPOSAL_TEXT, subject, row["text"]) if row["text"] is not None else None
            return {"proposal_id": subject, "status": row["status"], "text": text, "run_id": of_run, "at": at}
        case _:
            return {"run_id": subject, "status": row["status"], "message_id": str(row["message_id"]), "at": at}


async def positions(worker: asyncpg.Connection, session_ids: list[UUID], _since: date) -> dict[UUID, int]:
    """The number of each feed's last event; of a session that is gone more than any, so that its readers look."""
    rows = await worker.fetch("SELECT session_id, last_seq FROM feed_positions($1)", session_ids)
    return {row["session_id"]: row["last_seq"] for row in rows}
