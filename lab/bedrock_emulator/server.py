"""The emulator's HTTP server: one coroutine a stream, frames made beforehand, all that is due written at once."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import struct
import uuid
from collections.abc import Collection, Mapping
from typing import Any, NoReturn
from urllib.parse import unquote

from aiohttp import web

from lab.bedrock_emulator import frames, signature, validation
from lab.bedrock_emulator.playback import Playback
from lab.bedrock_emulator.refusals import ApiError, invalid
from lab.bedrock_emulator.replies import Paced, stream_frames, whole
from lab.bedrock_emulator.script import Corrupt, Hang, Reset, Responder, Script, Stall, StreamException, Truncate, Turn
from lab.bedrock_emulator.state import State

_PATH = re.compile(r"/model/(?P<model>.+)/(?P<operation>converse|converse-stream)")
_PROFILE = re.compile(r"/inference-profiles/(?P<profile>.+)")
_MAX_BODY = 32 * 1024 * 1024


class BedrockEmulator:
    """A Bedrock runtime on a local port, for as long as the context lasts.

    `script` is a Script or a function from the request to a Turn. `secrets` (secret by access key) makes it check
    signatures; `models` makes it refuse other model ids; `profiles` maps application inference profile ARNs to the
    model ARNs that the control plane names for them. Port 0: a free one.
    """

    def __init__(
        self,
        script: Script | Responder,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        secrets: Mapping[str, str] | None = None,
        models: Collection[str] | None = None,
        profiles: Mapping[str, str] | None = None,
    ) -> None:
        self.state = State()
        self._playback = Playback(script)
        self._host, self._port = host, port
        self._secrets = secrets or {}
        self._models = models
        self._profiles = profiles or {}
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """What AWS_ENDPOINT_URL_BEDROCK_RUNTIME is to be set to."""
        return f"http://{self._host}:{self._port}"

    async def start(self) -> None:
        """Raises OSError when the port is taken."""
        app = web.Application(client_max_size=_MAX_BODY)
        app.router.add_get("/emulator/state", self._show_state)
        app.router.add_route("*", "/{rest:.*}", self._serve)
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        try:
            site = web.TCPSite(runner, self._host, self._port, backlog=2048)
            await site.start()
        except OSError:
            await runner.cleanup()
            raise
        self._port = runner.addresses[0][1]
        self._runner = runner

    async def stop(self) -> None:
        """Closes the port and all that is open."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> BedrockEmulator:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _show_state(self, _: web.Request) -> web.Response:
        return web.json_response(self.state.json())

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        self.state.requests += 1
        try:
            return await self._answer(request)
        except ApiError as error:
            self.state.refused += 1
            return web.json_response(
                {"message": error.message}, status=error.status, headers={**_ids(), "x-amzn-errortype": error.type}
            )
        finally:
            self.state.announce()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        raw_path = request.raw_path.partition("?")[0]
        body = await request.read()
        signature.check(
            request.method, f"http://{request.host}{request.raw_path}", request.headers, body, self._secrets
        )
        if profile := _PROFILE.fullmatch(raw_path):
            return self._show_profile(unquote(profile["profile"]))
        match = _PATH.fullmatch(raw_path)
        if match is None or request.method != "POST":
            raise ApiError("UnknownOperationException", "There is no such operation.", 404)
        asked = self._read(unquote(match["model"]), body)
        turn = self._playback.next(asked)
        prompt_tokens = len(body) // 4
        if match["operation"] == "converse":
            return await self._whole(turn, prompt_tokens)
        return await self._stream(request, turn, prompt_tokens)

    def _show_profile(self, arn: str) -> web.Response:
        if arn not in self._profiles:
            raise ApiError("ResourceNotFoundException", "The inference profile was not found.")
        return web.json_response({"inferenceProfileArn": arn, "models": [{"modelArn": self._profiles[arn]}]})

    def _read(self, model: str, body: bytes) -> dict[str, Any]:
        try:
            asked = json.loads(body)
        except ValueError:
            raise invalid("The request body is not valid JSON.") from None
        if self._models is not None and model not in self._models:
            raise invalid("The provided model identifier is invalid.")
        asked = {**asked, "modelId": model}
        self.state.bodies.append(asked)
        validation.check(asked)
        return asked

    async def _whole(self, turn: Turn, prompt_tokens: int) -> web.Response:
        with _Watched(self.state) as watched:
            await asyncio.sleep(turn.first_delay + turn.token_delay * len(turn.tokens))
            match turn.fault:
                case StreamException(type=kind, message=message):
                    watched.outcome = "broken"
                    raise ApiError(kind[0].upper() + kind[1:], message)
                case Hang() | Stall(seconds=None):
                    await _for_ever()
            watched.outcome = "completed"
            return web.json_response(whole(turn, prompt_tokens), headers=_ids())

    async def _stream(self, request: web.Request, turn: Turn, prompt_tokens: int) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "application/vnd.amazon.eventstream", **_ids()})
        response.enable_chunked_encoding()
        paced = stream_frames(turn, prompt_tokens)
        with _Watched(self.state) as watched:
            fault = turn.fault
            if isinstance(fault, Hang):
                await _for_ever()
            await asyncio.sleep(turn.first_delay)
            await response.prepare(request)
            at = len(paced) if fault is None else fault.at
            await _play(response, paced[:at], turn.token_delay)
            match fault:
                case Stall(seconds=seconds):
                    await (_for_ever() if seconds is None else asyncio.sleep(seconds))
                    await _play(response, paced[at:], turn.token_delay)
                    watched.outcome = "completed"
                case None:
                    watched.outcome = "completed"
                case Reset():
                    watched.outcome = "broken"
                    _reset(request)
                    return response
                case Truncate() | StreamException() | Corrupt():
                    watched.outcome = "broken"
                    await response.write(_last_words(fault, paced))
            await response.write_eof()
        return response


class _Watched:
    """Counts one accepted request in and out. It ends as cancelled unless told otherwise."""

    def __init__(self, state: State) -> None:
        self._state = state
        self.outcome = "cancelled"

    def __enter__(self) -> _Watched:
        self._state.started += 1
        self._state.open_streams += 1
        self._state.announce()
        return self

    def __exit__(self, *_: object) -> None:
        self._state.open_streams -= 1
        setattr(self._state, self.outcome, getattr(self._state, self.outcome) + 1)
        self._state.announce()


async def _play(response: web.StreamResponse, paced: list[Paced], delay: float) -> None:
    """Writes the frames, each token `delay` seconds after the one before; all that has come due goes in one write."""
    if delay == 0:
        await _write(response, [frame for frame, _ in paced])
        return
    clock = asyncio.get_running_loop().time
    due, batch = clock(), list[bytes]()
    for frame, is_token in paced:
        if is_token:
            due += delay
            ahead = due - clock()
            if ahead > 0:
                await _write(response, batch)
                batch = []
                await asyncio.sleep(ahead)
        batch.append(frame)
    await _write(response, batch)


async def _write(response: web.StreamResponse, batch: list[bytes]) -> None:
    if batch:
        await response.write(b"".join(batch))


def _last_words(fault: Truncate | StreamException | Corrupt, paced: list[Paced]) -> bytes:
    match fault:
        case StreamException(type=kind, message=message):
            return frames.exception(kind, message)
        case Corrupt(at=at):
            return frames.corrupted(paced[at][0])
        case Truncate():
            return b""


def _reset(request: web.Request) -> None:
    transport = request.transport
    if transport is not None:
        connection: socket.socket = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()


async def _for_ever() -> NoReturn:
    await asyncio.get_running_loop().create_future()
    raise AssertionError("nobody resolves this future")


def _ids() -> dict[str, str]:
    return {"x-amzn-requestid": str(uuid.uuid4())}
