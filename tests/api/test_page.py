"""The demo page and its tokens."""

from __future__ import annotations

import httpx
import pytest

from api.routes.widget import Assets


async def test_the_page_has_a_strict_policy(dev_client: httpx.AsyncClient) -> None:
    """/ is HTML under a policy that allows its own files alone."""
    answer = await dev_client.get("/")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'")
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"


async def test_the_page_finds_its_files(dev_client: httpx.AsyncClient) -> None:
    """Everything under /page/ that index.html names is there with its type."""
    html = (await dev_client.get("/")).text
    for name, kind in (("demo-abcd1234.js", "text/javascript"), ("demo-abcd1234.css", "text/css")):
        assert f"/page/{name}" in html
        answer = await dev_client.get(f"/page/{name}")
        assert (answer.status_code, answer.headers["content-type"]) == (200, f"{kind}; charset=utf-8")
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


async def test_a_page_that_is_not_built_says_what_builds_it(dev_client: httpx.AsyncClient, assets: Assets) -> None:
    """503 with the command, for people."""
    (assets.folder / "manifest.json").unlink()
    answer = await dev_client.get("/")
    assert (answer.status_code, answer.headers["content-type"]) == (503, "text/html; charset=utf-8")
    assert "make widget" in answer.text


@pytest.mark.parametrize(
    "name", ["..%2fapp.py", "%2e%2e%2fauth.py", "nothing.js", "%2e", "%2e%2e", "%00.js", "index.html%00"]
)
async def test_nothing_else_is_served(dev_client: httpx.AsyncClient, name: str) -> None:
    """No way leads out of the page's folder."""
    assert (await dev_client.get(f"/page/{name}")).status_code in (404, 307)


async def test_a_development_token_opens_the_api(dev_client: httpx.AsyncClient) -> None:
    """GET /dev/token gives the demo user's token, and the API takes it."""
    given = (await dev_client.get("/dev/token")).json()
    assert (given["user"], given["expires_in"]) == ("demo", 12 * 3600)
    answer = await dev_client.get("/v1/model", headers={"Authorization": f"Bearer {given['token']}"})
    assert answer.json() == {"name": "fake", "small": True, "status": "ready", "note": "A test."}


async def test_another_user_of_the_demo_gets_a_token_too(dev_client: httpx.AsyncClient) -> None:
    """`user` names them; a name that could be anything but a name is refused."""
    given = (await dev_client.get("/dev/token", params={"user": "newcomer"})).json()
    assert given["user"] == "newcomer"
    headers = {"Authorization": f"Bearer {given['token']}"}
    assert (await dev_client.get("/v1/sessions", headers=headers)).json()["items"] == []
    assert (await dev_client.get("/dev/token", params={"user": "../x y"})).status_code == 422


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:8000", "192.168.1.5:8000"])
async def test_a_name_that_is_not_this_machines_gets_no_token(dev_client: httpx.AsyncClient, host: str) -> None:
    """A site that points its own name at this machine (DNS rebinding) is refused."""
    for path in ("/dev/token", "/"):
        answer = await dev_client.get(path, headers={"host": host})
        assert (answer.status_code, answer.json()["code"]) == (403, "not_loopback")


@pytest.mark.parametrize("path", ["/", "/page/demo-abcd1234.js", "/dev/token"])
async def test_outside_dev_mode_there_is_no_page(anonymous: httpx.AsyncClient, path: str) -> None:
    """Without dev mode neither the page nor its tokens exist."""
    assert (await anonymous.get(path)).status_code == 404
