"""Cursors: where the next page of a list starts, as opaque text."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import orjson

from domain.errors import InvalidInput

T = TypeVar("T")


def whole(value: Any, most: int) -> int:
    """The number in a place, between 0 and `most`. Raises ValueError."""
    if not isinstance(value, int) or not 0 <= value <= most:
        raise ValueError("not a number of this list")
    return value


def instant(value: Any) -> datetime:
    """The time in a place, in UTC. Raises ValueError, also for one without a time zone."""
    at = datetime.fromisoformat(value)
    if at.tzinfo is None:
        raise ValueError("not a time of this list")
    return at.astimezone(UTC)


def encode(place: object | None) -> str | None:
    """The cursor of a place: a tuple of JSON values, dates, times and UUIDs; None for no further page."""
    return None if place is None else urlsafe_b64encode(orjson.dumps(place, default=str)).decode().rstrip("=")


def decode(cursor: str | None, read: Callable[..., T]) -> T | None:
    """The place that `encode` put into the cursor, its parts given to `read`. Raises InvalidInput for other text."""
    if cursor is None:
        return None
    try:
        parts: Any = orjson.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        return read(*parts)
    except (ValueError, TypeError, AttributeError, OverflowError):
        raise InvalidInput(
            "The cursor is not one that this list gave; leave it out to start from the first page."
        ) from None
