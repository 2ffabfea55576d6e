"""What the commands print: progress on standard error, results on standard output, JSON when asked for.

Models, banks and other people wrote much of it: nothing of it steers the terminal (domain/visible.py).
"""

from __future__ import annotations

import sys
from typing import Any

import orjson

from domain.visible import visible


def progress(step: str) -> None:
    """A step of something long, on standard error."""
    sys.stderr.write(f"penny: {visible(step)}\n")
    sys.stderr.flush()


def say(text: str = "", end: str = "\n") -> None:
    """A line of the result."""
    sys.stdout.write(visible(text) + end)
    sys.stdout.flush()


def say_json(value: Any) -> None:
    """A line of the result for machines."""
    say(orjson.dumps(value, default=str).decode())


def quiet(_: str) -> None:
    """Progress that nobody asked for."""


def diff_lines(proposal: dict[str, Any]) -> list[str]:
    """A proposal's changes, one a line ("Dining, November 2026: budget 300.00 USD -> 250.00 USD"), and what of them the
    user did not say."""
    lines = [f"  {d['what']}: {d['field']} {shown(d['before'])} -> {shown(d['after'])}" for d in proposal["diff"]]
    return [*lines, f"  {proposal['notice']}"] if proposal.get("notice") else lines


def shown(value: Any) -> str:
    """A value of a diff as people read it."""
    from domain.money import Money

    if value is None:
        return "(none)"
    if isinstance(value, dict) and {"minor", "currency"} <= value.keys():
        return Money(value["minor"], value["currency"]).format()
    return str(value)
