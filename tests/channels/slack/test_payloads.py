"""Requests as Slack's documentation and servers have them, and what they say to us."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode
from uuid import UUID

import pytest

from channels.channel import Opened, Pressed, Removed, Said, Unreadable, Wordless
from channels.slack.parse import parse

PAYLOADS = Path(__file__).parent / "payloads"
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"

EXPECTED = {
    "message_im": Said(
        "Ev08MFMKH6", "T024BE7LD:U2147483697", "D024BE91L", "how much at A&B <today>? see this", "1355517523.000005"
    ),
    "app_mention": Said(
        "Ev0LAN670R",
        "T024BE7LD:U061F7AUR",
        "C123ABC456:1515449522.000016",
        "how are we doing?",
        "1515449522.000016",
        shared=True,
    ),
    "message_changed": Said(
        "Ev08MFMKH7", "T024BE7LD:U2147483697", "D024BE91L", "42.50 lunch", "1355517523.000005", edited=True
    ),
    "message_deleted": Removed("Ev08MFMKH8", "T024BE7LD:U2147483697", "D024BE91L", "1358878749.000001"),
    "message_in_thread": Said(
        "Ev123ABC459",
        "T123ABC456:U123ABC456",
        "D123ABC456:1729999327.187299",
        "how much for rent?",
        "1729999330.187299",
    ),
    "assistant_thread_started": Opened("Ev123ABC456", "T123ABC456:U123ABC456", "D123ABC456:1729999327.187299"),
    "assistant_thread_context_changed": None,
    "assistant_thread_title": None,
    "file_share": Wordless("Ev123ABC460", "T123ABC456:U123ABC456", "D123ABC456"),
    "own_message": None,
    "url_verification": None,
}


@pytest.mark.parametrize("name", EXPECTED)
def test_an_event(name: str) -> None:
    """Each recorded event means what it should; our own messages mean nothing."""
    parsed = parse((PAYLOADS / f"{name}.json").read_bytes(), JSON)
    assert parsed.events == tuple(filter(None, [EXPECTED[name]]))


def test_the_address_check_is_answered_with_its_challenge() -> None:
    """url_verification wants the challenge back."""
    answer = parse((PAYLOADS / "url_verification.json").read_bytes(), JSON).answer
    assert answer.body == b"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"


def test_a_button() -> None:
    """A pressed button names the proposal and the beginning of its hash."""
    body = urlencode({"payload": (PAYLOADS / "block_actions.json").read_text()}).encode()
    assert parse(body, FORM).events == (
        Pressed(
            "action 1548426417.840180",
            "T024BE7LD:U2147483697",
            "D024BE91L",
            "confirm",
            UUID("01a2148b-3000-76ef-9765-3ab1f4bf7a76"),
            "0123456789abcdef",
        ),
    )


def test_the_slash_command_is_answered_in_private() -> None:
    """Wherever it was typed, the chat is the person's own."""
    parsed = parse((PAYLOADS / "slash_command.txt").read_bytes().strip(), FORM)
    (said,) = parsed.events
    assert isinstance(said, Said)
    assert (said.chat, said.text, said.shared) == ("U2147483697", "how much is left?", False)
    assert parsed.answer.body == b""


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'{"type": "event_callback"}', b'{"type": "event_callback", "event": 3}', b"\xff"],
)
def test_what_slack_never_sends_is_unreadable(body: bytes) -> None:
    """It is an error of the request's, not of ours."""
    with pytest.raises(Unreadable):
        parse(body, JSON)


@pytest.mark.parametrize(
    "body", [b"payload={", b"payload=%7B%22type%22%3A%22block_actions%22%7D", b"\xff=", b"command=x"]
)
def test_forms_that_slack_never_sends(body: bytes) -> None:
    """Neither are forms with parts missing."""
    with pytest.raises(Unreadable):
        parse(body, FORM)
