"""`make licences`: the licences of what is locked, as docs/reference/licences.md; what is not allowed is an error.

What the service, the laptop and the image run on (locks/run.txt), and what the widget's script is built from and with
(widget/package-lock.json). Read from the packages' own metadata, so it is made where they are installed.
"""

from __future__ import annotations

import importlib.metadata
import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reference" / "licences.md"

ALLOWED = {
    *("0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "CNRI-Python", "ISC", "MIT", "MIT-0", "MIT-CMU"),
    *("MPL-2.0", "PSF-2.0", "Zlib", "BlueOak-1.0.0", "CC-BY-4.0", "Python-2.0", "Unlicense"),
}
"""Permissive, or (MPL) bound to the file: nothing whose terms reach Penny's own code. SPDX names."""

_SPDX = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
ELSEWHERE = {"colorama": "BSD-3-Clause", "httpx2-jsfetch": "BSD-3-Clause", "pywin32": "PSF-2.0"}
"""Locked for other systems, so not to be read here."""


def locked() -> dict[str, str]:
    """Name and version of what Python's lock has."""
    lines = (ROOT / "locks" / "run.txt").read_text(encoding="utf-8").splitlines()
    return dict(
        sorted(m.groups() for line in lines if (m := re.match(r"([\w.-]+)(?:\[[\w,-]+\])?==([^\s;\\]+)", line)))
    )


def licence(name: str) -> str | None:
    """An installed package's licence, by SPDX names where it says so itself or its classifiers do; None: not here."""
    try:
        told = importlib.metadata.metadata(name)
    except importlib.metadata.PackageNotFoundError:
        return None
    classified = [c.split(" :: ")[-1] for c in told.get_all("Classifier") or [] if c.startswith("License :: ")]
    named = [_SPDX.get(c, c) for c in classified if c != "OSI Approved"]
    return told.get("License-Expression") or " OR ".join(named) or (told.get("License") or "unknown").split("\n")[0]


def scripts() -> list[tuple[str, str, str]]:
    """Name, version and licence of what npm's lock has."""
    packages = json.loads((ROOT / "widget" / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    return sorted(
        (path.rpartition("node_modules/")[2], p["version"], p.get("license", "unknown"))
        for path, p in packages.items()
        if path
    )


def allowed(expression: str) -> bool:
    """Whether every part of it is, or one of each choice."""
    text = expression.replace("(", " ").replace(")", " ")
    return all(any(one.strip() in ALLOWED for one in part.split(" OR ")) for part in text.split(" AND "))


def page() -> str:
    """The list. Raises ValueError for what is not allowed."""
    python = [(name, version, licence(name) or ELSEWHERE.get(name, "unknown")) for name, version in locked().items()]
    refused = [row for row in (*python, *scripts()) if not allowed(row[2])]
    if refused:
        raise ValueError(f"not allowed: {refused}")
    head = "| package | version | licence |\n| --- | --- | --- |\n"
    return (
        "# Licences of what Penny is made with\n\n"
        "Made by `make licences` from the locks; a test holds them together.\n\n"
        f"## Python\n\n{head}{_rows(python)}\n## The widget's script, and what builds it\n\n{head}{_rows(scripts())}"
    )


def _rows(rows: list[tuple[str, str, str]]) -> str:
    return "".join(f"| {name} | {version} | {licence} |\n" for name, version, licence in dict.fromkeys(rows))


if __name__ == "__main__":
    try:
        PAGE.write_text(page(), encoding="utf-8")
    except ValueError as error:
        sys.exit(f"penny: {error}")
