"""What a person sees who starts Penny on a terminal for the first time."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import Callable
from pathlib import Path

START_SECONDS = 150


async def on_terminal(env: dict[str, str], folder: Path) -> tuple[list[str], int]:
    """The lines of `penny serve` on a terminal until it says how to stop it, then after SIGINT; and the exit code."""
    leader, follower = os.openpty()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "penny", "serve", "--port", "0", "--sample", env=env, cwd=folder, start_new_session=True,
        stdin=follower, stdout=follower, stderr=follower,
    )  # fmt: skip
    os.close(follower)
    said = bytearray()

    def read() -> None:
        """Until the other end is closed, which Linux tells by an error."""
        asked = False
        try:
            while data := os.read(leader, 65_536):
                said.extend(data)
                if not asked and b"Ctrl-C" in said:
                    asked = True
                    process.send_signal(signal.SIGINT)
        except OSError:
            return

    try:
        async with asyncio.timeout(START_SECONDS):
            await asyncio.gather(asyncio.to_thread(read), process.wait())
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        os.close(leader)
    assert process.returncode is not None
    return said.decode().splitlines(), process.returncode


async def test_a_terminal_is_told_what_happens_where_to_go_what_to_try_and_how_to_stop(
    environment_of: Callable[..., dict[str, str]], tmp_path: Path
) -> None:
    """No metrics, no list of migrations, nothing else; the command to try is one that is there."""
    script = tmp_path / "script.json"
    script.write_text(json.dumps([{"text": "Hello."}]))
    lines, code = await on_terminal(environment_of(PENNY_MODEL=f"scripted:{script}"), tmp_path)
    patterns = [
        r"penny: starting the embedded database",
        r"penny: database schema brought to \d{4}",
        r"penny: sample household: [\d,]+ transactions",
        r"penny: ready: http://127\.0\.0\.1:\d+",
        r'penny: ask there, or in another terminal: \S+penny ask "How much did I spend on groceries last month\?"',
        r"penny: Ctrl-C stops it",
        r"penny: stopped",
    ]
    assert len(lines) == len(patterns), lines
    assert [line for line, pattern in zip(lines, patterns, strict=True) if not re.fullmatch(pattern, line)] == []
    assert code == 0
