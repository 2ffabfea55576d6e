"""Events as docs/channels/standard.md has them, and what they say to us."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest

from channels.channel import Pressed, Said
from channels.standard.parse import parse

PAYLOADS = Path(__file__).parent / "payloads"

EXPECTED = {
    "message_received": Said("m-1", "kim", "kim", "how much did I spend on groceries?", ref="m-1"),
    "proposal_decided": Pressed(
        "d-1",
        "kim",
        "kim",
        "confirm",
        UUID("01a2148b-3000-76ef-9765-3ab1f4bf7a76"),
        "0123456789abcdef0123456789abcdef",
    ),
    "unknown": None,
}


@pytest.mark.parametrize("name", EXPECTED)
def test_an_event(name: str) -> None:
    """Each recorded event means what it should; one of another type means nothing."""
    assert parse((PAYLOADS / f"{name}.json").read_bytes()).events == tuple(filter(None, [EXPECTED[name]]))
