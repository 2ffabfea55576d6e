"""A home of its own for tests that stop, kill or damage an embedded server."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from db.embedded import embedded, stop


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder that any account may enter."""
    made = Path(tempfile.mkdtemp(prefix=f"penny-pytest-{os.getpid()}-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
async def empty_home(folder: Path) -> AsyncIterator[Path]:
    """A home without a database yet; what runs in it is stopped afterwards."""
    yield folder
    await stop(folder)


@pytest.fixture(scope="session")
async def pattern() -> AsyncIterator[Path]:
    """A home whose database was made, and stopped, once for the session."""
    made = Path(tempfile.mkdtemp(prefix=f"penny-pytest-{os.getpid()}-"))
    Path.chmod(made, 0o755)
    async with embedded(made, durable=False):
        pass
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def home(empty_home: Path, pattern: Path) -> Path:
    """A home with a database of its own that nobody has started yet."""
    subprocess.run(["/bin/cp", "-a", pattern / "postgres", empty_home], check=True)
    return empty_home
