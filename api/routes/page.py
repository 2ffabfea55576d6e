"""The demo page and its tokens: only in `dev` mode, which binds to loopback alone."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import HTMLResponse

from api.caller import services_of
from api.routes.widget import COMMAND, LASTING, AssetsDep, WidgetNotBuilt
from api.services import Services
from api.shapes import Output
from domain.errors import NotFound, PennyError

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types lit-html"
)
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
UNBUILT = f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Penny</title>
<h1>Penny is running, but its chat page is not built.</h1>
<p>Run <code>{COMMAND}</code> in the checkout, then reload this page.</p>
<p>The HTTP interface works without it: <a href="/openapi.json">/openapi.json</a> describes it.</p>
</html>
"""


class NotLoopback(PennyError):
    """The request was addressed to another name than this machine's own."""

    code = "not_loopback"
    status = 403


class DevToken(Output):
    """A token for a user of the demo page."""

    token: str
    expires_in: int
    user: str


async def addressed_to_loopback(request: Request) -> None:
    """Refuses a request whose Host is not loopback: a foreign site whose name resolves to this machine (DNS rebinding)
    would otherwise get a token. Raises NotLoopback."""
    if request.url.hostname not in LOOPBACK:
        raise NotLoopback("The demo page answers on localhost only; open http://127.0.0.1 with the server's port.")


router = APIRouter(dependencies=[Depends(addressed_to_loopback)], include_in_schema=False)


@router.head("/")
@router.get("/")
async def index(assets: AssetsDep, accept_encoding: Annotated[str, Header()] = "") -> Response:
    """The page; before it is built, what builds it."""
    headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"}
    try:
        _ = assets.names
    except WidgetNotBuilt:
        return HTMLResponse(UNBUILT, 503, headers)
    return assets.file("index.html", accept_encoding, headers)


@router.head("/page/{name}")
@router.get("/page/{name}")
async def part(assets: AssetsDep, name: str, accept_encoding: Annotated[str, Header()] = "") -> Response:
    """One of the page's files; their names carry their content's hash."""
    return assets.file(name, accept_encoding, LASTING)


@router.get("/dev/token")
async def token(
    services: Annotated[Services, Depends(services_of)],
    user: Annotated[str | None, Query(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")] = None,
) -> DevToken:
    """A fresh token for the demo user, or for another one by name."""
    dev = services.dev
    if dev is None:
        raise NotFound("There are no development tokens here.")
    return DevToken(token=dev.token(services.clock, user), expires_in=dev.ttl, user=user or dev.user)
