"""Changes to the ledger as values: one row before and after, applied only if the row still is as `before` says.

A change is what a proposal shows, what a confirmation carries out, what the journal keeps and, turned round, what an
undo does. A row's `version` rises by one with every write.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from asyncpg.exceptions import ForeignKeyViolationError, UniqueViolationError

from db.engine import Transaction
from db.sealing.places import IN_ROWS, Place
from db.sealing.ring import Ring
from domain.errors import Conflict, NotFound
from ledger.imports import batches
from ledger.rows import TABLES, Json, Row, Table, to_json


class Stale(Conflict):
    """A row is not, or no longer, as the change says. The transaction must be rolled back; `details` name the row."""

    code = "stale"


@dataclass(frozen=True, slots=True)
class Change:
    """One row of `table` under `key`: `before` is None when it is to be made, `after` is None when it is to go.

    Rows hold every column of `ledger.rows.TABLES`. Raises ValueError when they do not: only code makes changes.
    """

    table: Table
    key: Row
    before: Row | None
    after: Row | None

    def __post_init__(self) -> None:
        shape = TABLES.get(self.table)
        if shape is None or self.key.keys() != shape.key.keys() or (self.before is None and self.after is None):
            raise ValueError(f"not a change of a ledger row: {self.table}")
        for row in (self.before, self.after):
            if row is not None and row.keys() != shape.columns.keys():
                raise ValueError(f"not a row of {self.table}: {sorted(row)}")

    def json(self) -> dict[str, Any]:
        """`{"table", "key", "before", "after"}`, exact: integers stay integers."""
        return {
            "table": self.table,
            "key": dict(self.key),
            "before": None if self.before is None else dict(self.before),
            "after": None if self.after is None else dict(self.after),
        }

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> Change:
        """The inverse of `json`. Columns that a stored row is older than have their defaults. Raises ValueError for
        anything else."""
        table = cast(Table, data["table"])
        return cls(table, data["key"], _grown(table, data["before"]), _grown(table, data["after"]))


def _grown(table: Table, row: Row | None) -> Row | None:
    """A stored row with the defaults of the columns that its table has gained since."""
    shape = TABLES.get(table)
    if row is None or shape is None:
        return row
    return {**{name: c.default for name, c in shape.columns.items() if not c.required and name != "version"}, **row}


def inserted(table: Table, key: Row, **fields: Json) -> Change:
    """The change that makes a row; columns left out get their defaults. Raises ValueError when a needed one is."""
    columns = TABLES[table].columns
    missing = [name for name, column in columns.items() if column.required and name not in fields]
    if missing or fields.keys() - columns.keys():
        raise ValueError(f"not a row of {table}: {sorted(fields)}")
    return Change(table, key, None, {name: fields.get(name, column.default) for name, column in columns.items()})


def updated(table: Table, key: Row, before: Row, **fields: Json) -> Change:
    """The change that gives a row (as `read` returned it) new values in some columns."""
    return Change(table, key, before, {**before, **fields, "version": _version(before) + 1})


def deleted(table: Table, key: Row, before: Row) -> Change:
    """The change that removes a row (as `read` returned it)."""
    return Change(table, key, before, None)


async def editing(tx: Transaction, table: Table, key: Row, **fields: Json) -> Change:
    """The change of the row as it is now. Raises NotFound when there is none."""
    before = await read(tx, table, key)
    if before is None:
        raise NotFound(f"That {NAMES[table]} is not there any more.")
    return updated(table, key, before, **fields)


async def read(tx: Transaction, table: Table, key: Row) -> Row | None:
    """The row as JSON values, or None when there is none."""
    shape = TABLES[table]
    params: list[object] = [tx.user]
    names = ", ".join(shape.columns)
    row = await tx.pg.fetchrow(f"SELECT {names} FROM {table} WHERE {_at(table, key, params)}", *params)  # noqa: S608
    return opened(tx.ring, table, key, row) if row else None


def opened(ring: Ring, table: Table, key: Row, row: Mapping[str, Any]) -> Row:
    """The columns of a row as the driver gives it, as JSON values."""
    sealed = _sealed(table)
    return {
        name: ring.open(sealed[name], str(key["id"]), row[name]) if name in sealed else to_json(row[name])
        for name in TABLES[table].columns
    }


def _sealed(table: Table) -> Mapping[str, Place]:
    """The table's columns that are sealed."""
    return {place.column: place for place in IN_ROWS.get(table, ())}


async def current(tx: Transaction, change: Change) -> Row | None:
    """The row the change is about, as it is now: what a fresh diff is made from."""
    return await read(tx, change.table, change.key)


def inverse(changes: Sequence[Change]) -> tuple[Change, ...]:
    """What puts back the changes that `apply` returned, last first. Only the versions are not as before: they rise, so
    that nothing that was made from an earlier state of a row can be taken for made from this one."""
    back: list[Change] = []
    reached: dict[tuple[Table, frozenset[tuple[str, Json]]], int] = {}  # by row, when a set changes one more than once
    for change in reversed(changes):
        row = (change.table, frozenset(change.key.items()))
        version = reached.get(row) or _version(change.after or change.before)
        reached[row] = version + 1
        back.append(
            Change(
                change.table,
                change.key,
                before=change.after and {**change.after, "version": version},
                after=change.before and {**change.before, "version": version + 1},
            )
        )
    return tuple(back)


async def apply(tx: Transaction, changes: Sequence[Change]) -> tuple[Change, ...]:
    """Writes the changes in order, one conditional statement each, and returns them as written, for the journal: new
    transactions have their numbers. Raises Stale at the first row that is not as the change says, that another row
    refers to, or whose name is taken; nothing may be committed then.
    """
    try:
        return tuple([await _write(tx, change) for change in changes])
    except (ForeignKeyViolationError, UniqueViolationError) as error:
        raise Stale("Something this change depends on was changed in the meantime.", table=error.table_name) from None


NAMES = {
    "account": "account",
    "budget": "budget",
    "category": "category",
    "goal": "goal",
    "hold": "amount held back",
    "import_batch": "import",
    "preference": "preference",
    "rate": "rate",
    "rule": "rule",
    "txn": "transaction",
    "user_fact": "fact",
}
"""What a row of each table is called."""


async def _write(tx: Transaction, change: Change) -> Change:
    params: list[object] = [tx.user]
    if change.before is None and change.after is not None:
        statement = _insert(tx.ring, change, change.after, params)
    elif change.before is not None and change.after is not None:
        statement = _update(tx.ring, change, change.before, change.after, params)
    else:
        statement = _delete(tx.ring, change, change.before or {}, params)
    written = await tx.pg.fetchrow(statement, *params)
    if written is None:
        raise Stale(
            f"That {NAMES[change.table]} was changed in the meantime.", table=change.table, key=dict(change.key)
        )
    if change.table == "txn" and change.before is None and change.after is not None:
        return replace(change, after={**change.after, "no": written["no"]})
    if change.table == "import_batch" and not await batches.follow(tx, change.key, change.before, change.after):
        raise Stale(batches.CHANGED, table=change.table, key=dict(change.key))
    return change


def _insert(ring: Ring, change: Change, after: Row, params: list[object]) -> str:
    shape = TABLES[change.table]
    values = [_arg(params, column.read(change.key[name])) for name, column in shape.key.items()]
    number, returning = "", "1"
    for name in shape.columns:
        if change.table == "txn" and name == "no":
            returning = "no"
            if after["no"] is None:
                number = (
                    "WITH number AS (UPDATE app_user SET last_txn_no = last_txn_no + 1 WHERE id = $1"
                    " RETURNING last_txn_no) "
                )
                values.append("(SELECT last_txn_no FROM number)")
                continue
        values.append(_arg(params, _value(ring, change, name, after[name])))
    names = ", ".join(["user_id", *shape.key, *shape.columns])
    return (
        f"{number}INSERT INTO {change.table} ({names}) VALUES ($1, {', '.join(values)})"  # noqa: S608
        f" ON CONFLICT DO NOTHING RETURNING {returning}"
    )


def _update(ring: Ring, change: Change, before: Row, after: Row, params: list[object]) -> str:
    columns = TABLES[change.table].columns
    new = [f"{name} = {_arg(params, _value(ring, change, name, after[name]))}" for name in columns]
    return f"UPDATE {change.table} SET {', '.join(new)} WHERE {_unchanged(ring, change, before, params)} RETURNING 1"  # noqa: S608


def _delete(ring: Ring, change: Change, before: Row, params: list[object]) -> str:
    free = "".join(
        f" AND NOT EXISTS (SELECT FROM {other} o WHERE o.user_id = $1 AND o.{column} = {change.table}.id)"
        for other, column in TABLES[change.table].referred_by
    )
    return f"DELETE FROM {change.table} WHERE {_unchanged(ring, change, before, params)}{free} RETURNING 1"  # noqa: S608


def _unchanged(ring: Ring, change: Change, before: Row, params: list[object]) -> str:
    """The whole row is compared, not its version alone: a row that was removed and made anew counts from 1 again. A
    text may be stored sealed, by any of the user's keys, or as it is."""
    sealed = _sealed(change.table)
    same = [
        f"{name} = ANY ({_arg(params, ring.as_stored(sealed[name], str(change.key['id']), str(before[name])))})"
        if name in sealed
        else f"{name} IS NOT DISTINCT FROM {_arg(params, column.read(before[name]))}"
        for name, column in TABLES[change.table].columns.items()
    ]
    return " AND ".join([_at(change.table, change.key, params), *same])


def _value(ring: Ring, change: Change, name: str, value: Json) -> object:
    """A column's value as it is stored."""
    place = _sealed(change.table).get(name)
    if place is not None:
        return ring.seal(place, str(change.key["id"]), str(value))
    return TABLES[change.table].columns[name].read(value)


def _at(table: Table, key: Row, params: list[object]) -> str:
    own = [f"{name} = {_arg(params, column.read(key[name]))}" for name, column in TABLES[table].key.items()]
    return " AND ".join(["user_id = $1", *own])


def _arg(params: list[object], value: object) -> str:
    params.append(value)
    return f"${len(params)}"


def _version(row: Row | None) -> int:
    version = row["version"] if row else None
    assert isinstance(version, int)
    return version
