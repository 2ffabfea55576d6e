"""A home of its own for tests that stop, kill or damage an embedded server."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from db.embedded import stop


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder that any account may enter."""
    made = Path(tempfile.mkdtemp(prefix="penny-test-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
async def home(folder: Path) -> AsyncIterator[Path]:
    """A home without a database yet; what runs in it is stopped afterwards."""
    yield folder
    await stop(folder)
