"""GET /v1/insights."""

from __future__ import annotations

from uuid import UUID

import httpx

from api.services import Services
from db.engine import Database
from domain.clock import today
from ledger import household


async def test_a_newcomer_has_no_insights(client: httpx.AsyncClient) -> None:
    """An empty list, not an error."""
    answer = await client.get("/v1/insights")
    assert (answer.status_code, answer.json()) == (200, {"items": [], "next": None})


async def test_insights_come_with_their_facts(
    client: httpx.AsyncClient, stranger: httpx.AsyncClient, database: Database, my_id: UUID, parts: Services
) -> None:
    """Each has a kind, a text and facts with ids; another user sees none of them."""
    async with database.transaction(my_id) as tx:
        await household.seed(tx, today(parts.clock, "UTC"))
    items = (await client.get("/v1/insights")).json()["items"]
    assert {"safe_to_spend", "forecast_over_budget"} <= {item["kind"] for item in items}
    for item in items:
        assert item["text"]
        assert [fact["id"] for fact in item["facts"]] == [f"f{n}" for n in range(1, len(item["facts"]) + 1)]
    over = next(item for item in items if item["kind"] == "forecast_over_budget")
    assert over["chart"]["kind"] == "bar"
    assert (await stranger.get("/v1/insights")).json()["items"] == []
