"""Charts that a messaging app fetches: by an address that only its server was given, for some minutes."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from api.caller import services_of
from api.problems import documented
from api.services import Services
from channels.channel import Refused
from channels.pictures import FetchesPictures, Picture
from channels.replying import Growing
from channels.texts import texts
from domain.errors import NotFound, PennyError
from ledger import preferences

HEADERS = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex", "X-Content-Type-Options": "nosniff"}

router = APIRouter(prefix="/pictures/{token}", tags=["channels"])


@router.get(
    "",
    summary="Fetch a chart of a reply, for a messaging app",
    response_class=Response,
    responses=documented(404, 422) | {200: {"description": "The picture.", "content": {"image/png": {}}}},
)
async def picture(
    request: Request, token: Annotated[str, Path(max_length=300, description="As the app was given it.")]
) -> Response:
    """No token of a user's is asked for: the address is the permission, and ends by itself. Whatever is wrong with it
    is 404."""
    from channels import chart_image  # the channels' own libraries, which a service without them lacks

    services = services_of(request)
    found = next(
        (
            seen
            for app in services.channels.values()
            if isinstance(app, FetchesPictures) and app.pictures and (seen := app.pictures.read(token))
        ),
        None,
    )
    chart, locale = await _chart(services, found) if found else (None, "")
    if chart is None:
        raise _none()
    try:
        drawn = await asyncio.to_thread(chart_image.draw, chart, locale)
    except Refused:
        raise _none() from None
    return Response(drawn, media_type="image/png", headers=HEADERS)


async def _chart(services: Services, wanted: Picture) -> tuple[dict[str, object] | None, str]:
    """The chart as its run told it, and the user's locale."""
    try:
        async with services.db.read(wanted.user) as tx:
            locale = (await preferences.get(tx)).locale
        growing = Growing(texts(locale))
        async for frame in services.runner.events(wanted.user, wanted.run):
            growing.add(frame)
    except NotFound:  # the user was erased meanwhile
        return None, ""
    return (growing.charts[wanted.no] if growing.over and wanted.no < len(growing.charts) else None), locale


def _none() -> PennyError:
    return NotFound("There is no such picture.")
