"""Every column that can hold words is sealed, or is listed here as one that is not: a new one asks for a decision."""

from __future__ import annotations

import re
from pathlib import Path

import asyncpg

from db.sealing.places import PLACES

GUIDE = Path(__file__).parents[3] / "docs" / "encryption.md"

COLUMNS = """
SELECT c.relname::text || '.' || a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
 WHERE c.relnamespace = 'penny'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
   AND a.attnum > 0 AND NOT a.attisdropped
   AND format_type(a.atttypid, NULL) IN ('text', 'text[]', 'json', 'jsonb', 'bytea', 'character varying')
"""

CLEAR = {
    "account": "currency kind name",
    "alembic_version": "serves_from version_num",
    "budget": "currency",
    "category": "group_name kind name rollover",
    "channel_chat": "channel chat",
    "channel_link": "address channel chat",
    "channel_proposal": "channel chat code ref",
    "data_key": "wrapped wrapped_by",
    "goal": "currency name",
    "hold": "currency",
    "identity": "issuer subject tenant",
    "import_batch": "format source",
    "import_row": "bank_id",
    "inbox": "channel event_id message_ref",
    "journal": "approval kind prompt_version",
    "link_code": "channel code_hash",
    "merchant": "key name",
    "message": "role",
    "month_rollup": "currency",
    "notice_told": "thing",
    "notice_watch": "seen",
    "outbox": "channel chat dedupe error kind owner progress status",
    "preference": "currency locale messages_to quiet_from quiet_until time_zone weekly_day weekly_time",
    "prompt": "name text version",
    "prompt_rollout": "base reason status version",
    "proposal": "call_id hash kind op_key status",
    "quota": "key",
    "quota_open": "key owner",
    "rate": "base quote source",
    "rule": "merchant",
    "run": "cause client_id error model owner prompt_version status text_hash",
    "session_event": "status type",
    "summary": "model prompt_version",
    "txn": "currency import_id merchant merchant_key tags",
    "usage_day": "model purpose",
    "user_fact": "kind",
}
"""docs/encryption.md says why, for each of the tables."""


async def test_every_column_that_can_hold_words_is_sealed_or_said_not_to_be(admin_url: str) -> None:
    """Taken from the catalogue, so that what a migration adds is seen."""
    admin = await asyncpg.connect(admin_url)
    try:
        there = {row[0] for row in await admin.fetch(COLUMNS)}
    finally:
        await admin.close()
    sealed = {f"{place.table}.{place.column}" for place in PLACES}
    assert sealed <= there
    assert there - sealed == {f"{table}.{column}" for table, columns in CLEAR.items() for column in columns.split()}


def test_the_guide_names_every_sealed_column_and_table_that_is_not() -> None:
    """An auditor reads the guide, not the code."""
    text = GUIDE.read_text()
    encrypted = text[text.index("## What is encrypted") : text.index("## What is not")]
    for place in PLACES:
        assert f"`{place.table}." in encrypted, place
        assert place.column in encrypted, place
    clear = text[text.index("## What is not") : text.index("## Searching")]
    named = set(re.findall(r"`(\w+)", clear))
    assert CLEAR.keys() - {"alembic_version"} <= named
