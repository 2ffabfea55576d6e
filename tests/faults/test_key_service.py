"""The key service that wraps users' keys goes away, says no, and comes back, under a real server with encryption on."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
from fake_kms import environment, fake_kms

from db.embedded import Server as Cluster


async def token(server: Any, user: str) -> dict[str, str]:
    """The headers of another user by name."""
    made = await server.client.get("/dev/token", params={"user": user})
    return {"Authorization": f"Bearer {made.json()['token']}"}


async def test_held_keys_go_on_while_the_key_service_is_away(
    penny_serve: Any, reader: Any, sql: Any, cluster: Cluster
) -> None:
    """Whose key is held talks on. Whose is not is told 503 with a code and when to come again, at once, and nothing of
    theirs is half-written; what needs no text is answered. Once the service is back, they are. A key that is disabled
    is not what stops a user whose key is held."""
    async with fake_kms() as service:
        server = await penny_serve(**environment(service))
        ada, bob = await token(server, "ada"), await token(server, "bob")
        session = (await server.client.post("/v1/sessions", json={"title": "Mine"}, headers=ada)).json()["id"]
        service.away = True
        said = await _say(server, session, "say 5 0.01", ada)
        assert said.status_code == 200, said.text
        assert said.json()["reply"].startswith("0.")
        refused = await server.client.post("/v1/sessions", json={"title": "Bob's"}, headers=bob)
        assert (refused.status_code, refused.json()["code"]) == (503, "encryption_unavailable")
        asked = len(service.calls)
        again = await server.client.post("/v1/sessions", json={"title": "Bob's"}, headers=bob)
        assert (again.status_code, "Retry-After" in again.headers) == (503, True)
        assert len(service.calls) <= asked + 2  # a call is tried twice, and mostly nobody asks so soon after
        assert (await server.client.get("/v1/accounts", headers=bob)).status_code == 200
        assert (await server.client.get("/v1/sessions", headers=bob)).json()["items"] == []
        assert await sql.fetchval("SELECT count(*) FROM penny.session WHERE title LIKE '%Bob%'") == 0
        service.away = False
        service.error = "DisabledException"
        for _ in range(3):
            assert (await _say(server, session, "say 3 0.01", ada)).status_code == 200
        service.error = None
        made = refused
        async with asyncio.timeout(60):
            while made.status_code == 503:  # within two seconds of an outage nobody asks
                await asyncio.sleep(0.2)
                made = await server.client.post("/v1/sessions", json={"title": "Bob's"}, headers=bob)
        assert (made.status_code, made.json()["title"]) == (201, "Bob's")
    mine = await sql.fetchval("SELECT title FROM penny.session WHERE id = $1::text::uuid", session)
    assert mine.startswith("~penny1:1:")


async def _say(server: Any, session: str, text: str, headers: dict[str, str]) -> httpx.Response:
    said: httpx.Response = await server.client.post(
        f"/v1/sessions/{session}/messages", json={"text": text}, headers={**headers, "Accept": "application/json"}
    )
    return said
