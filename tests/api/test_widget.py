"""The widget's script as the service serves it, built or not."""

from __future__ import annotations

import httpx
import pytest

from api.app import create_app


@pytest.fixture
async def anyone(parts, assets):
    """A client without a token, from anywhere."""
    transport = httpx.ASGITransport(app=create_app(parts, assets=assets))
    async with httpx.AsyncClient(transport=transport, base_url="https://penny.example") as client:
        yield client


async def test_without_a_build_the_answer_is_the_command(anyone, assets):
    """503 with a stable code, and the command that builds it."""
    (assets.folder / "manifest.json").unlink()
    answer = await anyone.get("/widget.js")
    assert (answer.status_code, answer.json()["code"]) == (503, "widget_not_built")
    assert "`make widget`" in answer.json()["detail"]


async def test_the_stable_name_is_looked_at_again(anyone):
    """Any page may load it; it is asked for anew each time, and 304 when it has not changed."""
    answer = await anyone.get("/widget.js")
    assert (answer.status_code, answer.text) == (200, "/* the widget */")
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cache-control"] == "no-cache"
    again = await anyone.get("/widget.js", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_a_hashed_name_is_kept(anyone):
    """What can never change is cached for a year."""
    answer = await anyone.get("/widget-abcd1234.js")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize("path", ["/widget-nothing.js", "/widget-..%2Fmanifest.js", "/widget-%2e%2e.js"])
async def test_nothing_else_is_served(anyone, path):
    """Unknown names and ways out of the folder are 404."""
    assert (await anyone.get(path)).status_code == 404
