"""A user with a row in every table there is, made from the catalogue: what a new table is, it is proved on as well."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg

from db.engine import Database
from domain.ids import new_id
from ledger import household
from memory import sessions

OWNED = """
SELECT c.relname::text AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
 WHERE c.relnamespace = 'penny'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
   AND a.attname = 'user_id' AND NOT a.attisdropped ORDER BY 1
"""
FOREIGN = """
SELECT c.confrelid::regclass::text AS parent,
       ARRAY(SELECT a.attname::text FROM unnest(c.conkey) WITH ORDINALITY AS k (n, at)
               JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.n ORDER BY k.at) AS here,
       ARRAY(SELECT a.attname::text FROM unnest(c.confkey) WITH ORDINALITY AS k (n, at)
               JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.n ORDER BY k.at) AS there
  FROM pg_constraint c WHERE c.contype = 'f' AND c.conrelid = to_regclass($1) AND c.confrelid <> c.conrelid
"""
COLUMNS = """
SELECT a.attname::text AS name, format_type(a.atttypid, NULL) AS type, a.attnotnull AS needed,
       (SELECT pg_get_constraintdef(k.oid) FROM pg_constraint k
         WHERE k.conrelid = a.attrelid AND k.contype = 'c' AND k.conkey = ARRAY[a.attnum] LIMIT 1) AS rule
  FROM pg_attribute a
 WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
   AND a.attidentity = '' AND (NOT a.atthasdef OR a.attnotnull AND NOT a.atthasdef)
 ORDER BY a.attnum
"""


async def live(database: Database, admin: asyncpg.Connection, user: UUID) -> None:
    """A household, a conversation, and a made-up row in every table that has none of the user's then."""
    async with database.transaction(user) as tx:
        await household.seed(tx, date(2026, 11, 22))
        session = await sessions.create(tx)
        run = new_id()
        await tx.pg.execute(
            """
            INSERT INTO run (user_id, id, session_id, turn, message_id, text_hash, status)
            VALUES ($1, $2, $3, 1, $4, '', 'finished')
            """,
            user, run, session.id, new_id(),
        )  # fmt: skip
    waiting = [row["name"] for row in await admin.fetch(OWNED)]
    while waiting:
        left = [table for table in waiting if not await make_up(admin, table, user)]
        assert len(left) < len(waiting), left
        waiting = left


async def make_up(admin: asyncpg.Connection, table: str, user: UUID) -> bool:
    """A row of the user's in the table, if it has none; its values are of the right types, and refer to rows that are
    there. False while there are none to refer to."""
    if await admin.fetchval(f'SELECT count(*) FROM "{table}" WHERE user_id = $1', user):  # noqa: S608
        return True
    values: dict[str, Any] = {"user_id": user}
    columns = await admin.fetch(COLUMNS, f"penny.{table}")
    optional = {column["name"] for column in columns if not column["needed"]}
    for key in await admin.fetch(FOREIGN, f"penny.{table}"):
        if optional.intersection(key["here"]):
            continue
        own = "id" if key["parent"] == "app_user" else "user_id"
        row = await admin.fetchrow(f'SELECT * FROM "{key["parent"]}" WHERE {own} = $1 LIMIT 1', user)  # noqa: S608
        if row is None:
            return False
        values |= {here: row[there] for here, there in zip(key["here"], key["there"], strict=True)}
    for column in columns:
        if column["needed"]:
            values.setdefault(column["name"], _value(column))
    names = ", ".join(f'"{name}"' for name in values)
    places = ", ".join(f"${n}" for n in range(1, len(values) + 1))
    await admin.execute(f'INSERT INTO "{table}" ({names}) VALUES ({places})', *values.values())  # noqa: S608
    return True


def _value(column: asyncpg.Record) -> Any:
    kind, rule = column["type"], column["rule"] or ""
    if kind == "uuid":
        return new_id()
    if kind in ("integer", "bigint", "smallint"):
        return 1
    if kind == "date":
        return date(2026, 11, 1)
    if kind.startswith("timestamp"):
        return datetime.now(UTC)
    if kind == "numeric":
        return Decimal(1)
    if kind == "boolean":
        return False
    if kind == "jsonb":
        return "{}"
    if kind == "bytea":
        return b"x"
    if "A-Z" in rule or column["name"] in ("base", "quote"):
        return "EUR" if column["name"] == "quote" else "USD"
    return rule.split("'")[1] if "'" in rule else uuid.uuid4().hex[:8]
