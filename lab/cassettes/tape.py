"""A cassette as a file: JSON lines, the header first, then the exchanges; texts that come again are kept once."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from domain.errors import PennyError
from lab.cassettes.asked import PARTS, Asked, digest

FORMAT = 1
SUFFIX = ".jsonl"

_SHARED = ("system", "tools", "aside")
"""Parts that are long and mostly the same: kept on lines of their own, named by their digest."""


class CassetteError(PennyError):
    """A cassette cannot be read or written; the message names the file and what is wrong."""

    code = "cassette"
    status = 422


@dataclass(frozen=True, slots=True)
class Header:
    """Who made the answers, when, and what they depended on: only these parts of a request are compared.

    `made_with`: `live` is Bedrock; `embedded` the embedded model, and `scripted` a script, both through the emulator.
    With a `salt` the words of people are masked. It is kept in a file of its own beside the cassette: who has only the
    cassette cannot try out which word gives which mask. Without it (`masked`, no `salt`) nothing can be matched.
    """

    made_with: Literal["live", "embedded", "scripted"]
    recorded: str
    match: tuple[str, ...] = PARTS
    salt: str | None = None
    note: str = ""
    masked: bool = False

    def __post_init__(self) -> None:
        if self.made_with not in ("live", "embedded", "scripted") or not set(self.match) <= set(PARTS):
            raise ValueError(f"unknown {self.made_with!r} or {self.match!r}")
        if self.salt is not None and not {"system", "tools"} <= set(self.match):
            raise ValueError("what is masked depends on the prompt and the tools, which therefore have to match")


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request by part, and the answer in the form of the emulator's script files."""

    asked: Asked
    turn: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Cassette:
    """A recording."""

    path: Path
    header: Header
    exchanges: tuple[Exchange, ...] = field(repr=False)


class Writer:
    """Writes a cassette, exchange by exchange; one that exists is replaced."""

    def __init__(self, path: Path, header: Header) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("w", encoding="utf-8")
        self._kept: set[str] = set()
        self.count = 0
        salt_of(path).unlink(missing_ok=True)
        if header.salt is not None:
            with open(os.open(salt_of(path), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(header.salt)
        told = asdict(replace(header, salt=None, masked=header.salt is not None))
        self._line({"cassette": FORMAT, **{k: v for k, v in told.items() if v not in (None, "", False)}})

    def add(self, exchange: Exchange) -> None:
        """Keeps an exchange, safe as soon as this returns."""
        asked = dict(exchange.asked)
        for part in _SHARED:
            name = digest(asked[part])
            if name not in self._kept:
                self._line({"text": name, "value": asked[part]})
                self._kept.add(name)
            asked[part] = name
        self._line({"asked": asked, "turn": exchange.turn})
        self.count += 1

    def close(self) -> None:
        self._file.close()

    def _line(self, value: Mapping[str, Any]) -> None:
        self._file.write(json.dumps(value, ensure_ascii=False) + "\n")
        self._file.flush()


def salt_of(path: Path) -> Path:
    """The file with the salt of a masked cassette. Who is to play it needs it; who is only to read it does not."""
    return path.with_name(f"{path.name}.salt")


def read(path: Path) -> Cassette:
    """The cassette in a file, with its salt if that is beside it. Raises CassetteError."""
    try:
        first, *lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        if first.get("cassette") != FORMAT:
            raise CassetteError(f"{path} is a cassette of another format than {FORMAT}; record it again.")
        masked = bool(first.get("masked"))
        header = Header(
            first["made_with"],
            first["recorded"],
            tuple(first.get("match", PARTS)),
            salt_of(path).read_text(encoding="utf-8") if masked and salt_of(path).exists() else None,
            first.get("note", ""),
            masked,
        )
        return Cassette(path, header, tuple(_exchanges(lines)))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CassetteError(f"{path} is no cassette: {error}.") from error


def read_all(where: Path) -> list[Cassette]:
    """The cassettes of a folder and those below it, or the one of a file. Raises CassetteError, also when there is
    none."""
    found = [where] if where.is_file() else sorted(where.rglob(f"*{SUFFIX}"))
    if not found:
        raise CassetteError(f"There are no cassettes (*{SUFFIX}) in {where}.")
    return [read(path) for path in found]


def _exchanges(lines: Iterable[dict[str, Any]]) -> Iterable[Exchange]:
    texts: dict[str, Any] = {}
    for line in lines:
        if "text" in line:
            texts[line["text"]] = line["value"]
        else:
            asked = line["asked"]
            yield Exchange({**asked, **{part: texts[asked[part]] for part in _SHARED}}, line["turn"])
