"""Looks through everything that was logged in a run of the tests, for secrets and for what people said.

The programs that tests start write their standard error into one directory as well (teed/sitecustomize.py); what is
logged within the tests' own process is what pytest captured. At the end all of it is held against secrets by form, the
secrets that the tests gave, and every text that any database of the run holds: messages, memos, facts, titles.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg

TEED = Path(__file__).with_name("teed")
FORMS = re.compile(
    r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}|\b(?:AKIA|ASIA)[A-Z0-9]{12,}|\bxox[a-z]-[\w-]{10,}|\bxapp-[\w-]{10,}"
    r"|\b\d{8,}:[\w-]{30,}|\b(?:whsec_|sk-)[\w+/=-]{16,}|-----BEGIN "
    r"|[a-z]://[^\s:/@\"]*:(?!\[hidden\]|password@host)[^\s@/\"]{3,}@"
    r"|\b[Bb](?:earer|asic) (?!\[hidden\]|realm)[\w.~+/=-]{16,}"
)
DIGITS = re.compile(r"(?<![\w.-])\d(?:[ -]?\d){12,18}(?![\w.-])")
LEAST = 16
"""Shorter texts are in logs by chance."""

GIVEN = ("0123456789abcdef0123456789abcdef", "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY", "hunter2hunter2")
"""Secrets that fixtures give; those of a form (tokens, keys, URLs with passwords, cards) are found by it."""

SAID = """
    SELECT text FROM message UNION SELECT memo FROM txn UNION SELECT text FROM user_fact UNION SELECT title FROM session
"""
FAILED = r"""
    SELECT line FROM run_event, string_to_table(events, E'\n') line
    WHERE events LIKE '%run.failed%' AND line LIKE E'%\trun.failed\t%'
"""
"""How replies failed: a flush may hold what was said before, too."""

_VARYING = re.compile(r"\d+")


def python_path(*paths: Path) -> str:
    """PYTHONPATH of a program whose log is to be looked through."""
    return os.pathsep.join(map(str, (*paths, TEED)))


def shape(text: str) -> str:
    """The text with its figures alike: lines that differ only there are looked at once."""
    return _VARYING.sub("0", text)


class LogScan:
    """What was logged, and what must not have been."""

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="penny-logs-"))
        self.lines = 0
        self.said: set[str] = set()
        self._shapes: dict[str, str] = {}
        self._found: dict[str, str] = {}

    def feed(self, where: str, text: str) -> None:
        """Lines that were logged there."""
        for line in text.splitlines():
            self.lines += 1
            alike = shape(line)
            if alike not in self._shapes:
                self._shapes[alike] = where
                self._look_for_secrets(where, line)
            elif any(c.isdigit() for c in line):
                self._look_for_secrets(where, line)

    def _look_for_secrets(self, where: str, line: str) -> None:
        for secret in GIVEN:
            if secret in line:
                self._found[f"a secret that was given: {secret[:6]}…"] = where
        for found in FORMS.finditer(line):
            self._found[f"what has the form of a secret: {found[0][:8]}…"] = where
        for digits in DIGITS.finditer(line):
            if is_card(digits[0]):
                self._found[f"what has the form of a card's number: {digits[0][:4]}…"] = where

    def feed_programs(self) -> None:
        """What programs wrote, each to a file of its own."""
        for file in sorted(self.directory.glob("*.log")):
            self.feed(f"a program's log, {file.name}", file.read_text(encoding="utf-8", errors="replace"))

    async def learn(self, url: str) -> None:
        """Every text in the databases of a server, of whomever, by its superuser's URL; and what failed runs told."""
        server = await asyncpg.connect(url)
        names = await server.fetch("SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate")
        await server.close()
        for (name,) in names:
            at = urlsplit(url)._replace(path=f"/{name}").geturl()
            database = await asyncpg.connect(at, server_settings={"search_path": "penny"})
            try:
                rows = await database.fetch(SAID)
                for (failure,) in await database.fetch(FAILED):
                    self.feed(f"how a run failed, database {name}", str(failure))
            except asyncpg.UndefinedTableError:
                continue  # a test's own, at an earlier revision
            finally:
                await database.close()
            self.said |= {text for (text,) in rows if text and len(text) >= LEAST}

    def found(self) -> Iterator[str]:
        """What must not be in a log and is, with where."""
        for what, where in self._found.items():
            yield f"{where}: {what}"
        together = "\n".join(self._shapes)
        for words in sorted({line for text in self.said for line in _told(text)}):
            if words in together:
                where = next(where for alike, where in self._shapes.items() if words in alike)
                yield f"{where}: what somebody said: {words[:60]!r}"


def _told(text: str) -> Iterator[str]:
    """The lines of a text by which it would be known again: long enough, and not of figures and marks alone."""
    for line in map(shape, text.splitlines()):
        if len(line) >= LEAST and sum(c.isalpha() for c in line) >= LEAST // 2:
            yield line


def is_card(text: str) -> bool:
    """Whether it passes the check of card numbers (ISO/IEC 7812-1, Luhn), and begins like one that people have."""
    digits = [int(c) for c in text if c.isdecimal()]
    doubled = [d * 2 - 9 * (d > 4) for d in digits[-2::-2]]
    return 13 <= len(digits) <= 19 and digits[0] in (3, 4, 5, 6) and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
