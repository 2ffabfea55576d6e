"""A home of its own for tests that stop, kill or damage an embedded server."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from db.embedded import stop


@pytest.fixture
async def home() -> AsyncIterator[Path]:
    """An empty folder that any account may enter; what runs in it is stopped afterwards."""
    made = Path(tempfile.mkdtemp(prefix="penny-test-"))
    made.chmod(0o755)
    yield made
    if (made / "postgres" / "data").exists():
        await stop(made)
    shutil.rmtree(made, ignore_errors=True)
