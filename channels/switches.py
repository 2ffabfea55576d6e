"""Messages unasked, switched in a chat: the words that people type, and the data that a button carries."""

from __future__ import annotations

import re
from typing import Final, Literal, cast

from ledger.preferences import SWITCHES, Notice

Kinds = Notice | Literal["all"]

_OFF: Final = "off:"
_WORDS: Final = re.compile(r"/?(?P<verb>stop|start)\s+(?P<kind>weekly|budget|unusual|bills|all)[.!]?", re.I)
_ALL: Final = re.compile(r"/?unsubscribe[.!]?", re.I)


def kinds(kind: Kinds) -> tuple[Notice, ...]:
    """The kinds that are meant."""
    return tuple(SWITCHES) if kind == "all" else (kind,)


def words(kind: Kinds, *, on: bool = False) -> str:
    """What is typed: "stop weekly", "start all"."""
    return f"{'start' if on else 'stop'} {kind}"


def typed(text: str) -> tuple[Kinds, bool] | None:
    """The kind that the whole text switches, and whether on; None when it says something else."""
    if _ALL.fullmatch(text.strip()):
        return "all", False
    found = _WORDS.fullmatch(text.strip())
    return (cast(Kinds, found["kind"].lower()), found["verb"].lower() == "start") if found else None


def button(kind: Notice) -> str:
    """What the button under a message carries."""
    return f"{_OFF}{kind}"


def pressed(data: str) -> Notice | None:
    """The inverse of `button`; None for anything else."""
    kind = data.removeprefix(_OFF)
    return kind if data.startswith(_OFF) and kind in SWITCHES else None
