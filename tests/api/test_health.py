"""Liveness, readiness, and calls from other sites' pages."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from api.app import create_app
from domain.errors import Unavailable


class Away:
    """A database that does not answer."""

    async def ping(self) -> None:
        raise Unavailable("away")


async def test_a_ready_process_says_so(anonymous: httpx.AsyncClient) -> None:
    """Both are 200 without a token."""
    assert (await anonymous.get("/healthz")).json() == {"status": "ok"}
    assert (await anonymous.get("/readyz")).json() == {"status": "ready"}


async def test_monitors_may_ask_for_the_head_alone(anonymous: httpx.AsyncClient, parts: Any) -> None:
    """HEAD has the status that GET would have."""
    assert (await anonymous.head("/healthz")).status_code == (await anonymous.head("/readyz")).status_code == 200
    parts.readiness.state = "draining"
    assert (await anonymous.head("/readyz")).status_code == 503


@pytest.mark.parametrize("state", ["starting", "draining"])
async def test_a_process_that_is_not_ready_lives(anonymous: httpx.AsyncClient, parts: Any, state: str) -> None:
    """While it starts or drains it is alive and not ready."""
    parts.readiness.state = state
    answer = await anonymous.get("/readyz")
    assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")
    assert (await anonymous.get("/healthz")).status_code == 200


async def test_without_the_database_it_is_not_ready(anonymous: httpx.AsyncClient, parts: Any) -> None:
    """Readiness asks the database."""
    parts.db = Away()
    assert (await anonymous.get("/readyz")).status_code == 503


async def test_only_listed_sites_may_call_from_a_page(parts: Any, token: str) -> None:
    """CORS allows the origins given and no others, and lets their pages read the run's id."""
    app = create_app(parts, cors_origins=["https://bank.example"])
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://x", headers={"Authorization": f"Bearer {token}"}
    ) as client:
        ours = await client.get("/v1/sessions", headers={"origin": "https://bank.example"})
        assert ours.headers["access-control-allow-origin"] == "https://bank.example"
        assert "Penny-Run-Id" in ours.headers["access-control-expose-headers"]
        other = await client.get("/v1/sessions", headers={"origin": "https://evil.example"})
        assert "access-control-allow-origin" not in other.headers


async def test_pages_may_read_what_the_edge_refuses(parts: Any, token: str) -> None:
    """A body that is too large is refused before the routes; the page that sent it is still let to read why."""
    app = create_app(parts, cors_origins=["https://bank.example"])
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://x", headers={"Authorization": f"Bearer {token}"}
    ) as client:
        refused = await client.post("/v1/sessions", headers={"origin": "https://bank.example"}, content=b" " * 2**21)
        assert (refused.status_code, refused.json()["code"]) == (413, "too_large")
        assert refused.headers["access-control-allow-origin"] == "https://bank.example"


async def test_pages_may_send_the_headers_that_routes_read(parts: Any) -> None:
    """The preflight of a page that names its conversation and its key is answered with both."""
    app = create_app(parts, cors_origins=["https://bank.example"])
    asked = "Penny-Session-Id, Idempotency-Key"
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
        answer = await client.options(
            "/openai/v1/chat/completions",
            headers={
                "origin": "https://bank.example",
                "access-control-request-method": "POST",
                "access-control-request-headers": asked,
            },
        )
        assert answer.status_code == 200
        allowed = {name.strip().lower() for name in answer.headers["access-control-allow-headers"].split(",")}
        assert {"penny-session-id", "idempotency-key"} <= allowed
