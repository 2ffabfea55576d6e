"""Files of YAML that belong to the lab: every mistake is told with its file, line, key and what is allowed there."""

from __future__ import annotations

from pathlib import Path

from domain.errors import SetupError
from domain.nodes import Node, parse


class CaseError(SetupError):
    """A file of cases cannot be used; the message says where in it and why."""

    code = "case"


def read(path: Path) -> Node:
    """The document in the file. Raises CaseError."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CaseError(f"{path} cannot be read: {error}.") from None
    return parse(text, str(path), CaseError)
