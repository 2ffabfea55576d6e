"""docs/clients/mcp.md: what it shows works as it stands."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from pathlib import Path
from uuid import UUID

import httpx

PAGE = (Path(__file__).parents[3] / "docs" / "clients" / "mcp.md").read_text()


def blocks(language: str) -> list[str]:
    """The page's code blocks in that language."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


async def test_the_python_example_runs(served: httpx.AsyncClient, token: str, resident: UUID) -> None:
    """It prints an answer and how to apply what it proposed."""
    (program,) = blocks("python")
    environment = os.environ | {"PENNY_TOKEN": token, "PENNY_URL": str(served.base_url).rstrip("/")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, env=environment,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    assert "October" in out.decode().splitlines()[0]
    assert "penny confirm" in out.decode().splitlines()[-1]


def test_the_configurations_are_json_and_lead_to_the_endpoint() -> None:
    """Each is a file that a host can read."""
    assert len(blocks("json")) == 2
    for block in blocks("json"):
        server = json.loads(block)["mcpServers"]["penny"]
        assert "/mcp" in json.dumps(server)
