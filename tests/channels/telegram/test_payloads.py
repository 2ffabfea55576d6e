"""Updates as Telegram's documentation and servers have them, and what they say to us."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import orjson
import pytest

from channels.channel import Pressed, Said, Unreadable, Wordless
from channels.telegram.parse import parse

PAYLOADS = Path(__file__).parent / "payloads"

EXPECTED = {
    "message": Said("update 10000", "1111111", "1111111", "42.50 lunch", "1365", language="en"),
    "start_in_group": Said("update 10001", "1111111", "-1001234567", "/start K7Q2M9AB", "1366", shared=True),
    "edited_message": Said("update 10002", "1111111", "1111111", "24.50 lunch", "1365", edited=True),
    "callback_query": Pressed(
        "update 10003",
        "1111111",
        "1111111",
        "reject",
        UUID("01a2148b-3000-76ef-9765-3ab1f4bf7a76"),
        "0123456789abcdef",
    ),
    "sticker": Wordless("update 10004", "1111111", "1111111"),
    "photo": Wordless("update 10006", "1111111", "1111111", language="en"),
    "album": Wordless("album 13843521", "1111111", "1111111"),
    "photo_with_caption": Said("update 10007", "1111111", "1111111", "lunch 12.50", "1370"),
    "new_member": None,
    "poll_answer": None,
}


@pytest.mark.parametrize("name", EXPECTED)
def test_an_update(name: str) -> None:
    """Each recorded update means what it should; what Telegram itself says means nothing."""
    assert parse((PAYLOADS / f"{name}.json").read_bytes()).events == tuple(filter(None, [EXPECTED[name]]))


def test_a_pressed_button_is_acknowledged_in_the_answer() -> None:
    """The webhook's own answer calls answerCallbackQuery."""
    answer = parse((PAYLOADS / "callback_query.json").read_bytes()).answer
    assert answer.media_type == "application/json"
    assert orjson.loads(answer.body) == {"method": "answerCallbackQuery", "callback_query_id": "4382bfdwdsb323b2d9"}


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"{}", b'{"update_id": 1, "message": 3}', b"\xff"])
def test_what_telegram_never_sends_is_unreadable(body: bytes) -> None:
    """It is an error of the request's, not of ours."""
    with pytest.raises(Unreadable):
        parse(body)
