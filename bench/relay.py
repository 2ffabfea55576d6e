"""The limit to measure against: a bare ASGI relay that forwards the model's frames as server-sent events, unsigned,
unparsed, unstored. `uvicorn bench.relay:app` with UPSTREAM set."""

from __future__ import annotations

import json
import os
from typing import Any

import aiohttp

MODEL = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
AUTHORIZATION = (
    "AWS4-HMAC-SHA256 Credential=test/20261122/us-east-1/bedrock/aws4_request, "
    f"SignedHeaders=host, Signature={'0' * 64}"
)
BODY = json.dumps({"messages": [{"role": "user", "content": [{"text": "talk"}]}]}).encode()
_http: list[aiohttp.ClientSession] = []


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Any request starts a model stream; each socket read becomes one event."""
    if scope["type"] != "http":
        return
    if not _http:
        _http.append(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
    url = f"{os.environ['UPSTREAM']}/model/{MODEL}/converse-stream"
    async with _http[0].post(url, data=BODY, headers={"Authorization": AUTHORIZATION}) as upstream:
        async for data in upstream.content.iter_any():
            event = b"event: text.delta\ndata: %d\n\n" % len(data) if b'"text"' in data else b": frame\n\n"
            await send({"type": "http.response.body", "body": event, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
