"""Sealing again what is stored: texts from before encryption was on, or of an older key; or storing them plain again.

A page of one place at a time, each in a transaction of its own, and only rows that are still as they were read: it may
be stopped at any time, run beside the service, and begun anew; what is done already is passed over.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any, Final

import orjson

from db.engine import Database, Transaction
from db.sealing.places import IN_ROWS, MESSAGE_BODY, OUTBOX_BODY, Place, shape
from db.sealing.ring import SEALED, Ring

PAGE: Final = 500

_KEYS: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "run_event": (("run_id", "uuid"), ("seq", "int")),
    "import_row": (("txn_id", "uuid"),),
}
"""What names a row of the user's, with its types, where that is not `id`."""

_CANDIDATES: Final = {
    "text": "t.{column} <> ''",
    "json": "t.{column} NOT IN ('{{}}', '[]')",
    "rows": "EXISTS (SELECT FROM jsonb_array_elements(t.{column}) c WHERE c ->> 'table' IN ('txn', 'user_fact'))",
    "kept": "t.{column} IS NOT NULL",
}

_DONE: Final = {
    "text": "starts_with(t.{column}, {mark})",
    "json": f"starts_with(coalesce(t.{{column}} ->> '{SEALED}', ''), {{mark}})",
}

_SEALED_BY: Final = "'~penny1:' || $3 || ':'"


async def again(
    db: Database, user: Any, place: Place, *, plain: bool = False, follow: Mapping[str, str] | None = None
) -> AsyncIterator[int]:
    """Brings the user's rows of the place to the key that seals now, or to plain text; gives how many of each page were
    changed. `follow` says what is to go along: by a table's name a part of the WITH, which may use `stood` and
    `changed`, the rows with the digests `before` and `after` that `digest` makes of them; by `set` and a table's name
    more columns that are set, from `u.old` and `u.new`. Raises EncryptionUnavailable, SealBroken."""
    after: tuple[Any, ...] | None = None
    while True:
        async with db.transaction(user) as tx:
            ring = replace(tx.ring, current=None, trouble=None) if plain else tx.ring
            rows = await _page(tx, ring, place, after)
            if not rows:
                return
            yield await _store(tx, ring, place, rows, follow or {})
        after = tuple(rows[-1][name] for name, _ in _names(place))


def _names(place: Place) -> tuple[tuple[str, str], ...]:
    return _KEYS.get(place.table, (("id", "uuid"),))


async def _page(tx: Transaction, ring: Ring, place: Place, after: tuple[Any, ...] | None) -> list[Any]:
    names = _names(place)
    params: list[Any] = [tx.user, PAGE, "" if ring.current is None else str(ring.current)]
    parts = ["t.user_id = $1", "$3::text IS NOT NULL", _CANDIDATES[place.form].format(column=place.column)]
    if place.form in _DONE:
        mark = "'~penny1:'" if ring.current is None else _SEALED_BY
        done = _DONE[place.form].format(column=place.column, mark=mark)
        parts.append(done if ring.current is None else f"NOT {done}")
    if after is not None:
        params += after
        first = ", ".join(f"${n}::{kind}" for n, (_, kind) in enumerate(names, 4))
        parts.append(f"({', '.join(f't.{name}' for name, _ in names)}) > ({first})")
    if place.table == "run_event":
        parts.append("t.run_id IN (SELECT id FROM run WHERE user_id = $1)")
    own = ", ".join(f"t.{name}" for name, _ in names)
    found: list[Any] = await tx.pg.fetch(
        f"""
        SELECT {own}, t.{place.column} AS stored FROM {place.table} t WHERE {" AND ".join(parts)}
         ORDER BY {own} LIMIT $2
        """,  # noqa: S608 -- names of ours
        *params,
    )
    return found


async def _store(tx: Transaction, ring: Ring, place: Place, rows: list[Any], follow: Mapping[str, str]) -> int:
    changed = [(row, new) for row in rows if (new := _again(ring, place, row)) != row["stored"]]
    if not changed:
        return 0
    names, kind = _names(place), "text" if place.form == "text" else "jsonb"
    as_text = str if kind == "text" else _json
    keys = ", ".join(f"${n}::{of}[]" for n, (_, of) in enumerate(names, 4))
    same = " AND ".join(f"t.{name} = u.{name}" for name, _ in names)
    digest = follow.get("digest", "NULL")
    statement = f"""
        WITH u AS (SELECT * FROM unnest($2::text[], $3::text[], {keys})
                       AS u (old, new, {", ".join(name for name, _ in names)})),
             stood AS (SELECT {", ".join(f"t.{name}" for name, _ in names)}, {digest.format(row="t")} AS before
                         FROM {place.table} t JOIN u ON {same} WHERE t.user_id = $1),
             changed AS (UPDATE {place.table} AS t SET {place.column} = u.new::{kind}
                             {follow.get(f"set {place.table}", "")} FROM u
                          WHERE t.user_id = $1 AND {same} AND t.{place.column} = u.old::{kind}
                      RETURNING {", ".join(f"t.{name}" for name, _ in names)}, {digest.format(row="t")} AS after)
             {follow.get(place.table, "")}
        SELECT count(*) FROM changed
    """  # noqa: S608 -- names of ours
    return int(
        await tx.pg.fetchval(
            statement,
            tx.user,
            [as_text(row["stored"]) for row, _ in changed],
            [as_text(new) for _, new in changed],
            *([row[name] for row, _ in changed] for name, _ in names),
        )
    )


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _again(ring: Ring, place: Place, row: Any) -> Any:
    stored = row["stored"]
    named = " ".join(str(row[name]) for name, _ in _names(place))
    match place.form:
        case "text":
            return ring.seal(place, named, ring.open(place, named, stored))
        case "json":
            value = ring.open_json(place, named, stored)
            return ring.seal_json(place, named, value, shape(value) if place in (MESSAGE_BODY, OUTBOX_BODY) else None)
        case "rows":
            return ring.seal_rows(ring.open_rows(stored))
        case "kept":
            texts = {
                one.column: ring.seal(one, named, ring.open(one, named, stored[one.column]))
                for one in IN_ROWS["txn"]
                if stored.get(one.column)
            }
            return {**stored, **texts}
