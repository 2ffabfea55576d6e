"""Carries a signed converse-stream request over aiohttp and brings back its events: one list for each socket read.

No thread is held by a stream. Tries are repeated only before the first byte of the body; from then on an error ends it.
"""

from __future__ import annotations

import asyncio
import json
import random
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

import aiohttp
import orjson
from botocore.awsrequest import AWSPreparedRequest
from botocore.eventstream import ParserError
from botocore.exceptions import ClientError, EventStreamError
from yarl import URL

from agent.bedrock.frames import FrameReader
from agent.bedrock.pacing import Pace

StreamEvent = tuple[str, dict[str, Any]]
"""An event's type and payload: ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "Hi"}})."""

_OPERATION = "ConverseStream"
_AMID = "contentBlockDelta"
_PASSING = {
    "InternalServerException",
    "ModelNotReadyException",
    "ServiceUnavailableException",
    "ThrottlingException",
    "TooManyRequestsException",
}
_KEEPALIVE_SECONDS = 50


@dataclass(frozen=True, slots=True)
class Retries:
    """At most `tries`, with jittered pauses that double from `first_pause`; none begins after `deadline` (seconds)."""

    tries: int = 3
    first_pause: float = 0.5
    deadline: float = 10.0

    def pause(self, attempt: int) -> float:
        """Seconds to wait after the given attempt, the first being 1."""
        jitter = random.uniform(0.5, 1.5)  # noqa: S311 (no secret)
        return float(self.first_pause * 2 ** (attempt - 1) * jitter)


@dataclass(frozen=True, slots=True)
class Route:
    """How the endpoint is reached: certificates to trust (None: plain HTTP) and a proxy; waits in seconds."""

    tls: ssl.SSLContext | None = None
    proxy: str | None = None
    connect_seconds: float = 5.0
    idle_seconds: float = 60.0


class BedrockWire:
    """An aiohttp session to one endpoint, opened at the first request; no limit of its own on concurrent streams."""

    def __init__(self, route: Route, retries: Retries) -> None:
        self._route = route
        self._retries = retries
        self._session: aiohttp.ClientSession | None = None
        self.failed: Callable[[Exception], None] = lambda _: None
        """Told of each try that failed, also of one that is repeated."""
        self._pace = Pace()

    async def batches(
        self, sign: Callable[[], Awaitable[AWSPreparedRequest]]
    ) -> AsyncGenerator[list[StreamEvent], None]:
        """The events of one reply. Leaving the iterator closes the upstream connection. `sign` is called for each try.

        Raises ClientError (refused), EventStreamError (an exception frame), ParserError (a checksum or a frame that is
        wrong), TimeoutError (idle for too long), aiohttp.ClientError (the connection failed).
        """
        response, data = await self._open(sign)
        self._pace.open += 1
        try:
            reader = FrameReader()
            while data:
                reader.add(data)
                events, failure = _parsed(reader)
                if events:
                    yield events
                if failure is not None:
                    raise failure
                if events and events[-1][0] == _AMID:
                    self._pace.rest(response)
                data = await response.content.readany()
        except Exception as error:
            self.failed(error)
            raise
        finally:
            self._pace.open -= 1
            response.close()

    async def whole(self, sign: Callable[[], Awaitable[AWSPreparedRequest]]) -> dict[str, Any]:
        """The JSON that a model answers which does not stream. Raises as `batches` does."""
        response, data = await self._open(sign)
        try:
            body: dict[str, Any] = json.loads(data + await response.content.read())
        except ValueError as error:
            broken = ParserError("The answer is not JSON.")
            self.failed(broken)
            raise broken from error
        finally:
            response.close()
        return body

    async def close(self) -> None:
        """Closes every connection; the next request would open a session anew."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _open(self, sign: Callable[[], Awaitable[AWSPreparedRequest]]) -> tuple[aiohttp.ClientResponse, bytes]:
        clock = asyncio.get_running_loop().time
        deadline = clock() + self._retries.deadline
        for attempt in count(1):
            request = await sign()
            try:
                return await self._send(request)
            except (ClientError, aiohttp.ClientError) as error:
                self.failed(error)
                pause = max(self._retries.pause(attempt), retry_after(error) or 0)
                if attempt == 1 and isinstance(error, aiohttp.ServerDisconnectedError):
                    pause = 0  # a kept connection that the other side had closed meanwhile
                if attempt >= self._retries.tries or not _may_pass(error) or clock() + pause > deadline:
                    raise
            await asyncio.sleep(pause)
        raise AssertionError("count() does not end")

    async def _send(self, request: AWSPreparedRequest) -> tuple[aiohttp.ClientResponse, bytes]:
        """The response and the first bytes of its body."""
        headers = {k: v.decode() if isinstance(v, bytes) else v for k, v in request.headers.items()}
        url = URL(request.url, encoded=True)
        response = await self._connected().post(url, data=request.body, headers=headers, proxy=self._route.proxy)
        try:
            if response.status != 200:
                raise _refusal(response, await response.read())
            return response, await response.content.readany()
        except BaseException:
            response.close()
            raise

    def _connected(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(
                limit=0, ssl=self._route.tls or True, keepalive_timeout=_KEEPALIVE_SECONDS, ttl_dns_cache=60
            )
            waits = aiohttp.ClientTimeout(
                total=None, sock_connect=self._route.connect_seconds, sock_read=self._route.idle_seconds
            )
            self._session = aiohttp.ClientSession(connector=connector, timeout=waits, auto_decompress=False)
        return self._session


def _parsed(reader: FrameReader) -> tuple[list[StreamEvent], Exception | None]:
    """The events that are whole, and what stands in the way of more."""
    events: list[StreamEvent] = []
    try:
        events.extend(_event(headers, payload) for headers, payload in reader)
    except (EventStreamError, ParserError) as error:
        return events, error
    return events, None


def _event(headers: Mapping[str, str], payload: bytes) -> StreamEvent:
    try:
        body = orjson.loads(payload or b"{}")
    except ValueError as error:
        raise ParserError("A frame's payload is not JSON.") from error
    if headers.get(":message-type") == "event":
        return headers[":event-type"], body
    code = headers.get(":exception-type") or headers.get(":error-code") or "unknown"
    text = body.get("message") or headers.get(":error-message") or ""
    raise EventStreamError({"Error": {"Code": code, "Message": text}}, _OPERATION)


def retry_after(error: Exception) -> float | None:
    """The seconds that the provider asks to wait, if it does."""
    found: float | None = (
        error.response.get("ResponseMetadata", {}).get("RetryAfter") if isinstance(error, ClientError) else None
    )
    return found


def _seconds(header: str | None) -> float | None:
    try:
        return max(0.0, float(header)) if header else None
    except ValueError:
        return None


def _refusal(response: aiohttp.ClientResponse, body: bytes) -> ClientError:
    try:
        data = json.loads(body)
    except ValueError:
        data = {}
    code = response.headers.get("x-amzn-errortype") or str(data.get("__type", "")).rpartition("#")[2]
    return ClientError(
        {
            "Error": {
                "Code": code.partition(":")[0] or f"HTTP {response.status}",
                "Message": str(data.get("message") or data.get("Message") or ""),
            },
            "ResponseMetadata": {
                "HTTPStatusCode": response.status,
                "RequestId": response.headers.get("x-amzn-requestid", ""),
                "RetryAfter": _seconds(response.headers.get("Retry-After")),
            },
        },
        _OPERATION,
    )


def _may_pass(error: ClientError | aiohttp.ClientError) -> bool:
    """Whether the same request may succeed in a moment. Silence is not repeated: it has cost its time already."""
    if isinstance(error, ClientError):
        known: bool = error.response["Error"]["Code"] in _PASSING
        return known or error.response["ResponseMetadata"]["HTTPStatusCode"] in (500, 502, 503, 504)
    if isinstance(error, aiohttp.SocketTimeoutError | aiohttp.ClientSSLError):
        return False
    return isinstance(error, aiohttp.ClientConnectionError | aiohttp.ClientPayloadError)
