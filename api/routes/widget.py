"""The chat widget's script for any page: a name that stays, and names that carry their content's hash."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, cast

from fastapi import APIRouter, Depends, Header, Request, Response
from fastapi.responses import FileResponse

from domain.errors import NotFound, PennyError

BUILT = Path(__file__).parents[1] / "assets"
"""Where `make widget` puts what it builds from widget/."""

COMMAND = "make widget"

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
FOR_ANY_PAGE = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}
"""The script is public; which pages may call Penny with a token is PENNY_CORS_ORIGINS' matter."""

LASTING = {"Cache-Control": "public, max-age=31536000, immutable"}


class WidgetNotBuilt(PennyError):
    """The checkout has no built widget; the rest of the service needs none."""

    code = "widget_not_built"
    status = 503


@dataclass(frozen=True)
class Assets:
    """The built files; what is built while the server runs is served without a restart."""

    folder: Path = BUILT

    @property
    def names(self) -> dict[str, str]:
        """The hashed names by what they are, and `digest`, the script's. Raises WidgetNotBuilt."""
        try:
            names: dict[str, str] = json.loads((self.folder / "manifest.json").read_bytes())
        except (OSError, ValueError):
            raise WidgetNotBuilt(f"The chat widget is not built here. Build it with `{COMMAND}`.") from None
        return names

    def file(self, name: str, accept_encoding: str, headers: dict[str, str]) -> FileResponse:
        """One of them, compressed for who can read that. Raises NotFound."""
        path = self.folder / name
        media_type = TYPES.get(path.suffix)
        if media_type is None or path.parent != self.folder or not path.is_file():
            raise NotFound("There is no such file.")
        sent = headers | {"Vary": "Accept-Encoding"}
        zipped = path.with_name(f"{name}.gz")
        if "gzip" in accept_encoding and zipped.is_file():
            return FileResponse(zipped, media_type=media_type, headers=sent | {"Content-Encoding": "gzip"})
        return FileResponse(path, media_type=media_type, headers=sent)


router = APIRouter(include_in_schema=False)


def assets_of(request: Request) -> Assets:
    """The files that this application was made with."""
    return cast("Assets", request.app.state.assets)


AssetsDep = Annotated[Assets, Depends(assets_of)]


@router.head("/widget.js")
@router.get("/widget.js")
async def script(
    assets: AssetsDep, accept_encoding: Annotated[str, Header()] = "", if_none_match: Annotated[str, Header()] = ""
) -> Response:
    """The widget, the same bytes as under its hashed name; who has the newest version gets 304."""
    tag = f'W/"{assets.names["digest"]}"'
    headers = FOR_ANY_PAGE | {"Cache-Control": "no-cache", "ETag": tag}
    if tag in if_none_match:
        return Response(status_code=304, headers=headers | {"Vary": "Accept-Encoding"})
    return assets.file(assets.names["widget"], accept_encoding, headers)


@router.head("/widget-{name}.js")
@router.get("/widget-{name}.js")
async def part(assets: AssetsDep, name: str, accept_encoding: Annotated[str, Header()] = "") -> Response:
    """The widget under its hashed name, or what it loads when needed."""
    return assets.file(f"widget-{name}.js", accept_encoding, FOR_ANY_PAGE | LASTING)
