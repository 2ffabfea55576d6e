"""Facts over HTTP."""

from __future__ import annotations

import httpx


async def test_a_fact_is_entered_corrected_and_deleted(client: httpx.AsyncClient, stranger: httpx.AsyncClient) -> None:
    """Each act counts at once, is in the journal, and is nobody else's."""
    made = await client.post("/v1/facts", json={"text": "I get paid on the 25th", "kind": "payday"})
    assert made.status_code == 201
    fact = made.json()
    assert (fact["kind"], fact["text"], fact["message_id"]) == ("payday", "I get paid on the 25th", None)
    path = f"/v1/facts/{fact['id']}"
    changed = await client.patch(path, json={"text": "I get paid on the 1st"})
    assert (changed.status_code, changed.json()["text"], changed.json()["kind"]) == (
        200,
        "I get paid on the 1st",
        "payday",
    )
    assert [f["text"] for f in (await client.get("/v1/facts")).json()["items"]] == ["I get paid on the 1st"]
    assert (await stranger.patch(path, json={"text": "no"})).status_code == 404
    assert (await stranger.delete(path)).status_code == 404
    assert (await client.delete(path)).status_code == 204
    assert (await client.delete(path)).status_code == 404
    assert (await client.get("/v1/facts")).json()["items"] == []
    journal = (await client.get("/v1/journal")).json()["items"]
    assert [entry["kind"] for entry in journal] == ["forget_fact", "correct_fact", "remember_fact"]
    assert (await client.post(f"/v1/journal/{journal[0]['id']}/undo")).status_code == 200
    assert [f["text"] for f in (await client.get("/v1/facts")).json()["items"]] == ["I get paid on the 1st"]


async def test_what_is_no_fact_is_refused(client: httpx.AsyncClient) -> None:
    """Balances, secrets, unknown kinds and empty text are 422, and nothing is kept."""
    for body in (
        {"text": "my balance is 200"},
        {"text": "my password is hunter2"},
        {"text": "x", "kind": "secret"},
        {"text": ""},
        {"text": "a\u0000b"},
    ):
        refused = await client.post("/v1/facts", json=body)
        assert (refused.status_code, refused.headers["content-type"]) == (422, "application/problem+json")
    assert (await client.get("/v1/facts")).json()["items"] == []


async def test_facts_are_in_the_export(client: httpx.AsyncClient) -> None:
    """The export's facts are those that are remembered."""
    await client.post("/v1/facts", json={"text": "I have a dog"})
    exported = (await client.get("/v1/export")).json()
    assert [(f["text"], f["superseded_by"]) for f in exported["facts"]] == [("I have a dog", None)]
