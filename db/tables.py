"""The ledger's tables for SQLAlchemy Core; the migrations make them, and a test holds the two together.

Every statement runs with search_path penny, so the tables name no schema. `user_id` is filled by the caller and
guarded by row-level security; amounts are minor units.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Computed,
    Date,
    DateTime,
    Integer,
    MetaData,
    Numeric,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()

preference = Table(
    "preference",
    metadata,
    Column("user_id", Uuid, primary_key=True),
    Column("locale", Text, nullable=False, server_default="en-US"),
    Column("time_zone", Text, nullable=False, server_default="UTC"),
    Column("currency", Text, nullable=False, server_default="USD"),
    Column("envelopes_since", Date),
    Column("auto_apply", Boolean, nullable=False, server_default=text("false")),
    Column("auto_each_minor", BigInteger),
    Column("auto_day_minor", BigInteger),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("weekly_summary", Boolean, nullable=False, server_default=text("false")),
    Column("budget_alerts", Boolean, nullable=False, server_default=text("false")),
    Column("unusual_charges", Boolean, nullable=False, server_default=text("false")),
    Column("upcoming_bills", Boolean, nullable=False, server_default=text("false")),
    Column("weekly_day", Text, nullable=False, server_default="monday"),
    Column("weekly_time", Text, nullable=False, server_default="09:00"),
    Column("quiet_from", Text, server_default="22:00"),
    Column("quiet_until", Text, server_default="08:00"),
    Column("messages_to", Text),
)

account = Table(
    "account",
    metadata,
    Column("user_id", Uuid, primary_key=True),
    Column("id", Uuid, primary_key=True, server_default=text("uuidv7()")),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("opening_minor", BigInteger, nullable=False, server_default="0"),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=text("clock_timestamp()")),
)

category = Table(
    "category",
    metadata,
    Column("user_id", Uuid, primary_key=True),
    Column("id", Uuid, primary_key=True, server_default=text("uuidv7()")),
    Column("name", Text, nullable=False),
    Column("group_name", Text, nullable=False, server_default=""),
    Column("kind", Text, nullable=False, server_default="spending"),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=text("clock_timestamp()")),
    Column("rollover", Text, nullable=False, server_default="none"),
    Column("rollover_since", Date),
)

budget = Table(
    "budget",
    metadata,
    Column("user_id", Uuid, primary_key=True),
    Column("month", Date, primary_key=True),
    Column("category_id", Uuid, primary_key=True),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("version", Integer, nullable=False, server_default="1"),
)

txn = Table(
    "txn",
    metadata,
    Column("user_id", Uuid, primary_key=True),
    Column("id", Uuid, primary_key=True, server_default=text("uuidv7()")),
    Column("no", BigInteger, nullable=False),
    Column("account_id", Uuid, nullable=False),
    Column("day", Date, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("merchant", Text, nullable=False, server_default=""),
    Column("memo", Text, nullable=False, server_default=""),
    Column("category_id", Uuid),
    Column("pending", Boolean, nullable=False, server_default=text("false")),
    Column("import_id", Text),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=text("clock_timestamp()")),
    Column("note", Text, nullable=False, server_default=""),
    Column("tags", Text, nullable=False, server_default=""),
    Column("split_of", Uuid),
    Column("transfer_id", Uuid),
    Column("refund_of", Uuid),
    Column("merchant_key", Text, Computed("lower(merchant)", persisted=True), nullable=False),
)

hold = Table(
    "hold",
    metadata,
    Column("user_id", Uuid, primary_key=True),
    Column("month", Date, primary_key=True),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("version", Integer, nullable=False, server_default="1"),
)

goal = Table(
    "goal",
    metadata,
    Column("user_id", Uuid, primary_key=True),
    Column("id", Uuid, primary_key=True, server_default=text("uuidv7()")),
    Column("name", Text, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("due", Date),
    Column("account_id", Uuid),
    Column("category_id", Uuid),
    Column("start_day", Date, nullable=False),
    Column("start_minor", BigInteger, nullable=False, server_default="0"),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=text("clock_timestamp()")),
)

rule = Table(
    "rule",
    metadata,
    Column("user_id", Uuid, primary_key=True),
    Column("id", Uuid, primary_key=True, server_default=text("uuidv7()")),
    Column("merchant", Text, nullable=False),
    Column("category_id", Uuid, nullable=False),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=text("clock_timestamp()")),
)

rate = Table(
    "rate",
    metadata,
    Column("user_id", Uuid, primary_key=True),
    Column("base", Text, primary_key=True),
    Column("quote", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("rate", Numeric(24, 12), nullable=False),
    Column("source", Text, nullable=False, server_default=""),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=text("clock_timestamp()")),
    Column("version", Integer, nullable=False, server_default="1"),
)

journal = Table(
    "journal",
    metadata,
    Column("user_id", Uuid, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False, server_default=text("clock_timestamp()")),
    Column("kind", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("changes", JSONB, nullable=False),
    Column("proposal_id", Uuid),
    Column("session_id", Uuid),
    Column("run_id", Uuid),
    Column("message_id", Uuid),
    Column("prompt_version", Text, nullable=False, server_default=""),
    Column("approval", Text, nullable=False),
    Column("undoes", Uuid),
)
