"""A database of the lab's own, and settings that name it."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from db.migrate import migrate
from penny.settings import Settings


@pytest.fixture(scope="session")
async def lab_database(admin_url: str) -> str:
    """The URL of a migrated database whose queue nobody else looks at."""
    admin = await asyncpg.connect(admin_url)
    await admin.execute("CREATE DATABASE lab")
    await admin.close()
    url = urlsplit(admin_url)._replace(path="/lab").geturl()
    await migrate(url)
    return url


@pytest.fixture
def lab_settings(lab_database: str, tmp_path: Path) -> Settings:
    """Settings of a `penny eval` in this process, on that database."""
    return Settings(_env_file=None, database_url=lab_database, home=tmp_path, cache=tmp_path)  # type: ignore[call-arg]
