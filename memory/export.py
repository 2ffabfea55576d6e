"""Conversations, and what was remembered from them, for the export."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Final

from db.engine import Transaction
from memory import messages, sessions
from memory.facts import every_fact

_AT_ONCE = 100


async def every_session(tx: Transaction) -> AsyncIterator[dict[str, Any]]:
    """Each session with all of its messages, superseded ones too and marked, the most recently used first."""
    before = None
    while True:
        found, before = await sessions.list_(tx, _AT_ONCE, before)
        for session in found:
            yield {
                "id": str(session.id),
                "title": session.title,
                "created_at": session.created_at.isoformat(),
                "updated_at": session.updated_at.isoformat(),
                "messages": await _messages(tx, session),
            }
        if before is None:
            return


async def _messages(tx: Transaction, session: sessions.Session) -> list[dict[str, Any]]:
    items, older = await messages.page(tx, session.id, _AT_ONCE, superseded=True)
    while older is not None:
        earlier, older = await messages.page(tx, session.id, _AT_ONCE, older, superseded=True)
        items = earlier + items
    return items


SECTIONS: Final[Mapping[str, Callable[[Transaction], AsyncIterator[Any]]]] = {
    "facts": every_fact,
    "sessions": every_session,
}
"""The parts of the export that are not the ledger's, by name."""
