"""Identifiers: UUIDs of version 7, which sort by the time they were made, so that indexes grow at one end."""

from __future__ import annotations

from uuid import UUID

from uuid_utils.compat import uuid7

from domain.errors import NotFound


def new_id() -> UUID:
    """A new identifier, never used before."""
    return uuid7()


def parse_id(text: str, what: str) -> UUID:
    """The identifier that `text` spells. Raises NotFound: an id that cannot be one names nothing."""
    try:
        return UUID(text)
    except ValueError:
        raise NotFound(f"There is no {what} with the id {text[:64]!r}.") from None
