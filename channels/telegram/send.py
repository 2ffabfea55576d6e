"""Telegram's Bot API, through aiogram."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from aiogram.exceptions import (
    AiogramError,
    TelegramBadRequest,
    TelegramConflictError,
    TelegramEntityTooLarge,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramUnauthorizedError,
)

from channels.channel import Refused, TryLater

T = TypeVar("T")

FOR_GOOD = (
    TelegramBadRequest,
    TelegramForbiddenError,
    TelegramNotFound,
    TelegramUnauthorizedError,
    TelegramConflictError,
    TelegramEntityTooLarge,
    TelegramMigrateToChat,
)


async def call(act: Callable[[], Awaitable[T]]) -> T:
    """One call. Raises Refused for what Telegram will always refuse, TryLater for the rest."""
    try:
        return await act()
    except TelegramRetryAfter as error:
        raise TryLater("too_many_requests", float(error.retry_after)) from None
    except FOR_GOOD as error:
        raise Refused(_code(error)) from None
    except AiogramError as error:
        raise TryLater(_code(error)) from None
    except (TimeoutError, OSError) as error:
        raise TryLater(f"not_reached_{type(error).__name__}"[:100]) from None


def unchanged(refused: Refused) -> bool:
    """Whether an edit was refused because the message says that already."""
    return refused.code == "not_modified"


def _code(error: AiogramError) -> str:
    if "message is not modified" in str(error):
        return "not_modified"
    name = type(error).__name__.removeprefix("Telegram").removesuffix("Error")
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).strip("_")
