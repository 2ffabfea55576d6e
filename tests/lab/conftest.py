"""A database of the lab's own, and settings that name it."""

from __future__ import annotations

from pathlib import Path

import pytest
from own_database import create

from penny.settings import Settings


@pytest.fixture(scope="session")
async def lab_database(admin_url: str) -> str:
    """The URL of a migrated database whose queue nobody else looks at."""
    return await create(admin_url, "lab")


@pytest.fixture
def lab_settings(lab_database: str, tmp_path: Path) -> Settings:
    """Settings of a `penny eval` in this process, on that database."""
    return Settings(_env_file=None, database_url=lab_database, home=tmp_path, cache=tmp_path)  # type: ignore[call-arg]
