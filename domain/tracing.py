"""Spans of a trace, as code that is traced sees them: none of it knows who collects them, or whether anybody does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

Attribute = str | int | float | bool | list[str]
"""Ids, names and numbers: never what somebody said, and no amounts of money."""


class Span(Protocol):
    """Something that takes time."""

    def set(self, **attributes: Attribute) -> None:
        """What is known of it now; `a__b` is the attribute `a.b`."""
        ...

    def failed(self, error: str) -> None:
        """It went wrong; `error` is a code or a type, never a message."""
        ...

    def end(self) -> None:
        """It is over."""
        ...


class Tracer(Protocol):
    """Makes spans."""

    def within(self, name: str, attributes: Mapping[str, Attribute]) -> AbstractContextManager[Span]:
        """A span around a block: what begins in it belongs to it. An exception makes it failed, and goes on."""
        ...

    def begin(self, name: str, attributes: Mapping[str, Attribute]) -> Span:
        """A span to which nothing else belongs, of a call to another service; its holder ends it."""
        ...


class _Nothing:
    def set(self, **attributes: Attribute) -> None:
        return

    def failed(self, error: str) -> None:
        return

    def end(self) -> None:
        return


_NOTHING = _Nothing()


class Untraced:
    """Makes nothing."""

    @contextmanager
    def within(self, name: str, attributes: Mapping[str, Attribute]) -> Iterator[Span]:
        yield _NOTHING

    def begin(self, name: str, attributes: Mapping[str, Attribute]) -> Span:
        return _NOTHING


UNTRACED: Tracer = Untraced()
