"""The look through a run's logs finds what must not be there, and fails the run."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from log_scan import LogScan, python_path

ROOT = Path(__file__).parents[1]
KITS = ROOT / "tests" / "kits"


@pytest.fixture
def scan() -> Iterator[LogScan]:
    made = LogScan()
    yield made
    shutil.rmtree(made.directory)


@pytest.mark.parametrize(
    "line",
    [
        "Authorization: Bearer abcdefgh12345678",
        "got " + "eyJhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiJtZSJ9." + "c2lnbmF0dXJl",
        "key AKIA" + "IOSFODNN7EXAMPLE",
        "xoxb-" + "1234567890-abcdefghij",
        "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "postgresql://penny:" + "hunter@db:5432/penny",
        "-----BEGIN " + "PRIVATE KEY-----",
        "card 4242 4242 " + "4242 4242",
        "key 0123456789abcdef" + "0123456789abcdef",
    ],
)
def test_a_secret_in_a_line_is_found(scan: LogScan, line: str) -> None:
    """By its form, or because the tests gave it."""
    scan.feed("here", f'{{"event": "x", "value": "{line}"}}')
    assert len(list(scan.found())) == 1


def test_what_helps_people_on_call_is_no_secret(scan: LogScan) -> None:
    """Ids, times, counts, ARNs, addresses, and what was hidden."""
    scan.feed("here", "run 0198f3a2-7c4e-7d31-9b0a-5f2d8e6c1a47 input_tokens: 4242, 1764132825451081000 ns")
    scan.feed("here", "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc http://127.0.0.1:8000/")
    scan.feed(
        "here", "Bearer [hidden] postgresql://penny:[hidden]@db/penny, like postgresql://user:password@host:5432/x"
    )
    assert list(scan.found()) == []


def test_what_somebody_said_is_found(scan: LogScan) -> None:
    """Also where its figures differ, which every line of a kind does; not what is too short to be told from chance."""
    scan.said = {"I paid 40 for my therapist", "Groceries", "4" * 40}
    scan.feed("here", '{"event": "Groceries", "size": 40}')
    assert list(scan.found()) == []
    scan.feed("here", '{"event": "run.failed", "what": "I paid 40 for my therapist"}')
    assert len(list(scan.found())) == 1


async def test_a_leak_of_a_program_fails_the_run(tmp_path: Path) -> None:
    """A run whose tests pass ends with 1 when a program that it started logged a token, and says which."""
    leaky = tmp_path / "test_leaky.py"
    leaky.write_text(
        "import os, subprocess, sys\n"
        "def test_passes():\n"
        "    code = 'import sys; sys.stderr.write(\"x \" + sys.argv[1])'\n"
        "    secret = os.environ.get('LEAK', 'nothing')\n"
        "    assert subprocess.run([sys.executable, '-c', code, secret], stderr=subprocess.DEVNULL).returncode == 0\n"
    )
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "TESTS_LOGS"))}
    for leak, code in (("nothing", 0), ("AKIA" + "IOSFODNN7EXAMPLE", 1)):
        command = (sys.executable, "-m", "pytest", "-p", "log_scan_plugin", "-p", "no:cacheprovider", str(leaky))
        process = await asyncio.create_subprocess_exec(
            *command, cwd=tmp_path, env={**kept, "PYTHONPATH": python_path(KITS, ROOT), "LEAK": leak},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        out, _ = await process.communicate()
        assert process.returncode == code, out.decode()
        assert ("LOGGED, and must not be" in out.decode()) is bool(code)
