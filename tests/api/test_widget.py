"""The widget's script as the service serves it, built or not."""

from __future__ import annotations

import httpx
import pytest

from api.app import create_app
from api.routes.widget import Assets


@pytest.fixture
async def anyone(parts, built):
    """A client without a token, from anywhere."""
    app = create_app(parts, assets=Assets(built))
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="https://penny.example") as client:
        yield client


@pytest.fixture
def built(tmp_path):
    """A folder in place of the checkout's."""
    return tmp_path


@pytest.fixture
def script(built):
    """A built widget, by its hashed name."""
    (built / "manifest.json").write_text('{"widget": "widget-abcd1234.js", "digest": "0123"}')
    (built / "widget-abcd1234.js").write_text("/* the widget */")
    return "widget-abcd1234.js"


async def test_without_a_build_the_answer_is_the_command(anyone, built):
    """503 with a stable code, and the command that builds it."""
    answer = await anyone.get("/widget.js")
    assert (answer.status_code, answer.json()["code"]) == (503, "widget_not_built")
    assert "`make widget`" in answer.json()["detail"]


async def test_the_stable_name_is_looked_at_again(anyone, script):
    """Any page may load it; it is asked for anew each time, and 304 when it has not changed."""
    answer = await anyone.get("/widget.js")
    assert (answer.status_code, answer.text) == (200, "/* the widget */")
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cache-control"] == "no-cache"
    again = await anyone.get("/widget.js", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_a_hashed_name_is_kept(anyone, script):
    """What can never change is cached for a year."""
    answer = await anyone.get(f"/{script}")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize("path", ["/widget-nothing.js", "/widget-..%2Fmanifest.js", "/widget-%2e%2e.js"])
async def test_nothing_else_is_served(anyone, script, path):
    """Unknown names and ways out of the folder are 404."""
    assert (await anyone.get(path)).status_code == 404
