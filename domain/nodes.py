"""YAML as positions and text: every mistake is told with its file, line, key and what is allowed there."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import TypeVar

import yaml
from rapidfuzz.process import extractOne

from domain.errors import SetupError

T = TypeVar("T")
Yaml = yaml.Node


@dataclass(frozen=True)
class Node:
    """A place in a file: `path` are the keys that lead to it, `error` what is raised when something is wrong there."""

    file: str
    yaml: Yaml
    path: str = ""
    error: type[SetupError] = SetupError

    @property
    def line(self) -> int:
        """Counted from 1."""
        return int(self.yaml.start_mark.line) + 1

    def wrong(self, what: str) -> SetupError:
        """The error that something about this place is wrong."""
        where = f"{self.file}, line {self.line}"
        return self.error(f"{where}: {self.path + ' ' if self.path else ''}{what}")

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
            yield self._at(item, f"{self.path}[{nth}]")

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
                raise self._at(key, self._to(name)).wrong("stands there twice.")
            found[name] = self._at(value, self._to(name))
        return found

    def keys(self, allowed: Collection[str], required: Collection[str] = ()) -> dict[str, Node]:
        """A mapping with these keys only."""
        found = self.pairs()
        for name, node in found.items():
            if name not in allowed:
                raise self._at(node.yaml, self.path).wrong(
                    f"has {name!r}, which is not known here; allowed: {', '.join(allowed)}{_near(name, allowed)}"
                )
        if missing := [name for name in required if name not in found]:
            raise self.wrong(f"needs {' and '.join(missing)}; allowed: {', '.join(allowed)}.")
        return found

    def _at(self, node: Yaml, path: str) -> Node:
        return Node(self.file, node, path, self.error)

    def _to(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name


def parse(text: str, file: str, error: type[SetupError] = SetupError) -> Node:
    """The document that the text is; `file` names it, `error` is what is raised for what is wrong in it."""
    try:
        document = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as mistake:
        line = f", line {mistake.problem_mark.line + 1}" if mistake.problem_mark else ""
        raise error(f"{file}{line}: this is no YAML: {mistake.problem}.") from None
    except yaml.YAMLError as mistake:
        raise error(f"{file}: this is no YAML: {mistake}.") from None
    if document is None:
        raise error(f"{file} is empty.")
    return Node(file, document, error=error)


def _near(text: str, allowed: Collection[str]) -> str:
    found = extractOne(text, list(allowed), score_cutoff=70)
    return f"; did you mean {found[0]}?" if found else "."
