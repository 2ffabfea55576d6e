"""The host apps of docs/clients/host-apps.md: what they make is a token of Penny's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest


@pytest.fixture
def key_file(penny: Any, tmp_path: Path) -> Path:
    """The key that the running service knows, in a file."""
    file = tmp_path / "penny.key"
    file.write_bytes(penny.key + b"\n")
    return file


async def user_of(penny: Any, token: str) -> int:
    """The status with which the service greets the token."""
    async with httpx.AsyncClient(base_url=penny.url, headers={"Authorization": f"Bearer {token}"}) as client:
        return (await client.get("/v1/sessions")).status_code


async def test_fastapi(penny: Any, example: Any, key_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The FastAPI host's token is good."""
    monkeypatch.setenv("PENNY_KEY_FILE", str(key_file))
    module: dict[str, Any] = {"__name__": "host"}
    exec(compile(example("host-apps.md", "host.py"), "host.py", "exec"), module)  # noqa: S102 -- our own docs
    async with httpx.AsyncClient(transport=httpx.ASGITransport(module["app"]), base_url="http://host") as host:
        answer = await host.post("/api/penny-token")
    assert await user_of(penny, answer.text) == 200
    assert await user_of(penny, answer.text[:-4]) == 401


async def test_express(penny: Any, node: Any, example: Any, key_file: Path) -> None:
    """The Express host's token is good."""
    script = f"""{example("host-apps.md", "host.mjs")}
const server = app.listen(0, "127.0.0.1", async () => {{
  const address = `http://127.0.0.1:${{server.address().port}}/api/penny-token`;
  console.log(await (await fetch(address, {{ method: "POST" }})).text());
  server.close();
}});
"""
    ran = await node(script, PENNY_KEY_FILE=str(key_file))
    assert await user_of(penny, ran.out.strip()) == 200
