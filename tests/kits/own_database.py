"""A database beside the session's own, for tests whose services must not take up what others left in the queue."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg

from db.migrate import migrate


def named(url: str, name: str) -> str:
    """The same server's URL of the database of that name."""
    return urlsplit(url)._replace(path=f"/{name}").geturl()


@asynccontextmanager
async def empty(admin_url: str, prefix: str) -> AsyncIterator[str]:
    """A new database without a schema, dropped afterwards; its name."""
    name = f"{prefix}_{uuid4().hex}"
    admin = await asyncpg.connect(admin_url)
    await admin.execute(f"CREATE DATABASE {name}")
    try:
        yield name
    finally:
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()


async def create(admin_url: str, name: str) -> str:
    """Makes and migrates it, in place of one that a test left; the superuser's URL of it."""
    admin = await asyncpg.connect(admin_url)
    await admin.execute(f"DROP DATABASE IF EXISTS {name}")
    await admin.execute(f"CREATE DATABASE {name}")
    await admin.close()
    url = named(admin_url, name)
    await migrate(url)
    return url
