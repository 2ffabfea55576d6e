"""The terminal is not the model's, nor the bank's: what they write is shown on it, and steers nothing."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from domain.visible import visible, visible_line
from penny.telemetry import configure_logs

HOSTILE = (
    "\x1b[2J\x1b[H\x1b]0;title\x07\x1b]52;c;ZXZpbA==\x07\x1b]8;;https://evil.example\x07press\x1b]8;;\x07"
    "\x9b31m red \x9d0;title\x9c \rYou have $9,999 \b\b\b \x7f \u202egnp.kael\u202c \u2066x\u2069 \u2028 \x1b[6n"
)
"""Clears the screen, sets the title and the clipboard, links, writes over the line, turns it around, asks and types."""


def harmless(said: str) -> None:
    """Only what a terminal shows."""
    assert not set(said) & {chr(code) for code in (*range(0x09), *range(0x0B, 0x20), *range(0x7F, 0xA0))}, repr(said)
    assert not set(said) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c\u2028\u2029")


@given(st.text())
def test_only_what_steers_is_changed(text: str) -> None:
    """Everything else stays as it is; in JSON the change is none."""
    shown = visible(text)
    harmless(shown)
    assert "\n" not in visible_line(text)
    line = json.dumps({"text": text}, ensure_ascii=False)
    assert json.loads(visible(line)) == {"text": text}
    if text.isprintable() and not set(text) & {"\u2028", "\u2029"}:
        assert shown == text


@pytest.fixture
def model(tmp_path: Path) -> str:
    """A model that says what is hostile, proposes it, and calls tools with it."""
    purchase = {"amount": "12", "merchant": "Corner Shop", "memo": HOSTILE}
    turns = [
        {"text": HOSTILE},
        {"tool_calls": [{"name": "add_transaction", "args": purchase}]},
        {"text": HOSTILE},
        {"tool_calls": [{"name": "list_transactions", "args": {"merchant": HOSTILE}}]},
        {"text": HOSTILE},
    ]
    script = tmp_path / "hostile.json"
    script.write_text(json.dumps(turns))
    return f"scripted:{script}"


@pytest.fixture
def on_terminal(
    environment_of: Callable[..., dict[str, str]], admin_url: str, model: str, tmp_path: Path
) -> Callable[..., Awaitable[str]]:
    """Runs a command on a terminal of its own: `await on_terminal("chat", typed=[...])` gives what stands on it. Each
    line is typed when there is a prompt for it."""

    async def run(*arguments: str, typed: Sequence[str] = ()) -> str:
        leader, follower = os.openpty()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "penny", *arguments, cwd=tmp_path, start_new_session=True,
            env=environment_of(PENNY_MODEL=model, PENNY_DATABASE_URL=admin_url, TERM="dumb"),
            stdin=follower, stdout=follower, stderr=follower,
        )  # fmt: skip
        os.close(follower)
        loop, said, come = asyncio.get_running_loop(), bytearray(), asyncio.Event()

        def read() -> None:
            try:
                said.extend(os.read(leader, 65_536))
            except OSError:  # the other end is closed
                loop.remove_reader(leader)
            come.set()

        loop.add_reader(leader, read)
        try:
            async with asyncio.timeout(150):
                for turn, line in enumerate(typed, 1):
                    while said.count(b"you> ") < turn:
                        come.clear()
                        await come.wait()
                    os.write(leader, line.encode() + b"\n")
                await process.wait()
                await asyncio.sleep(0)
        finally:
            loop.remove_reader(leader)
            if process.returncode is None:
                process.kill()
                await process.wait()
        os.set_blocking(leader, False)
        with contextlib.suppress(OSError):
            while rest := os.read(leader, 65_536):
                said.extend(rest)
        os.close(leader)
        return said.decode().replace("\r\n", "\n")

    return run


async def test_a_hostile_model_steers_no_terminal(on_terminal: Callable[..., Awaitable[str]]) -> None:
    """Replies, tools, /why, /trace, /rewind and the whole export, on a real terminal."""
    lines = ["hello", "add it", "list them", "/why", "/trace", "/rewind", "/quit"]
    told = await on_terminal("chat", "--user", "terminal", typed=lines)
    exported = await on_terminal("export", "--format", "json", "--user", "terminal")
    for shown in (told, exported):
        assert "\\u009b31m" in shown
        harmless(shown)
    assert HOSTILE in {m["text"] for s in json.loads(exported)["sessions"] for m in s["messages"]}


async def test_commands_print_what_is_hostile_and_obey_none_of_it(penny: Callable, model: str, admin_url: str) -> None:
    """Text and JSON, results and errors; JSON says exactly what the model said."""
    with_ = {"PENNY_MODEL": model, "PENNY_DATABASE_URL": admin_url}
    asked = await penny("ask", "hello", "--json", **with_)
    events = [json.loads(line) for line in asked.out.splitlines()]
    assert "".join(e["data"]["text"] for e in events if e["type"] == "text.delta") == HOSTILE
    refused = await penny("confirm", "x\x1b[2J", **with_)
    assert refused.code == 1
    for done in (asked, await penny("ask", "hello", **with_), refused):
        harmless(done.out)
        harmless(done.err)


def test_a_log_on_a_terminal_is_not_steered(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    """Ours and the standard library's; a line begins where a record does."""
    kept, handlers, level = structlog.get_config(), logging.root.handlers[:], logging.root.level
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("NO_COLOR", "1")
    try:
        configure_logs("info")
        structlog.get_logger("test").info("it.happened", what=f"{HOSTILE}\n2026 [error] forged")
        logging.getLogger("library").warning("path %s", f"{HOSTILE}\n2026 [error] forged")
    finally:
        structlog.configure(**kept)
        logging.captureWarnings(False)
        logging.root.handlers[:] = handlers
        logging.root.setLevel(level)
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 2
    for sequence in ("\x1b[2J", "\x1b]", "\x07", "\x9b", "\r", "\u202e"):
        assert sequence not in said
