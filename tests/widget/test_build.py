"""What the build makes: its size, its shape, the package for npm, and the tests of its modules."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
from pathlib import Path

import pytest

WIDGET = Path(__file__).parents[2] / "widget"
LIMIT = 60_000


def run(*command: str) -> str:
    """Runs a command with the widget's Node, in its folder."""
    done = subprocess.run(["/bin/sh", "node.sh", *command], cwd=WIDGET, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def script(built):
    """The built script."""
    return built / json.loads((built / "manifest.json").read_text())["widget"]


def test_the_script_is_small(script):
    """At most 60 KB gzipped, the lazy chunks aside."""
    assert len(gzip.compress(script.read_bytes(), 9)) <= LIMIT


def test_the_script_is_good_as_a_module_and_as_a_classic_script(built, script):
    """No import, export or import.meta in it, and what it loads later loads nothing itself."""
    text = script.read_text()
    assert text.startswith("(()=>{")
    assert "import.meta" not in text
    assert not re.search(r"(?:^|[;}])(?:export\b|import[\s{\"'*])", text)
    for chunk in built.glob("widget-*-*.js"):
        if chunk != script:
            assert not re.search(r"\bfrom\s*[\"'`]\./|\bimport\s*[\"'(]", chunk.read_text()), chunk.name


def test_the_lock_names_no_registry():
    """Another registry than ours can serve the same packages."""
    lock = json.loads((WIDGET / "package-lock.json").read_text())
    assert [name for name, package in lock["packages"].items() if "resolved" in package] == []


def test_the_modules_pass_their_tests():
    """Node's own runner, on the modules that need no browser."""
    assert re.search(r"^# fail 0$", run("npm", "test", "--silent"), re.MULTILINE)


def test_the_package_for_npm_holds_a_module_and_its_types(tmp_path):
    """`npm pack` builds it; nothing else is in it."""
    packed = json.loads(run("npm", "pack", "--json", "--silent", "--pack-destination", str(tmp_path)))
    entry = packed[0] if isinstance(packed, list) else next(iter(packed.values()))
    names = {file["path"] for file in entry["files"]}
    assert {"package.json", "dist/index.js", "dist/index.d.ts"} <= names
    assert not [name for name in names if not name.startswith("dist/") and name not in ("package.json", "README.md")]
    assert "PennyChat" in (WIDGET / "dist" / "index.js").read_text()
