"""Deciding on proposals, and taking back what was applied."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import httpx

Propose = Callable[[str], Awaitable[dict[str, Any]]]


async def dining_budget(client: httpx.AsyncClient) -> int | None:
    lines = (await client.get("/v1/budgets", params={"month": "2026-11"})).json()["items"]
    (dining,) = [line for line in lines if line["category"] == "Dining"]
    return dining["budget"] and int(dining["budget"]["minor"])


async def test_a_proposal_is_shown_with_its_exact_difference(
    client: httpx.AsyncClient, proposal: dict[str, Any]
) -> None:
    """It is listed and read as it was made: hash, diff, text, and when it ends; nothing is written."""
    one = (await client.get(f"/v1/proposals/{proposal['id']}")).json()
    assert one == proposal
    assert {"id", "kind", "status", "hash", "diff", "text", "expires_at", "session_id", "run_id"} <= one.keys()
    assert one["status"] == "pending"
    assert one["diff"][0]["after"] == {"minor": 25000, "currency": "USD"}
    assert (await client.get("/v1/proposals", params={"status": "pending"})).json() == {"items": [one], "next": None}
    assert (await client.get("/v1/proposals", params={"status": "applied"})).json()["items"] == []
    assert await dining_budget(client) is None


async def test_confirming_ten_times_at_once_applies_it_once(
    client: httpx.AsyncClient, proposal: dict[str, Any]
) -> None:
    """Every answer is the same, and the journal has one entry."""
    path, yes = f"/v1/proposals/{proposal['id']}/confirm", {"hash": proposal["hash"]}
    answers = await asyncio.gather(*(client.post(path, json=yes) for _ in range(10)))
    assert {a.status_code for a in answers} == {200}
    assert len({a.json()["journal_id"] for a in answers}) == 1
    assert {a.json()["status"] for a in answers} == {"applied"}
    (entry,) = (await client.get("/v1/journal")).json()["items"]
    assert entry["id"] == answers[0].json()["journal_id"]
    assert (entry["approval"], entry["proposal_id"]) == ("http", proposal["id"])
    assert entry["changes"][0]["after"]["amount_minor"] == 25000
    assert await dining_budget(client) == 25000


async def test_another_hash_applies_nothing(client: httpx.AsyncClient, proposal: dict[str, Any]) -> None:
    """What the user saw is what is applied, or nothing: 409 with the proposal as it is."""
    answer = await client.post(f"/v1/proposals/{proposal['id']}/confirm", json={"hash": "0" * 64})
    assert (answer.status_code, answer.json()["code"]) == (409, "hash_mismatch")
    assert answer.json()["proposal"]["hash"] == proposal["hash"]
    assert await dining_budget(client) is None


async def test_a_stale_proposal_comes_back_fresh(client: httpx.AsyncClient, propose: Propose) -> None:
    """When the row changed meanwhile nothing is written and the 409 carries a new proposal, which can be applied."""
    first, second = await propose("250"), await propose("300")
    await client.post(f"/v1/proposals/{first['id']}/confirm", json={"hash": first["hash"]})
    answer = await client.post(f"/v1/proposals/{second['id']}/confirm", json={"hash": second["hash"]})
    assert (answer.status_code, answer.json()["code"]) == (409, "proposal_stale")
    fresh = answer.json()["proposal"]
    assert fresh["diff"][0]["before"] == {"minor": 25000, "currency": "USD"}
    assert await dining_budget(client) == 25000
    assert (await client.get(f"/v1/proposals/{second['id']}")).json()["status"] == "superseded"
    answer = await client.post(f"/v1/proposals/{fresh['id']}/confirm", json={"hash": fresh["hash"]})
    assert answer.status_code == 200
    assert await dining_budget(client) == 30000


async def test_a_rejected_proposal_stays_so(client: httpx.AsyncClient, proposal: dict[str, Any]) -> None:
    """Rejecting twice is the same; confirming afterwards is 409."""
    path = f"/v1/proposals/{proposal['id']}"
    for _ in range(2):
        answer = await client.post(f"{path}/reject", json={})
        assert (answer.status_code, answer.json()["status"]) == (200, "rejected")
    answer = await client.post(f"{path}/confirm", json={"hash": proposal["hash"], "continue": True})
    assert (answer.status_code, answer.json()["code"]) == (409, "proposal_decided")
    assert await dining_budget(client) is None


async def test_decisions_stand_in_the_session(
    client: httpx.AsyncClient, proposal: dict[str, Any], session_id: str
) -> None:
    """A decision is a message of its own kind that names the proposal."""
    await client.post(f"/v1/proposals/{proposal['id']}/confirm", json={"hash": proposal["hash"]})
    (said,) = (await client.get(f"/v1/sessions/{session_id}/messages")).json()["items"]
    assert (said["role"], said["proposals"]) == ("decision", [proposal["id"]])


async def test_an_undone_change_is_as_it_was(client: httpx.AsyncClient, proposal: dict[str, Any]) -> None:
    """Undo takes the change back once, as a change of its own; undoing that applies it again."""
    applied = await client.post(f"/v1/proposals/{proposal['id']}/confirm", json={"hash": proposal["hash"]})
    path = f"/v1/journal/{applied.json()['journal_id']}/undo"
    undone = await client.post(path)
    assert (undone.status_code, undone.json()["status"]) == (200, "applied")
    assert await dining_budget(client) is None
    again = await client.post(path)
    assert (again.status_code, again.json()["code"]) == (409, "not_undoable")
    last, first = (await client.get("/v1/journal")).json()["items"]
    assert (last["undoes"], first["undone_by"]) == (first["id"], last["id"])
    redone = await client.post(f"/v1/journal/{undone.json()['journal_id']}/undo")
    assert redone.status_code == 200
    assert await dining_budget(client) == 25000


async def test_lists_are_paged(client: httpx.AsyncClient, propose: Propose) -> None:
    """Proposals and journal entries are listed newest first; following `next` visits each once."""
    made = [await propose(str(amount)) for amount in (100, 200, 300)]
    assert await pages(client, "/v1/proposals") == [p["id"] for p in reversed(made)]
    entries = []
    one = await client.post(f"/v1/proposals/{made[0]['id']}/confirm", json={"hash": made[0]["hash"]})
    entries.append(one.json()["journal_id"])
    for _ in range(2):
        entries.append((await client.post(f"/v1/journal/{entries[-1]}/undo")).json()["journal_id"])
    assert await pages(client, "/v1/journal") == entries[::-1]


async def pages(client: httpx.AsyncClient, path: str) -> list[str]:
    """The ids of a list, read two at a time."""
    ids, cursor = [], None
    while True:
        params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await client.get(path, params=params)).json()
        assert len(page["items"]) <= 2
        ids += [item["id"] for item in page["items"]]
        if (cursor := page["next"]) is None:
            return ids


async def test_an_unknown_status_is_refused(client: httpx.AsyncClient) -> None:
    """Statuses that do not exist are 422, not an empty list."""
    assert (await client.get("/v1/proposals", params={"status": "done"})).status_code == 422


async def test_a_confirmation_needs_its_hash(client: httpx.AsyncClient) -> None:
    """Without the hash nothing is confirmed."""
    answer = await client.post(f"/v1/proposals/{uuid4()}/confirm", json={})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "hash")
