"""What one look found, and how looks are carried out: each within its time, none able to end the others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass

from domain.errors import PennyError

LOOK_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Finding:
    """`said` is what is so, or what is wrong; `fix` is what to do about it. Where `ok` is None nothing was to check."""

    name: str
    ok: bool | None
    said: str
    fix: str = ""


class Wrong(Exception):
    """What is wrong and what to do about it."""

    def __init__(self, said: str, fix: str) -> None:
        super().__init__(said)
        self.said, self.fix = said, fix


class Nothing(Exception):
    """There is nothing to check, and why."""

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.said = said


Look = Callable[[], Awaitable[str]]
"""Says what is so. Raises Wrong, Nothing, or what the thing itself raises."""


async def look(looks: Mapping[str, tuple[Look, str]]) -> AsyncIterator[Finding]:
    """A finding for each, as it comes. What a look's error does not say itself is said by the fix beside it."""
    for name, (one, fix) in looks.items():
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                yield Finding(name, True, await one())
        except Nothing as nothing:
            yield Finding(name, None, nothing.said)
        except Wrong as wrong:
            yield Finding(name, False, wrong.said, wrong.fix)
        except PennyError as error:
            yield Finding(name, False, error.message, fix)
        except TimeoutError:
            yield Finding(name, False, f"No answer within {LOOK_SECONDS:g} seconds.", fix)
        except Exception as error:  # another finding is worth more than a stack trace
            yield Finding(name, False, f"It broke ({type(error).__name__}).", fix)
