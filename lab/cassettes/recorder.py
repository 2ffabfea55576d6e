"""A proxy in front of Bedrock that writes what passes to a cassette. Nothing is held back from the client meanwhile."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import aiohttp
from aiohttp import web
from botocore.exceptions import BotoCoreError
from yarl import URL

from domain.errors import SetupError
from lab.cassettes.answers import through, turn_of_stream, turn_of_whole
from lab.cassettes.asked import asked_of, mask_for
from lab.cassettes.tape import Exchange, Header, Writer

Sign = Callable[[str, str, bytes, Mapping[str, str]], Mapping[str, str]]
"""Headers for a request that is sent on: of method, URL, body and the content headers."""

_PATH = re.compile(r"/model/(?P<model>.+)/(?P<operation>converse|converse-stream)")
_SENT_ON = ("content-type", "accept", "authorization", "x-amz-date", "x-amz-security-token", "x-amz-content-sha256")
_ANSWERED = ("content-type", "x-amzn-requestid", "x-amzn-errortype", "retry-after")
_MAX_BODY = 32 * 1024 * 1024


class Recorder:
    """The proxy's counters and address."""

    def __init__(self, upstream: str, writer: Writer, header: Header, sign: Sign | None) -> None:
        self._upstream = upstream.rstrip("/")
        self._writer = writer
        self._header = header
        self._sign = sign
        self._http: aiohttp.ClientSession | None = None
        self.url = ""
        self.passed = 0

    @property
    def kept(self) -> int:
        """How many exchanges the cassette has."""
        return self._writer.count

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Sends the request on and the answer back; one that is whole and well is kept."""
        body = await request.read()
        url = self._upstream + request.raw_path
        headers = {name: request.headers[name] for name in _SENT_ON if name in request.headers}
        if self._sign is not None and not headers.get("authorization", "").startswith("Bearer "):
            headers = dict(self._sign(request.method, url, body, headers))
        if self._http is None:
            self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None, sock_read=300))
        self.passed += 1
        async with self._http.request(
            request.method, URL(url, encoded=True), data=body, headers=headers, skip_auto_headers=("user-agent",)
        ) as upstream:
            answer = web.StreamResponse(
                status=upstream.status,
                headers={name: upstream.headers[name] for name in _ANSWERED if name in upstream.headers},
            )
            await answer.prepare(request)
            heard = bytearray()
            async for data in upstream.content.iter_any():
                heard += data
                await answer.write(data)
            if upstream.status == 200:
                self._keep(request.raw_path.partition("?")[0], body, bytes(heard))
            await answer.write_eof()
        return answer

    async def close(self) -> None:
        if self._http is not None:
            await self._http.close()

    def _keep(self, path: str, body: bytes, heard: bytes) -> None:
        found = _PATH.fullmatch(path)
        if found is None:
            return
        turn = turn_of_stream(heard) if found["operation"] == "converse-stream" else turn_of_whole(heard)
        if turn is None:
            return
        request: dict[str, Any] = {**json.loads(body), "modelId": unquote(found["model"])}
        mask = mask_for(request, self._header.salt)
        asked = asked_of(request, mask)
        self._writer.add(Exchange(asked, through(turn, mask.answer)))


@asynccontextmanager
async def recording(
    to: Path, header: Header, *, upstream: str, sign: Sign | None = None, host: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[Recorder]:
    """A proxy to `upstream` that writes a cassette. Without `sign` the client's own signature is sent on, which the
    emulator takes and Bedrock, whose name the client did not sign, does not. Raises OSError when the port is taken."""
    writer = Writer(to, header)
    recorder = Recorder(upstream, writer, header, sign)
    app = web.Application(client_max_size=_MAX_BODY)
    app.router.add_route("*", "/{rest:.*}", recorder.serve)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        recorder.url = f"http://{host}:{runner.addresses[0][1]}"
        yield recorder
    finally:
        await runner.cleanup()
        await recorder.close()
        writer.close()


def signed_by_aws(region: str | None = None) -> tuple[str, Sign]:
    """Bedrock's address in the region and a signer with the credentials that AWS's usual chain finds. Raises
    SetupError."""
    import boto3
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest

    try:
        session = boto3.Session(region_name=region)
        credentials = session.get_credentials()
        if credentials is None or session.region_name is None:
            raise SetupError("Recording from Bedrock needs AWS credentials and a region (AWS_REGION).")
        signer = SigV4Auth(credentials, "bedrock", session.region_name)
        address = session.client("bedrock-runtime").meta.endpoint_url
    except BotoCoreError as error:
        raise SetupError(f"AWS is not set up for recording: {error}") from error

    def sign(method: str, url: str, body: bytes, headers: Mapping[str, str]) -> Mapping[str, str]:
        content = {name: value for name, value in headers.items() if name in ("content-type", "accept")}
        request = AWSRequest(method, url, content, body)
        signer.add_auth(request)
        return {name: str(value) for name, value in request.headers.items()}

    return str(address), sign
