"""Usage, and leaving, over HTTP."""

from __future__ import annotations

from uuid import UUID

import httpx

from db.engine import Database


async def test_usage_is_shown_by_day_and_model(
    client: httpx.AsyncClient, stranger: httpx.AsyncClient, my_id: UUID, database: Database
) -> None:
    """Own rows, the latest first, in pages; costs are exact decimal text, and today's sum is beside them."""
    async with database.transaction(my_id) as tx:
        await tx.pg.executemany(
            """
            INSERT INTO usage_day (user_id, day, model, purpose, calls, input_tokens, cache_read_tokens, cost_usd)
            VALUES ($1, (clock_timestamp() AT TIME ZONE 'UTC')::date - $2::int, $3, $4, 1, 100, 50, 0.0000012)
            """,
            [(my_id, 0, "a", "reply"), (my_id, 0, "a", "summary"), (my_id, 0, "b", "reply"), (my_id, 1, "a", "reply")],
        )
    first = (await client.get("/v1/usage", params={"limit": 3})).json()
    rest = (await client.get("/v1/usage", params={"limit": 3, "cursor": first["next"]})).json()
    rows = first["items"] + rest["items"]
    assert [(row["model"], row["purpose"]) for row in rows] == [
        ("a", "reply"),
        ("a", "summary"),
        ("b", "reply"),
        ("a", "reply"),
    ]
    assert {row["cost_usd"] for row in rows} == {"0.0000012"}
    assert rest["next"] is None
    assert (first["today"]["tokens"], first["today"]["cost_usd"]) == (315, "0.0000036")
    assert (await stranger.get("/v1/usage")).json()["items"] == []
    assert (await client.get("/v1/usage", params={"cursor": "x"})).status_code == 422


async def test_leaving_erases_everything_and_may_be_repeated(
    client: httpx.AsyncClient, stranger: httpx.AsyncClient, session_id: str, my_id: UUID
) -> None:
    """The user's things are gone, a stranger's are not; with the same token one begins anew."""
    await client.post("/v1/facts", json={"text": "I have a dog"})
    await client.post("/v1/accounts", json={"name": "Cash"})
    await stranger.post("/v1/facts", json={"text": "I have a cat"})
    assert (await client.delete("/v1/me")).status_code == 204
    assert (await client.get(f"/v1/sessions/{session_id}")).status_code == 404
    assert (await client.get("/v1/facts")).json()["items"] == []
    assert (await client.get("/v1/accounts")).json()["items"] == []
    assert len((await stranger.get("/v1/facts")).json()["items"]) == 1
    assert (await client.delete("/v1/me")).status_code == 204
    assert (await client.post("/v1/sessions", json={})).status_code == 201
