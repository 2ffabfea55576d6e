"""Webhooks of messaging apps: verified on the raw body, stored, and answered at once; the reply goes out by itself."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from api.caller import services_of
from api.problems import documented
from channels.channel import Answer, Channel, Webhook
from domain.errors import NotFound

router = APIRouter(prefix="/webhooks/{channel}", tags=["channels"])

ChannelName = Annotated[str, Path(description="standard, slack, telegram, whatsapp or twilio.")]


@router.post(
    "",
    summary="Take an event of a messaging app",
    response_class=Response,
    responses=documented(400, 401, 404, 413, 422)
    | {200: {"description": "Taken, or not for us; the app need not repeat it."}},
)
async def take(request: Request, channel: ChannelName) -> Response:
    """For the app's servers only: the signature is checked by the app's own rules on the raw body. A channel without
    its secrets is off: 404."""
    services = services_of(request)
    app = _channel(services.channels.get(channel))
    url = services.public_url.rstrip("/") + request.url.path if services.public_url else str(request.url)
    headers = {name.lower(): value for name, value in request.headers.items()}
    hook = Webhook(headers, await request.body(), url, services.clock.now())
    app.verify(hook)
    parsed = app.parse(hook)
    for event in parsed.events:
        await services.receiver.receive(app, event)
    return _response(parsed.answer)


@router.get(
    "",
    summary="Answer a messaging app's check of the address",
    response_class=Response,
    responses=documented(401, 404, 422) | {200: {"description": "The challenge, as the app wants it back."}},
)
async def greet(request: Request, channel: ChannelName) -> Response:
    """WhatsApp's hub.challenge; other channels answer 404."""
    app = _channel(services_of(request).channels.get(channel))
    answer = app.greet(dict(request.query_params))
    if answer is None:
        raise _none()
    return _response(answer)


def _channel(found: Channel | None) -> Channel:
    if found is None:
        raise _none()
    return found


def _none() -> NotFound:
    return NotFound("There is no such channel here, or it is not set up.")


def _response(answer: Answer) -> Response:
    return Response(answer.body, answer.status, media_type=answer.media_type)
