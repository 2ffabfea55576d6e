"""What a run starts from, in one round trip: the summary of older turns, the user's facts, the messages since, and who
the person is. Read along with the run's being stored, or by itself when a run is taken up later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from db.engine import Transaction
from db.sealing.places import FACT_TEXT, MESSAGE_BODY, MESSAGE_TEXT
from db.sealing.ring import Ring
from memory import summaries
from memory.messages import Message
from memory.runs import Claim
from memory.summaries import Summary


@dataclass(frozen=True, slots=True)
class Reading:
    """How far back, in turns, and what else: `person` is a query of one row about the user $1, whose columns come
    along."""

    back: int = 60
    person: str = "SELECT 1 AS nobody"


@dataclass(frozen=True, slots=True)
class Beginning:
    """What a run's model is told: the summary, the facts that hold, the messages after it up to the run's turn
    (included), without what edits have superseded. A later owner of the run is told its prompt, if that is another than
    its own and its text is kept. `person` has the columns of the reading's query."""

    summary: Summary | None
    facts: tuple[str, ...]
    messages: list[Message]
    person: Mapping[str, Any]
    prompt_version: str = ""
    prompt_text: str | None = None


EDITS = """
edit AS MATERIALIZED (
    SELECT turn, replaces FROM message
     WHERE user_id = $1 AND session_id = $2 AND replaces IS NOT NULL AND turn <= $3
"""
"""Begins a WITH of the edits up to the turn; who is just adding one adds it, and the closing parenthesis."""

NEWEST = """
newest AS (
    SELECT id FROM summary s WHERE user_id = $1 AND session_id = $2 AND through_turn < $3
       AND NOT EXISTS (  -- it tells of turns that an edit has superseded
           SELECT FROM edit e WHERE e.replaces <= s.through_turn AND e.turn > s.through_turn)
     ORDER BY through_turn DESC LIMIT 1)
"""
"""The newest summary of turns before $3, which a run's first owner takes."""


def told(chosen: str, back: str, person: str) -> str:
    """What is read after `edit`, given a query of the summary and the run's prompt, and the parameter that says how
    far back."""
    return f"""
SELECT s.id AS summary_id, s.through_turn AS summary_through, s.text AS summary_text,
       ARRAY(SELECT f.id || ' ' || f.text FROM user_fact f WHERE f.user_id = $1 AND f.superseded_by IS NULL
              ORDER BY f.created_at, f.id) AS facts,
       (SELECT json_agg(json_build_array(m.role, m.text, m.body, m.id, m.turn, m.pos, m.run_id) ORDER BY m.turn, m.pos)
          FROM message m WHERE m.user_id = $1 AND m.session_id = $2 AND m.turn <= $3
           AND m.turn > greatest(coalesce(s.through_turn, 0),
                                 $3 - {back}::int - 1 - (SELECT coalesce(sum(turn - replaces), 0)::int FROM edit))
           AND (m.role IN ('decision', 'notice')
                OR NOT EXISTS (SELECT FROM edit e WHERE e.replaces <= m.turn AND e.turn > m.turn))) AS messages,
       chosen.prompt_version AS run_prompt, chosen.prompt_text AS run_prompt_text, person.*
  FROM (SELECT 1) AS one LEFT JOIN ({chosen}) AS chosen ON true
  LEFT JOIN summary s ON s.user_id = $1 AND s.id = chosen.summary_id CROSS JOIN ({person}) AS person
"""  # noqa: S608 -- queries and parameters of ours


def of(ring: Ring, row: Mapping[str, Any]) -> Beginning:
    """From a row of `told`."""
    found = row["summary_id"]
    summary = summaries.of(ring, found, row["summary_through"], row["summary_text"]) if found else None
    stored = [
        Message(
            role,
            ring.open(MESSAGE_TEXT, id_, text),
            ring.open_json(MESSAGE_BODY, id_, body),
            UUID(id_),
            turn,
            pos,
            UUID(run) if run else None,
        )
        for role, text, body, id_, turn, pos, run in row["messages"] or ()
    ]
    facts = tuple(ring.open(FACT_TEXT, *fact.split(" ", 1)) for fact in row["facts"])
    return Beginning(summary, facts, stored, row, row["run_prompt"] or "", row["run_prompt_text"])


@cache
def _read(person: str) -> str:
    return f"""
WITH {EDITS}), {NEWEST},
mine AS (
    SELECT CASE WHEN $5 = 1 THEN (SELECT id FROM newest) ELSE summary_id END AS summary_id,
           CASE WHEN other.text IS NULL THEN $7 ELSE prompt_version END AS prompt_version, other.text AS prompt_text
      FROM run LEFT JOIN LATERAL (
           SELECT prompt_text(prompt_version) AS text WHERE $5 > 1 AND prompt_version <> $7) AS other ON true
     WHERE user_id = $1 AND id = $4),
kept AS (
    UPDATE run SET summary_id = mine.summary_id, model = $6, prompt_version = mine.prompt_version FROM mine
     WHERE run.user_id = $1 AND run.id = $4 AND run.attempt = $5
       AND (run.summary_id IS DISTINCT FROM mine.summary_id OR run.model <> $6
            OR run.prompt_version <> mine.prompt_version))
{told("SELECT summary_id, prompt_version, prompt_text FROM mine", "$8", person)}
"""  # noqa: S608 -- made of the parts above


async def read(tx: Transaction, claim: Claim, reading: Reading, *, model: str, prompt_version: str) -> Beginning:
    """What the run is to be told. A run's first owner chooses the newest summary of the turns before its own and has
    that, the model and the prompt written down; a later owner is given the same summary and prompt."""
    row = await tx.pg.fetchrow(
        _read(reading.person),
        tx.user,
        claim.session_id,
        claim.turn,
        claim.run_id,
        claim.attempt,
        model,
        prompt_version,
        reading.back,
    )
    return of(tx.ring, row)
