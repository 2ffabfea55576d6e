"""On the path of the programs that tests start: their standard error is kept too (tests/kits/log_scan.py)."""

from __future__ import annotations

import os
import sys
from typing import Any, TextIO


class Teed:
    """Standard error, and a file besides."""

    def __init__(self, stream: TextIO, path: str) -> None:
        self._stream, self._path = stream, path
        self._file: TextIO | None = None

    def write(self, text: str) -> int:
        if self._file is None:
            self._file = open(self._path, "a", encoding="utf-8", errors="backslashreplace")  # noqa: SIM115
        self._file.write(text)
        self._file.flush()
        return self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


if (directory := os.environ.get("TESTS_LOGS")) and os.path.isdir(directory) and sys.stderr is not None:
    sys.stderr = Teed(sys.stderr, os.path.join(directory, f"{os.getpid()}.log"))  # type: ignore[assignment]
