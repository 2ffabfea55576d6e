"""The heavy part of insights leaves the event loop: replies go on streaming while it computes."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest

from db.engine import Database
from tools import catalog, insights
from tools.tool import ToolContext

PURCHASES = 15_000

FILL = """
WITH a AS (INSERT INTO account (user_id, name, kind, currency) VALUES ($1, 'Main', 'checking', 'USD') RETURNING id),
     c AS (INSERT INTO category (user_id, name) SELECT $1, 'Category ' || i FROM generate_series(1, 9) i RETURNING id)
INSERT INTO txn (user_id, no, account_id, day, amount_minor, currency, merchant, category_id)
SELECT $1, i, a.id, $2::date - i % 700, -(100 + hashint4(i) & 8191), 'USD', 'Merchant ' || i % 150,
       (SELECT array_agg(id) FROM c)[1 + i % 9]
  FROM a, generate_series(1, $3) i
"""


@pytest.fixture
async def spender(database: Database, user: UUID, newcomer: ToolContext) -> ToolContext:
    """Someone with a long history."""
    async with database.transaction(user) as tx:
        await tx.pg.execute(FILL, user, newcomer.today, PURCHASES)
    return newcomer


def computing() -> set[str]:
    """Which modules of ledger.insights another thread than this one is inside of now."""
    here, inside = threading.get_ident(), set()
    for thread, top in sys._current_frames().items():
        frame = top if thread != here else None
        while frame is not None:
            package, _, module = frame.f_globals.get("__name__", "").rpartition(".")
            if package == "ledger.insights":
                inside.add(module)
            frame = frame.f_back
    return inside


async def seen_by_the_loop(work: Callable[[], Awaitable[Any]], wanted: set[str]) -> set[str]:
    """The modules that were computing in any turn that the event loop took meanwhile. A glance may miss a short one, so
    the work is done again until all that are wanted were seen."""
    seen: set[str] = set()
    for _ in range(50):
        task = asyncio.ensure_future(work())
        while not task.done():
            await asyncio.sleep(0)
            seen |= computing()
        task.result()
        if seen >= wanted:
            break
    return seen


@pytest.mark.parametrize(
    ("tool", "args", "modules"),
    [
        ("find_recurring", {}, {"patterns"}),
        ("find_anomalies", {"period": "this year"}, {"history", "patterns", "anomalies"}),
        ("get_forecast", {}, {"history", "patterns", "forecast"}),
        ("get_safe_to_spend", {}, {"history", "patterns", "safe"}),
        ("simulate_what_if", {"change": "purchase", "amount": 100}, {"history", "patterns", "forecast"}),
    ],
)
async def test_the_loop_turns_while_a_tool_computes(
    spender: ToolContext, tool: str, args: dict[str, Any], modules: set[str]
) -> None:
    """Had the loop computed it itself, no turn could have seen it."""
    assert await seen_by_the_loop(lambda: catalog.call(spender, tool, args), modules) >= modules


async def test_the_loop_turns_while_insights_are_gathered(spender: ToolContext) -> None:
    """For the list that clients ask for, too."""
    modules = {"history", "patterns", "anomalies", "forecast", "safe"}
    assert await seen_by_the_loop(lambda: insights.current(spender), modules) >= modules
