"""The words that a chat understands by itself."""

from __future__ import annotations

import pytest

from channels.commands import Command, understood


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("link K7Q2M9AB", Command("link", "K7Q2M9AB")),
        ("/start k7q2m9ab", Command("link", "K7Q2M9AB")),
        (" Yes K7. ", Command("yes", "K7")),
        ("yes", Command("yes")),
        ("No B4", Command("no", "B4")),
        ("pending", Command("pending")),
        ("/new", Command("new")),
        ("UNLINK", Command("unlink")),
        ("allow money talk", Command("allow")),
    ],
)
def test_commands(text: str, command: Command) -> None:
    """In any case, with or without a code."""
    assert understood(text) == command


@pytest.mark.parametrize(
    "text", ["yes please tell me", "no rent this month?", "link me to my bank", "new shoes 40", "yes K7 and B4", ""]
)
def test_everything_else_is_said_to_penny(text: str) -> None:
    """A sentence that only begins like a command is none."""
    assert understood(text) is None
