"""Goals over HTTP."""

from __future__ import annotations

from uuid import UUID

import httpx

from db.engine import Database
from domain.ids import new_id
from ledger.changes import apply, inserted


async def test_goals_are_listed_with_how_they_stand(
    client: httpx.AsyncClient, anonymous: httpx.AsyncClient, my_id: UUID, database: Database
) -> None:
    """What is saved on the linked account, what is missing; without a link what is saved is unknown, not zero."""
    account = (await client.post("/v1/accounts", json={"name": "Savings", "currency": "USD", "opening": 20000})).json()
    async with database.transaction(my_id) as tx:
        await apply(
            tx,
            [
                inserted(
                    "goal", {"id": str(new_id())}, name=name, amount_minor=50000, currency="USD",
                    account_id=place, start_day="2026-11-01",
                )
                for name, place in (("Trip", account["id"]), ("Boat", None))
            ],
        )  # fmt: skip
    found = {goal["name"]: goal for goal in (await client.get("/v1/goals")).json()["items"]}
    assert (found["Trip"]["saved"], found["Trip"]["missing"]) == (
        {"minor": 20000, "currency": "USD"},
        {"minor": 30000, "currency": "USD"},
    )
    assert (found["Trip"]["account"], found["Trip"]["done"], found["Trip"]["monthly"]) == ("Savings", False, None)
    assert (found["Boat"]["saved"], found["Boat"]["on_track"]) == (None, None)
    assert (await anonymous.get("/v1/goals")).status_code == 401
