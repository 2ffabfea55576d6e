"""YAML as positions and text: every mistake is told with its file, line, key and what is allowed there."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TypeVar

import yaml
from rapidfuzz.process import extractOne

from domain.errors import SetupError

T = TypeVar("T")


class CaseError(SetupError):
    """A file of cases cannot be used; the message says where in it and why."""

    code = "case"


@dataclass(frozen=True)
class Node:
    """A place in a file: `path` are the keys that lead to it."""

    file: str
    yaml: yaml.Node
    path: str = ""

    @property
    def line(self) -> int:
        """Counted from 1."""
        return int(self.yaml.start_mark.line) + 1

    def wrong(self, what: str) -> CaseError:
        """The error that something about this place is wrong."""
        where = f"{self.file}, line {self.line}"
        return CaseError(f"{where}: {self.path + ' ' if self.path else ''}{what}")

    @property
    def is_map(self) -> bool:
        return isinstance(self.yaml, yaml.MappingNode)

    @property
    def is_list(self) -> bool:
        return isinstance(self.yaml, yaml.SequenceNode)

    @property
    def is_null(self) -> bool:
        return bool(self.yaml.tag == "tag:yaml.org,2002:null")

    def text(self) -> str:
        """A scalar as written."""
        if not isinstance(self.yaml, yaml.ScalarNode) or self.is_null:
            raise self.wrong("has to be a text.")
        return str(self.yaml.value)

    def one_of(self, allowed: Collection[str]) -> str:
        """A text of those that are allowed."""
        text = self.text()
        if text not in allowed:
            raise self.wrong(f"is {text!r}; allowed: {', '.join(allowed)}{_near(text, allowed)}")
        return text

    def number(self) -> Decimal:
        try:
            return Decimal(self.text().replace("_", ""))
        except InvalidOperation:
            raise self.wrong(f"is {self.text()!r}; it has to be a number like 12.50.") from None

    def count(self) -> int:
        """A whole number from 0 up."""
        if not self.text().isdecimal():
            raise self.wrong(f"is {self.text()!r}; it has to be a whole number.")
        return int(self.text())

    def day(self) -> date:
        try:
            return date.fromisoformat(self.text())
        except ValueError:
            raise self.wrong(f"is {self.text()!r}; it has to be a day like 2026-11-22.") from None

    def flag(self) -> bool:
        return self.one_of(("true", "false")) == "true"

    def items(self) -> Iterator[Node]:
        """The items of a list, each with its number in the path."""
        if not isinstance(self.yaml, yaml.SequenceNode):
            raise self.wrong("has to be a list.")
        for nth, item in enumerate(self.yaml.value, 1):
            yield Node(self.file, item, f"{self.path}[{nth}]")

    def each(self, read: Callable[[Node], T]) -> tuple[T, ...]:
        return tuple(read(item) for item in self.items())

    def texts(self) -> tuple[str, ...]:
        """A list of texts, or one."""
        return self.each(Node.text) if self.is_list else (self.text(),)

    def pairs(self) -> dict[str, Node]:
        """A mapping with any keys, each once."""
        if not isinstance(self.yaml, yaml.MappingNode):
            raise self.wrong("has to be a mapping (key: value).")
        found: dict[str, Node] = {}
        for key, value in self.yaml.value:
            name = str(key.value)
            if name in found:
                raise Node(self.file, key, self._to(name)).wrong("stands there twice.")
            found[name] = Node(self.file, value, self._to(name))
        return found

    def keys(self, allowed: Collection[str], required: Collection[str] = ()) -> dict[str, Node]:
        """A mapping with these keys only."""
        found = self.pairs()
        for name, node in found.items():
            if name not in allowed:
                raise Node(self.file, node.yaml, self.path).wrong(
                    f"has {name!r}, which is not known here; allowed: {', '.join(allowed)}{_near(name, allowed)}"
                )
        if missing := [name for name in required if name not in found]:
            raise self.wrong(f"needs {' and '.join(missing)}; allowed: {', '.join(allowed)}.")
        return found

    def _to(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name


def read(path: Path) -> Node:
    """The document in the file. Raises CaseError."""
    try:
        document = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (OSError, UnicodeDecodeError) as error:
        raise CaseError(f"{path} cannot be read: {error}.") from None
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise CaseError(f"{path}{line}: this is no YAML: {error.problem}.") from None
    if document is None:
        raise CaseError(f"{path} is empty; it has to have a list `cases`.")
    return Node(str(path), document)


def _near(text: str, allowed: Collection[str]) -> str:
    found = extractOne(text, list(allowed), score_cutoff=70)
    return f"; did you mean {found[0]}?" if found else "."
