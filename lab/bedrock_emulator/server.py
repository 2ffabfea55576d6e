"""The emulator's HTTP server: signature, request and script are checked in turn, then the reply plays."""

from __future__ import annotations

import asyncio
import json
import re
import time
import uuid
from collections.abc import Callable, Collection, Mapping
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from agent.capabilities import capabilities
from lab.bedrock_emulator import abilities, signature, validation
from lab.bedrock_emulator.cache import PromptCache
from lab.bedrock_emulator.pacing import for_ever, play
from lab.bedrock_emulator.playback import Playback
from lab.bedrock_emulator.refusals import ApiError, invalid
from lab.bedrock_emulator.replies import stream_frames, whole
from lab.bedrock_emulator.script import Hang, Responder, Script, Stall, StreamException, TokenCounts, Turn
from lab.bedrock_emulator.state import State, Watched

_PATH = re.compile(r"/model/(?P<model>.+)/(?P<operation>converse|converse-stream)")
_PROFILE = re.compile(r"/inference-profiles/(?P<profile>.+)")
_MAX_BODY = 32 * 1024 * 1024


class BedrockEmulator:
    """A Bedrock runtime on a local port, for as long as the context lasts.

    `script` is a Script or a function from the request to a Turn. `secrets` (secret by access key) makes it check
    signatures; `models` makes it refuse other model ids; `profiles` maps application inference profile ARNs to the
    model ARNs that the control plane names for them. By `clock` (seconds) cached prompts are forgotten. Port 0: a free
    one.
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
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.state = State()
        self._playback = Playback(script)
        self._host, self._port = host, port
        self._secrets = secrets or {}
        self._models = models
        self._profiles = profiles or {}
        self._cache = PromptCache(clock)
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
                {"message": error.message}, status=error.status, headers={**_ids(), **error.headers}
            )
        finally:
            self.state.announce()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        raw_path = request.raw_path.partition("?")[0]
        self.state.paths.append(raw_path)
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
        known = capabilities(self._profiles.get(asked["modelId"], asked["modelId"]))
        abilities.check(asked, known, streams=match["operation"] == "converse-stream")
        turn = self._playback.next(asked)
        prompt = self._cache.account(asked, known)
        traced = str((asked.get("guardrailConfig") or {}).get("trace", "")).startswith("enabled")
        if match["operation"] == "converse":
            return await self._whole(turn, prompt, traced)
        return await self._stream(request, turn, prompt, traced)

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

    async def _whole(self, turn: Turn, prompt: TokenCounts, traced: bool) -> web.Response:
        with Watched(self.state) as watched:
            await asyncio.sleep(turn.first_delay + turn.token_delay * len(turn.tokens))
            match turn.fault:
                case StreamException(type=kind, message=message):
                    watched.outcome = "broken"
                    raise ApiError(kind[0].upper() + kind[1:], message)
                case Hang() | Stall(seconds=None):
                    await for_ever()
            watched.outcome = "completed"
            return web.json_response(whole(turn, prompt, traced=traced), headers=_ids())

    async def _stream(self, request: web.Request, turn: Turn, prompt: TokenCounts, traced: bool) -> web.StreamResponse:
        response = web.StreamResponse(headers={"content-type": "application/vnd.amazon.eventstream", **_ids()})
        response.enable_chunked_encoding()
        paced = stream_frames(turn, prompt, traced=traced)
        with Watched(self.state) as watched:
            watched.outcome = await play(request, response, turn, paced)
        return response


def _ids() -> dict[str, str]:
    return {"x-amzn-requestid": str(uuid.uuid4())}
