"""The folders are the architecture, and nothing stands outside it."""

from __future__ import annotations

import ast
import importlib
import re
import tomllib
from pathlib import Path

import pytest
from packaging.version import Version

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES = {p.parent.name for p in ROOT.glob("*/__init__.py")}
NOT_PACKAGES = {"tests", "docs", "locks", "bench", "infra"}
UGLY = {"utils", "helpers", "common", "manager"}

FLOORS = {
    "langgraph-checkpoint": "4.0.0",
    "langgraph": "1.0.10",
    "langchain-core": "1.3.3",
    "langsmith": "0.8.0",
    "starlette": "1.3.1",
    "python-multipart": "0.0.32",
    "pyjwt": "2.13.0",
    "cryptography": "50.0.0",
    "aiohttp": "3.14.1",
    "pydantic-settings": "2.14.2",
    "python-dotenv": "1.2.2",
}
"""Below these versions there are known vulnerabilities."""


def layered() -> set[str]:
    """The packages that the layers contract names."""
    layers = PROJECT["tool"]["importlinter"]["contracts"][0]["layers"]
    return {name.strip(" ()") for layer in layers for name in layer.split("|")}


def test_every_top_level_package_has_its_layer():
    """A new top-level package cannot appear without a place in the architecture."""
    assert layered() == PACKAGES - NOT_PACKAGES


def test_every_list_of_packages_is_the_same():
    """What is built, typed and linted is every package."""
    for listed in (
        PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"],
        PROJECT["tool"]["mypy"]["packages"],
        PROJECT["tool"]["importlinter"]["root_packages"],
    ):
        assert set(listed) == layered()


def test_the_image_is_built_from_every_package():
    """The Dockerfile copies each one, and .dockerignore lets it."""
    copied = re.findall(r"^COPY (\w+) \1$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    sent = re.findall(r"^!(\w+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE)
    assert set(copied) == layered()
    assert layered() <= set(sent)


def test_the_images_bases_are_pinned_by_digest():
    """A tag moves; a digest does not."""
    bases = re.findall(r"^ARG \w+_IMAGE=(.+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert len(bases) == 2
    assert all(re.search(r"@sha256:[0-9a-f]{64}$", base) for base in bases)


@pytest.mark.parametrize("name", sorted(PACKAGES - NOT_PACKAGES))
def test_a_root_package_is_ours(name: str):
    """No installed distribution or test folder shadows a root package."""
    origin = importlib.import_module(name).__file__
    assert origin is not None
    assert Path(origin).is_relative_to(ROOT / name)


def test_no_module_is_a_drawer():
    """There is no utils, helpers, common or manager, anywhere."""
    modules = {p.stem for name in PACKAGES - NOT_PACKAGES for p in (ROOT / name).rglob("*.py")}
    assert not modules & UGLY


def test_infra_knows_penny_by_its_image_only():
    """What deploys Penny imports nothing of it, and nothing of it imports what deploys it."""
    for name in {"infra", *PACKAGES - NOT_PACKAGES}:
        foreign = PACKAGES - NOT_PACKAGES if name == "infra" else {"infra"}
        for path in (ROOT / name).rglob("*.py"):
            if "node_modules" in path.parts:
                continue
            nodes = list(ast.walk(ast.parse(path.read_text())))
            imported = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
            imported |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
            assert not {module.partition(".")[0] for module in imported} & foreign, path


def test_settings_are_imported_by_penny_only():
    """Nobody below the shell reads settings or the environment."""
    for name in PACKAGES - NOT_PACKAGES - {"penny"}:
        for path in (ROOT / name).rglob("*.py"):
            tree = ast.parse(path.read_text())
            imported = {
                alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
            } | {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
            assert "penny.settings" not in imported, path


@pytest.mark.parametrize("lock", ["run", "dev", "image"])
def test_no_locked_version_is_known_to_be_vulnerable(lock: str):
    """The lock holds nothing below a floor."""
    pins = dict(re.findall(r"^([a-z0-9-]+)==([^ ;\\]+)", (ROOT / "locks" / f"{lock}.txt").read_text(), re.MULTILINE))
    assert len(pins) > 50
    below = {n: pins[n] for n, floor in FLOORS.items() if n in pins and Version(pins[n]) < Version(floor)}
    assert not below
    assert "langgraph-checkpoint-sqlite" not in pins


@pytest.mark.parametrize("lock", sorted(p.name for p in (ROOT / "locks").glob("*.txt")))
def test_locks_carry_hashes_and_no_addresses(lock: str):
    """Every pin has a hash; no registry or local path is named."""
    text = (ROOT / "locks" / lock).read_text()
    assert "://" not in text
    assert "--index-url" not in text
    blocks = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert all("--hash=sha256:" in block for block in blocks)
