"""The lab's page: only in dev mode, only on this machine, each user their own replies."""

from __future__ import annotations

import httpx
import pytest

from api.routes.page import POLICY


@pytest.fixture
async def mine(dev_client: httpx.AsyncClient) -> httpx.AsyncClient:
    """A browser on this machine, with the demo user's token."""
    token = (await dev_client.get("/dev/token")).json()["token"]
    dev_client.headers["Authorization"] = f"Bearer {token}"
    return dev_client


async def said(client: httpx.AsyncClient) -> tuple[str, str]:
    """A session with a message, and the message's run."""
    session = (await client.post("/v1/sessions", json={})).json()["id"]
    sent = await client.post(
        f"/v1/sessions/{session}/messages", json={"text": "How is dining?"}, headers={"Prefer": "respond-async"}
    )
    return session, sent.json()["run_id"]


async def test_the_page_has_the_demo_pages_policy(dev_client: httpx.AsyncClient) -> None:
    """Its HTML loads its own script and style, and nothing inline."""
    answer = await dev_client.get("/lab")
    assert (answer.status_code, answer.headers["content-security-policy"]) == (200, POLICY)
    assert "<script>" not in answer.text
    assert "style=" not in answer.text
    for name, kind in (("lab.js", "text/javascript"), ("lab.css", "text/css")):
        assert f"/lab/{name}" in answer.text
        part = await dev_client.get(f"/lab/{name}")
        assert (part.status_code, part.headers["content-type"]) == (200, f"{kind}; charset=utf-8")


async def test_replies_are_shown_to_their_user(mine: httpx.AsyncClient) -> None:
    """The session's replies, and of one the words, the run and its steps."""
    session, run = await said(mine)
    listed = (await mine.get(f"/lab/api/sessions/{session}/runs")).json()["items"]
    assert [(each["id"], each["text"], each["superseded"]) for each in listed] == [(run, "How is dining?", False)]
    told = (await mine.get(f"/lab/api/runs/{run}")).json()
    assert (told["user"]["text"], told["run"]["id"], told["steps"]) == ("How is dining?", run, [])


async def test_another_users_replies_are_not_there(mine: httpx.AsyncClient) -> None:
    """404, as for what does not exist; without a token 401."""
    session, run = await said(mine)
    other = (await mine.get("/dev/token", params={"user": "somebody-else"})).json()["token"]
    for headers, status in (({"Authorization": f"Bearer {other}"}, 404), ({"Authorization": ""}, 401)):
        for path in (f"/lab/api/sessions/{session}/runs", f"/lab/api/runs/{run}"):
            assert (await mine.get(path, headers=headers)).status_code == status


PATHS = ["/lab", "/lab/lab.js", "/lab/api/runs/0190a5d2-7c4e-7cc0-8000-0123456789ab"]


@pytest.mark.parametrize("path", PATHS)
async def test_a_name_that_is_not_this_machines_is_refused(dev_client: httpx.AsyncClient, path: str) -> None:
    """As the demo page refuses a site that points its own name at this machine (DNS rebinding)."""
    refused = await dev_client.get(path, headers={"host": "evil.example"})
    assert (refused.status_code, refused.json()["code"]) == (403, "not_loopback")


@pytest.mark.parametrize("path", PATHS)
async def test_outside_dev_mode_there_is_no_lab(client: httpx.AsyncClient, path: str) -> None:
    """Not with a token either."""
    assert (await client.get(path)).status_code == 404


@pytest.mark.parametrize("name", ["..%2fapp.py", "nothing.js", "%2e%2e", "lab.js%00"])
async def test_nothing_else_is_served(dev_client: httpx.AsyncClient, name: str) -> None:
    """No way leads out of the page's folder."""
    assert (await dev_client.get(f"/lab/{name}")).status_code == 404
