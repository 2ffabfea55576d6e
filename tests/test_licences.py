"""Nothing is locked whose licence reaches Penny's own code, and the list says what there is."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def licences() -> ModuleType:
    spec = importlib.util.spec_from_file_location("licences", ROOT / "image" / "licences.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_list_is_of_what_is_locked(licences: ModuleType) -> None:
    """Each with its version and a licence that is allowed; `make licences` makes it anew. What is installed says the
    same of itself."""
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", licences.PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    listed = {(name, version): licence for name, version, licence in rows[0:] if name not in ("package", "---")}
    locked = {*licences.locked().items(), *((name, version) for name, version, _ in licences.scripts())}
    assert set(listed) == locked
    assert [row for row in listed.items() if not licences.allowed(row[1])] == []
    for name, version in licences.locked().items():
        assert licences.licence(name) in (None, listed[name, version])


@pytest.mark.parametrize(
    "refused", ["GPL-3.0-only", "AGPL-3.0", "MIT AND GPL-2.0", "unknown", "Elastic-2.0", "SSPL-1.0"]
)
def test_a_licence_that_reaches_our_code_is_refused(licences: ModuleType, refused: str) -> None:
    """And one that nobody knows."""
    assert not licences.allowed(refused)


@pytest.mark.parametrize("taken", ["MIT", "GPL-2.0 OR MIT", "MPL-2.0 AND (Apache-2.0 OR MIT)"])
def test_a_permissive_licence_is_taken(licences: ModuleType, taken: str) -> None:
    """Also as one of a choice."""
    assert licences.allowed(taken)
