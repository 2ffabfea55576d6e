"""Every column that is sealed when encryption is on; what is not here is stored as it is (docs/encryption.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

Form = Literal["text", "json", "rows", "kept"]
"""How a column holds what is sealed: as its text; as the JSON value; within the rows of a list of changes; within the
one row of a transaction that was taken out."""


@dataclass(frozen=True, slots=True)
class Place:
    """A column. What is sealed for one place and row is opened for no other."""

    table: str
    column: str
    form: Form = "text"


MESSAGE_TEXT: Final = Place("message", "text")
MESSAGE_BODY: Final = Place("message", "body", "json")
RUN_EVENTS: Final = Place("run_event", "events")
SESSION_TITLE: Final = Place("session", "title")
SUMMARY_TEXT: Final = Place("summary", "text")
FACT_TEXT: Final = Place("user_fact", "text")
TXN_MEMO: Final = Place("txn", "memo")
TXN_NOTE: Final = Place("txn", "note")
PROPOSAL_CHANGES: Final = Place("proposal", "changes", "json")
PROPOSAL_DIFF: Final = Place("proposal", "diff", "json")
PROPOSAL_TEXT: Final = Place("proposal", "text")
JOURNAL_TEXT: Final = Place("journal", "text")
JOURNAL_CHANGES: Final = Place("journal", "changes", "rows")
IMPORT_KEPT: Final = Place("import_row", "kept", "kept")
OUTBOX_BODY: Final = Place("outbox", "body", "json")

PLACES: Final = (
    MESSAGE_TEXT,
    MESSAGE_BODY,
    RUN_EVENTS,
    SESSION_TITLE,
    SUMMARY_TEXT,
    FACT_TEXT,
    TXN_MEMO,
    TXN_NOTE,
    PROPOSAL_CHANGES,
    PROPOSAL_DIFF,
    PROPOSAL_TEXT,
    JOURNAL_TEXT,
    JOURNAL_CHANGES,
    IMPORT_KEPT,
    OUTBOX_BODY,
)

IN_ROWS: Final[Mapping[str, tuple[Place, ...]]] = {"txn": (TXN_MEMO, TXN_NOTE), "user_fact": (FACT_TEXT,)}
"""The sealed columns of the tables whose rows changes hold."""


def shape(body: Mapping[str, Any]) -> dict[str, Any]:
    """What of the body of a message, or of what waits to be sent, SQL looks at, and no word of anybody's: whether it
    calls tools, which message it edits, whether figures were verified, what kind of notice it is."""
    told: dict[str, Any] = {name: body[name] for name in ("edit_of", "status", "proposal_id", "kind") if name in body}
    if calls := body.get("tool_calls"):
        told["tool_calls"] = [None] * len(calls)
    if figures := body.get("figures"):
        told["figures"] = [{"verified": bool(figure.get("verified"))} for figure in figures]
    return told
