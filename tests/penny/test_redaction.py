"""Logs hold no secret, no card number and nobody's words, whoever writes them."""

from __future__ import annotations

import io
import json
import logging
import sys
import warnings
from collections.abc import Callable, Iterator

import pytest
import structlog

from penny.redaction import redacted
from penny.telemetry import configure_logs

SECRETS = [
    "Bearer abcdefgh12345678",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJtZSJ9.c2lnbmF0dXJl",
    "AKIAIOSFODNN7EXAMPLE",
    "xoxb-1234567890-abcdefghij",
    "123456789:AAF-abcdefghijklmnopqrstuvwxyz012345",
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "postgresql://penny:hunter2hunter2@db:5432/penny",
    "password=hunter2hunter2",
    '"client_secret": "hunter2 hunter2"',
    "4242 4242 4242 4242",
    "5555555555554444",
    "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\n-----END PRIVATE KEY-----",
]


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_within_a_text_is_hidden(secret: str):
    """The text around it stays."""
    told = redacted(f"before {secret} after")
    assert "[hidden]" in told
    for telling in ("hunter2", "abcdefgh", "eyJ", "IOSFODNN7", "MfKQ9", "4242 4242", "5555", "MIIE"):
        assert telling not in told
    assert told.startswith("before ")


@pytest.mark.parametrize(
    "text",
    [
        "run 0198f3a2-7c4e-7d31-9b0a-5f2d8e6c1a47 took 1234 ms",
        "2026-11-26T02:13:45.451081Z",
        "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc",
        "http://127.0.0.1:8000/v1/runs",
        "1234567890123456",
    ],
)
def test_what_helps_people_on_call_stays(text: str):
    """Ids, times, addresses, ARNs, and long numbers that are no card's."""
    assert redacted(text) == text


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], list[dict]]]:
    """What is logged from here on, as JSON; the configuration of before is put back."""
    kept, handlers, level = structlog.get_config(), logging.root.handlers[:], logging.root.level
    out = io.StringIO()
    monkeypatch.setattr(sys, "stderr", out)
    configure_logs("info")
    yield lambda: [json.loads(line) for line in out.getvalue().splitlines()]
    structlog.configure(**kept)
    logging.captureWarnings(False)
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


def _raise() -> None:
    try:
        raise KeyError("I paid 4711 for my therapist")
    except KeyError as error:
        raise ValueError("my salary is 98765") from error


def test_an_exception_is_told_by_type_and_place(lines: Callable[[], list[dict]]):
    """Its message may quote what a user said, and so may that of what caused it."""
    log = structlog.get_logger("test")
    try:
        _raise()
    except ValueError:
        log.exception("it.broke", run_id="r1")
    (line,) = lines()
    assert (line["event"], line["level"], line["run_id"], line["error"]) == ("it.broke", "error", "r1", "ValueError")
    assert "test_redaction.py" in line["place"]
    assert "KeyError" in line["place"]


def test_the_words_of_exceptions_are_in_no_line(lines: Callable[[], list[dict]]):
    """Neither by structlog nor by the standard library, whose records come in the same form."""
    try:
        _raise()
    except ValueError as error:
        structlog.get_logger("test").error("it.broke", exc_info=error)
        logging.getLogger("library").error("broke", exc_info=True)
        logging.getLogger("library").warning("broke: %s", "token=abcdefgh12345678")
    told = lines()
    assert [line["level"] for line in told] == ["error", "error", "warning"]
    assert told[1]["logger"] == "library"
    for quoted in ("therapist", "salary", "4711 for", "abcdefgh"):
        assert quoted not in json.dumps([{k: v for k, v in line.items() if k != "place"} for line in told])


def test_fields_that_would_hold_words_or_keys_are_hidden(lines: Callable[[], list[dict]]):
    """By their names, whoever logs them by mistake, also within what is logged."""
    structlog.get_logger("test").warning(
        "by.mistake", text="my therapist", bot_token="x", nested={"api_key": "abc", "n": 1}
    )
    (line,) = lines()
    assert (line["text"], line["bot_token"]) == ("[hidden]", "[hidden]")
    assert line["nested"] == {"api_key": "[hidden]", "n": 1}


def test_warnings_of_python_are_lines_too(lines: Callable[[], list[dict]]):
    """Nothing reaches the log in another form."""
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("something is old", DeprecationWarning, stacklevel=1)
    assert lines()[0]["logger"] == "py.warnings"
