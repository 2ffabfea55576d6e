"""The lab's page at /lab: how replies came about, on a timeline. Only in `dev` mode, and for this machine, as the demo
page is; it shows the words of a user to that user's token."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Response

from api.caller import CallerDep
from api.routes.page import POLICY, addressed_to_loopback
from api.shapes import Output, RunId
from domain.errors import NotFound
from memory import sessions, traces

FOLDER: Final = Path(__file__).parents[1] / "lab_page"
TYPES: Final = {
    "index.html": "text/html; charset=utf-8",
    "lab.css": "text/css; charset=utf-8",
    "lab.js": "text/javascript; charset=utf-8",
}

router = APIRouter(prefix="/lab", dependencies=[Depends(addressed_to_loopback)], include_in_schema=False)


class Runs(Output):
    """The replies of a session, oldest first."""

    items: list[dict[str, Any]]


@router.get("")
async def index() -> Response:
    """The page."""
    return _file("index.html")


@router.get("/{name}")
async def part(name: str) -> Response:
    """One of the page's files."""
    return _file(name)


@router.get("/api/sessions/{session_id}/runs")
async def runs(caller: CallerDep, session_id: UUID) -> Runs:
    """The session's newest replies."""
    async with caller.read() as tx:
        await sessions.get(tx, session_id)
        return Runs(items=await traces.of_session(tx, session_id))


@router.get("/api/runs/{run_id}")
async def run(caller: CallerDep, run_id: RunId) -> dict[str, Any]:
    """How the reply came about (memory.traces)."""
    async with caller.read() as tx:
        return await traces.trace(tx, run_id)


def _file(name: str) -> Response:
    if name not in TYPES:
        raise NotFound("There is no such page.")
    headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"}
    return Response((FOLDER / name).read_bytes(), media_type=TYPES[name], headers=headers)
