"""The tables a change can touch, and how their rows look as JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final, Literal
from uuid import UUID

from domain.ids import new_id

Table = Literal[
    "account",
    "budget",
    "category",
    "goal",
    "hold",
    "import_batch",
    "preference",
    "rate",
    "rule",
    "txn",
    "user_fact",
]
Json = str | int | bool | None
Row = Mapping[str, Json]
"""Column to JSON value: whole numbers exact, days as ISO text, ids as UUID text, decimals as text, no exponent."""


@dataclass(frozen=True, slots=True)
class Column:
    """How one column's value is written to SQL (`read` from JSON), and what stands in a new row that leaves it out."""

    sql: str
    default: Json = None
    required: bool = True

    def read(self, value: Json) -> object:
        """The JSON value as the driver wants it. Raises ValueError for text that is no id, day or number."""
        reader = _READERS.get(self.sql)
        return reader(value) if reader and isinstance(value, str) else value


_READERS: Final[Mapping[str, Callable[[str], object]]] = {
    "uuid": UUID,
    "date": date.fromisoformat,
    "numeric": Decimal,
}

_ID: Final = {"id": Column("uuid")}
_TEXT: Final = Column("text", "", required=False)
_VERSION: Final = Column("int", 1, required=False)


@dataclass(frozen=True, slots=True)
class Shape:
    """A table's key (beside the user's id) and other columns, and who refers to a row: it is not deleted while someone
    does."""

    key: Mapping[str, Column]
    columns: Mapping[str, Column]
    referred_by: tuple[tuple[Table, str], ...] = ()


TABLES: Final[Mapping[Table, Shape]] = {
    "account": Shape(
        _ID,
        {
            "name": Column("text"),
            "kind": Column("text"),
            "currency": Column("text"),
            "opening_minor": Column("bigint", 0, required=False),
            "version": _VERSION,
        },
        referred_by=(("goal", "account_id"), ("txn", "account_id")),
    ),
    "budget": Shape(
        {"month": Column("date"), "category_id": Column("uuid")},
        {"amount_minor": Column("bigint"), "currency": Column("text"), "version": _VERSION},
    ),
    "category": Shape(
        _ID,
        {
            "name": Column("text"),
            "group_name": _TEXT,
            "kind": Column("text", "spending", required=False),
            "rollover": Column("text", "none", required=False),
            "rollover_since": Column("date", None, required=False),
            "version": _VERSION,
        },
        referred_by=(
            ("budget", "category_id"),
            ("goal", "category_id"),
            ("rule", "category_id"),
            ("txn", "category_id"),
        ),
    ),
    "goal": Shape(
        _ID,
        {
            "name": Column("text"),
            "amount_minor": Column("bigint"),
            "currency": Column("text"),
            "due": Column("date", None, required=False),
            "account_id": Column("uuid", None, required=False),
            "category_id": Column("uuid", None, required=False),
            "start_day": Column("date"),
            "start_minor": Column("bigint", 0, required=False),
            "version": _VERSION,
        },
    ),
    "hold": Shape(
        {"month": Column("date")},
        {"amount_minor": Column("bigint"), "currency": Column("text"), "version": _VERSION},
    ),
    "import_batch": Shape(
        _ID,
        {
            "account_id": Column("uuid"),
            "source": Column("text"),
            "format": Column("text"),
            "added": Column("int"),
            # whether its transactions are in the ledger: changing it takes them out or puts them back
            "standing": Column("boolean", True, required=False),
            "version": _VERSION,
        },
    ),
    # one row, whose key is the user alone
    "preference": Shape(
        {},
        {
            "locale": Column("text"),
            "time_zone": Column("text"),
            "currency": Column("text"),
            "envelopes_since": Column("date", None, required=False),
            "auto_apply": Column("boolean", False, required=False),
            "auto_each_minor": Column("bigint", None, required=False),
            "auto_day_minor": Column("bigint", None, required=False),
            "weekly_summary": Column("boolean", False, required=False),
            "budget_alerts": Column("boolean", False, required=False),
            "unusual_charges": Column("boolean", False, required=False),
            "upcoming_bills": Column("boolean", False, required=False),
            "weekly_day": Column("text", "monday", required=False),
            "weekly_time": Column("text", "09:00", required=False),
            "quiet_from": Column("text", "22:00", required=False),
            "quiet_until": Column("text", "08:00", required=False),
            "messages_to": Column("text", None, required=False),
            "version": _VERSION,
        },
    ),
    "rate": Shape(
        {"base": Column("text"), "quote": Column("text"), "day": Column("date")},
        {"rate": Column("numeric"), "source": _TEXT, "version": _VERSION},
    ),
    "rule": Shape(_ID, {"merchant": Column("text"), "category_id": Column("uuid"), "version": _VERSION}),
    "txn": Shape(
        _ID,
        {
            # None until the row is written: numbers are given out in the transaction that writes it
            "no": Column("bigint", None, required=False),
            "account_id": Column("uuid"),
            "day": Column("date"),
            "amount_minor": Column("bigint"),
            "currency": Column("text"),
            "merchant": _TEXT,
            "memo": _TEXT,
            "category_id": Column("uuid", None, required=False),
            "pending": Column("boolean", False, required=False),
            "import_id": Column("text", None, required=False),
            "note": _TEXT,
            "tags": _TEXT,
            "split_of": Column("uuid", None, required=False),
            "transfer_id": Column("uuid", None, required=False),
            "refund_of": Column("uuid", None, required=False),
            "version": _VERSION,
        },
        referred_by=(("txn", "split_of"), ("txn", "refund_of")),
    ),
    "user_fact": Shape(
        _ID,
        {
            "kind": Column("text"),
            "text": Column("text"),
            "message_id": Column("uuid", None, required=False),
            "superseded_by": Column("uuid", None, required=False),
            "version": _VERSION,
        },
    ),
}


def to_json(value: object) -> Json:
    """A column's value as the driver gives it, as JSON."""
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if value is None or isinstance(value, (str, int)):
        return value
    raise TypeError(f"{type(value).__name__} is no value of a ledger row")


def new_key() -> Row:
    """The key of a row that does not exist yet, for the tables whose key is an id."""
    return {"id": str(new_id())}
