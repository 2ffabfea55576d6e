"""Posting an event to the address that was set, signed; its id is the same whenever it is tried again."""

from __future__ import annotations

import aiohttp

from channels.channel import Refused, TryLater
from channels.standard.verify import signed
from domain.clock import Clock

TIMEOUT = aiohttp.ClientTimeout(total=15)
GONE_FOR_GOOD = frozenset({400, 401, 403, 404, 405, 410, 413, 415, 422})


async def post(http: aiohttp.ClientSession, url: str, secret: str, event_id: str, body: bytes, clock: Clock) -> None:
    """One try. Raises Refused for an answer that will not change, TryLater for anything else but success."""
    headers = signed(secret, event_id, body, clock.now()) | {"Content-Type": "application/json"}
    try:
        async with http.post(url, data=body, headers=headers, timeout=TIMEOUT, allow_redirects=False) as answer:
            status, wait = answer.status, answer.headers.get("Retry-After", "")
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise TryLater(f"not_reached_{type(error).__name__}"[:100]) from None
    if 200 <= status < 300:
        return
    if status in GONE_FOR_GOOD:
        raise Refused(f"http_{status}")
    raise TryLater(f"http_{status}", float(wait) if wait.isdecimal() else None)
