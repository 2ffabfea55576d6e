"""Slack's Web API, through Slack's own library."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aiohttp import ClientError
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from channels.channel import Refused, TryLater

PASSING = frozenset({"ratelimited", "internal_error", "fatal_error", "request_timeout", "service_unavailable"})
"""Errors of Slack's that another try may not meet."""


async def call(client: AsyncWebClient, method: str, **arguments: Any) -> dict[str, Any]:
    """One call. Raises Refused for what Slack will always refuse, TryLater for the rest."""
    with translated():
        answer = await client.api_call(method, json=arguments)
    return dict(answer.data) if isinstance(answer.data, dict) else {}


async def identity(client: AsyncWebClient) -> tuple[dict[str, Any], frozenset[str]]:
    """Whom Slack takes us for, and the scopes that we have there. Raises as `call` does."""
    with translated():
        answer = await client.api_call("auth.test", json={})
    given = str(answer.headers.get("X-OAuth-Scopes", ""))
    scopes = frozenset(scope.strip() for scope in given.split(",") if scope.strip())
    return (dict(answer.data) if isinstance(answer.data, dict) else {}), scopes


async def upload(client: AsyncWebClient, channel: str, thread: str, image: bytes, title: str) -> str:
    """Posts a PNG in a conversation; gives the file's id. Raises as `call` does."""
    with translated():
        answer = await client.files_upload_v2(
            channel=channel, thread_ts=thread or None, content=image, filename="chart.png", title=title, alt_txt=title
        )
    return str(answer["file"]["id"])


@contextmanager
def translated() -> Iterator[None]:
    """Errors of Slack's library become Refused or TryLater."""
    try:
        yield
    except SlackApiError as error:
        code = error.response.get("error", "") if isinstance(error.response.data, dict) else ""
        status = error.response.status_code
        if status == 429 or status >= 500 or code in PASSING:
            wait = error.response.headers.get("Retry-After", "")
            raise TryLater(code or f"http_{status}", float(wait) if wait.isdecimal() else None) from None
        raise Refused(code or f"http_{status}") from None
    except (SlackClientError, ClientError, TimeoutError, OSError, ValueError) as error:
        raise TryLater(f"not_reached_{type(error).__name__}"[:100]) from None
