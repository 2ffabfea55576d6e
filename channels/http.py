"""One POST to an app's API, and what its answer means for the outbox."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import aiohttp
import orjson

from channels.channel import Refused, TryLater

TIMEOUT = aiohttp.ClientTimeout(total=15)

FOR_GOOD = frozenset({400, 401, 403, 404, 405, 410, 413, 415, 422})
"""Statuses that another try would get again. The rest of what is no success may pass."""


class Http:
    """A client, whose connections are opened when they are first needed and belong to the loop that is running then."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def post(
        self,
        url: str,
        *,
        body: bytes | None = None,
        form: Mapping[str, str] | aiohttp.FormData | None = None,
        headers: Mapping[str, str] | None = None,
        passing: frozenset[int] = frozenset(),
    ) -> dict[str, Any]:
        """The JSON object of a successful answer, {} for any other body. Redirects are not followed.

        Raises TryLater when nobody answers, and for statuses that may pass or error codes of the app's in `passing`;
        Refused for the rest. Neither quotes what the app said.
        """
        self._session = self._session or aiohttp.ClientSession(timeout=TIMEOUT)
        try:
            async with self._session.post(
                url, data=form if body is None else body, headers=headers, allow_redirects=False
            ) as answer:
                status, wait, read = answer.status, answer.headers.get("Retry-After", ""), await answer.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise TryLater(f"not_reached_{type(error).__name__}"[:100]) from None
        said = _object(read)
        if 200 <= status < 300:
            return said
        code = _code(said)
        why = f"http_{status}" if code is None else f"http_{status}_{code}"
        if status in FOR_GOOD and code not in passing:
            raise Refused(why)
        raise TryLater(why, float(wait) if wait.isdecimal() else None)

    async def close(self) -> None:
        """Closes the connections."""
        if self._session is not None:
            await self._session.close()


def _object(read: bytes) -> dict[str, Any]:
    try:
        said = orjson.loads(read)
    except orjson.JSONDecodeError:
        return {}
    return said if isinstance(said, dict) else {}


def _code(said: Mapping[str, Any]) -> int | None:
    """The app's number for the error: Meta has {"error": {"code"}}, Twilio {"code"}."""
    error = said.get("error")
    code = error.get("code") if isinstance(error, dict) else said.get("code")
    return code if isinstance(code, int) else None
