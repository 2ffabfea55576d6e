"""The demo page and its tokens: only in `dev` mode, which binds to loopback alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import FileResponse

from api.caller import services_of
from api.services import Services
from api.shapes import Output
from domain.errors import NotFound, PennyError

FOLDER = Path(__file__).parent.parent / "page"
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class NotLoopback(PennyError):
    """The request was addressed to another name than this machine's own."""

    code = "not_loopback"
    status = 403


class DevToken(Output):
    """A token for the demo user."""

    token: str
    expires_in: int
    user: str


async def addressed_to_loopback(request: Request) -> None:
    """Refuses a request whose Host is not loopback: a foreign site whose name resolves to this machine (DNS rebinding)
    would otherwise get a token. Raises NotLoopback."""
    if request.url.hostname not in LOOPBACK:
        raise NotLoopback("The demo page answers on localhost only; open http://127.0.0.1 with the server's port.")


router = APIRouter(dependencies=[Depends(addressed_to_loopback)], include_in_schema=False)


@router.get("/")
async def index() -> FileResponse:
    """The page."""
    return _file("index.html")


@router.get("/page/{name}")
async def part(name: str) -> FileResponse:
    """One of the page's files."""
    return _file(name)


@router.get("/dev/token")
async def token(services: Annotated[Services, Depends(services_of)]) -> DevToken:
    """A fresh token for the demo user."""
    if services.dev is None:
        raise NotFound("There are no development tokens here.")
    dev = services.dev
    return DevToken(token=dev.token(services.clock), expires_in=dev.ttl, user=dev.user)


def _file(name: str) -> FileResponse:
    path = FOLDER / name
    media_type = TYPES.get(path.suffix)
    if media_type is None or path.parent != FOLDER or not path.is_file():
        raise NotFound("The page has no such file.")
    return FileResponse(
        path, media_type=media_type, headers={"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"}
    )
