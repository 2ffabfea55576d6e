"""What a bank's file comes down to: lines with day, amount and texts; and the ways in which a file can be refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from domain.errors import InvalidInput
from domain.money import MAX_MINOR

Format = Literal["csv", "ofx", "qif", "camt.053"]

MAX_BYTES: Final = 10 * 1024 * 1024
MAX_ROWS: Final = 200_000
ERRORS_SHOWN: Final = 50
EARLIEST: Final = date(1900, 1, 1)
LATEST: Final = date(2100, 12, 31)

Progress = Callable[[str, int, int], None]
"""Told what is being done ("reading", "storing"), how many rows are done and of how many (0: not known)."""


class FileTooLarge(InvalidInput):
    """More bytes or rows than an import takes."""

    code = "too_large"
    status = 413


class UnreadableFile(InvalidInput):
    """The file is none of the formats, or broken beyond its rows."""

    code = "unreadable_file"


class AmbiguousFile(InvalidInput):
    """The data allows two readings; the message says which, and how a mapping decides."""

    code = "ambiguous_file"


@dataclass(frozen=True, slots=True)
class RowError:
    """Why a row cannot be taken; `line` counts the file's lines from 1."""

    line: int
    message: str


class RowsRefused(InvalidInput):
    """Rows that cannot be taken, by line; the whole file was left out. `details["rows"]` has the first ones."""

    code = "rows_refused"

    def __init__(self, errors: Sequence[RowError]) -> None:
        first = errors[0]
        more = f" (and {len(errors) - 1} more rows)" if len(errors) > 1 else ""
        super().__init__(
            f"Nothing was imported. Line {first.line}: {first.message}{more}",
            rows=[{"line": error.line, "message": error.message} for error in errors[:ERRORS_SHOWN]],
            row_errors=len(errors),
        )


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a posting that the file splits: its minor units, of either sign, and the category's name that it
    gives."""

    minor: int
    category: str | None = None
    memo: str = ""


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One posting of a file: `minor` units of the account's currency, negative for money that left. Texts are clean.

    `bank_id` is the bank's own identifier of it, `category` a category's name that the file gives. With `parts`, two or
    more that come to `minor`, the file splits it.
    """

    line: int
    day: date
    minor: int
    merchant: str
    memo: str = ""
    bank_id: str | None = None
    category: str | None = None
    pending: bool = False
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Statement:
    """A file that was understood. `notes` say how, in sentences for the person who imports; `skipped` rows carry no
    posting (declined, totals)."""

    format: Format
    lines: tuple[StatementLine, ...]
    notes: tuple[str, ...] = ()
    skipped: int = 0


class Rows:
    """Collects a file's lines and errors. Raises FileTooLarge beyond MAX_ROWS."""

    def __init__(self, progress: Progress, total: int = 0) -> None:
        self.lines: list[StatementLine] = []
        self.errors: list[RowError] = []
        self._progress = progress
        self._total = total

    def add(self, line: StatementLine) -> None:
        """One more; checks what every format must: a plausible day and amount."""
        if not EARLIEST <= line.day <= LATEST:
            self.refuse(line.line, f"{line.day.isoformat()} is not a day that a statement can have.")
        elif abs(line.minor) > MAX_MINOR:
            self.refuse(line.line, "The amount is too large.")
        else:
            self.lines.append(line)
        self._count()

    def refuse(self, line: int, message: str) -> None:
        """A row that cannot be taken."""
        self.errors.append(RowError(line, message))

    def done(self, format_: Format, notes: Sequence[str] = (), skipped: int = 0) -> Statement:
        """The statement. Raises RowsRefused when any row was, UnreadableFile when there is none."""
        if self.errors:
            raise RowsRefused(sorted(self.errors, key=lambda error: error.line))
        if not self.lines:
            raise UnreadableFile("There are no transactions in this file.")
        return Statement(format_, tuple(self.lines), tuple(notes), skipped)

    def _count(self) -> None:
        taken = len(self.lines) + len(self.errors)
        if taken > MAX_ROWS:
            raise FileTooLarge(f"A file may have {MAX_ROWS} transactions at most; split it.")
        if taken % 5_000 == 0:
            self._progress("reading", taken, self._total)
