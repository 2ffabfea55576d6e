"""A seeded household of a user, and calls in its name, for someone to whom it is Sunday, November 22, 2026."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from db.engine import Database
from domain.clock import FixedClock
from ledger import household
from ledger.household import Household
from ledger.preferences import Preferences
from tools import catalog
from tools.result import ToolResult
from tools.tool import ToolContext

TODAY = date(2026, 11, 22)
Call = Callable[..., Awaitable[ToolResult]]


@pytest.fixture(scope="session")
def home() -> Household:
    """The whole truth about the household, known without a database."""
    return household.generate(TODAY)


@pytest.fixture(scope="session")
async def resident(database: Database) -> ToolContext:
    """The context of a user whose ledger is the household; shared, so for reading only."""
    user = await database.resolve_user("test", "", f"household-{uuid.uuid4().hex}")
    async with database.transaction(user) as tx:
        await household.seed(tx, TODAY)
    return _context(database, user)


@pytest.fixture
def newcomer(database: Database, user: uuid.UUID) -> ToolContext:
    """The context of a user who has nothing yet."""
    return _context(database, user)


@pytest.fixture
def call(resident: ToolContext) -> Call:
    """`await call("get_spending", by="category")`: the tool's result for the household."""

    async def made(tool: str, **args: Any) -> ToolResult:
        return await catalog.call(resident, tool, args)

    return made


def _context(database: Database, user: uuid.UUID) -> ToolContext:
    clock = FixedClock(datetime(2026, 11, 22, 15, tzinfo=UTC))
    return ToolContext(db=database, user=user, today=TODAY, preferences=Preferences(), clock=clock)
