"""A stored sample household, and its truth as plain Python."""

from __future__ import annotations

import uuid
from datetime import date
from uuid import UUID

import pytest

from db.engine import Database
from ledger import household
from ledger.household import Household

TODAY = date(2026, 11, 22)


@pytest.fixture(scope="session")
def home() -> Household:
    """The sample household of 22 November 2026, as generated."""
    return household.generate(TODAY)


@pytest.fixture(scope="session")
async def resident(database: Database) -> UUID:
    """A user who has the sample household in the database; tests that share it only read."""
    user = await database.resolve_user("test", "", uuid.uuid4().hex)
    async with database.transaction(user) as tx:
        await household.seed(tx, TODAY)
    return user


@pytest.fixture
async def owner(database: Database, user: UUID) -> UUID:
    """A fresh user with the sample household, to change."""
    async with database.transaction(user) as tx:
        await household.seed(tx, TODAY)
    return user
