"""Finds the warm process of this machine, or starts it, and sends it requests.

One process serves every Penny process that uses the same cache and model file. It outlives the one that started it.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp

from agent.local.memory import check_memory
from agent.local.state import FAILED, READY, Folder, State
from agent.model import ModelUnavailable

IDLE_SECONDS = 900.0
START_SECONDS = 600.0
REQUEST_SECONDS = 120.0
STARTING = "starting"
ABSENT = "not running"

Phase = Callable[[str], None]
"""Called with each new phase of the process's start, in words ("loading model")."""

_POLL_SECONDS = 0.05
_ROOT = Path(__file__).resolve().parents[2]


class WarmProcess:
    """The one process that serves `gguf` out of `cache` on this machine.

    It ends after `idle_seconds` without a request. `command` is what to run; the folder, the lock and the rest of the
    arguments of agent.local.process are appended.
    """

    def __init__(
        self,
        cache: Path,
        gguf: Path,
        *,
        idle_seconds: float = IDLE_SECONDS,
        start_seconds: float = START_SECONDS,
        command: Sequence[str] = (sys.executable, "-m", "agent.local.process"),
    ) -> None:
        self._folder = Folder.of(cache, gguf)
        self._gguf = gguf
        self._idle_seconds = idle_seconds
        self._start_seconds = start_seconds
        self._command = tuple(command)

    def phase(self) -> str:
        """What the process is doing now: "not running", "loading model", "reading prompt prefix", "ready", "failed"."""
        if not self._folder.path.exists() or (lock := self._folder.take()) is None:
            state = self._folder.read()
            return state.phase if state and self._folder.path.exists() else ABSENT
        os.close(lock)
        return ABSENT

    async def ready(self, progress: Phase | None = None) -> State:
        """The state of the process once it can answer; starts it if there is none and waits for it.

        Raises SetupError when there is not the memory for it, ModelUnavailable when it does not get ready.
        """
        try:
            async with asyncio.timeout(self._start_seconds):
                return await self._ready(progress or (lambda phase: None))
        except TimeoutError:
            raise ModelUnavailable(
                f"The offline model did not get ready within {self._start_seconds:.0f} seconds; try again, or see "
                f"{self._folder.log}."
            ) from None

    async def complete(self, body: dict[str, Any], progress: Phase | None = None) -> dict[str, Any]:
        """The answer to a chat completion request (OpenAI's form); waits for the process and for requests before it.

        Cancelling stops the request in the process too. A process that is gone is replaced once. Raises as `ready`.
        """
        for last in (False, True):
            state = await self.ready(progress)
            try:
                return await self._post(state, body)
            except aiohttp.ClientError as error:
                if last:
                    raise ModelUnavailable("The offline model broke off; send the message again.") from error
                await self._gone(state)
        raise AssertionError("unreachable")

    def stop(self) -> None:
        """Ends the process, if there is one; others that use it start it again at their next request."""
        lock = self._folder.take() if self._folder.path.exists() else None
        if lock is not None:
            os.close(lock)
        elif (state := self._folder.read()) is not None:
            with suppress(ProcessLookupError):
                os.kill(state.pid, 15)

    async def _post(self, state: State, body: dict[str, Any]) -> dict[str, Any]:
        self._folder.touch()
        headers = {"Authorization": f"Bearer {state.token}"}
        timeout = aiohttp.ClientTimeout(total=REQUEST_SECONDS, sock_connect=5)
        async with (
            aiohttp.ClientSession(headers=headers, timeout=timeout, trust_env=False) as session,
            session.post(f"{state.address}/v1/chat/completions", json=body, raise_for_status=True) as answer,
        ):
            parsed: dict[str, Any] = await answer.json()
            return parsed

    async def _gone(self, state: State) -> None:
        """Waits a moment for a process that is ending to be gone, so that the next one can be started."""
        for _ in range(100):
            lock = self._folder.take()
            if lock is not None:
                os.close(lock)
                return
            if self._folder.read() not in (state, None):
                return
            await asyncio.sleep(_POLL_SECONDS)

    async def _ready(self, progress: Phase) -> State:
        self._folder.make()
        started, told = False, ""
        while True:
            lock = self._folder.take()
            if lock is not None:
                if started:
                    os.close(lock)
                    raise self._failed()
                started = True
                try:
                    progress(STARTING)
                    self._folder.clear()
                    check_memory(self._gguf)
                    await asyncio.to_thread(self._start, lock)
                finally:
                    os.close(lock)
            elif (state := self._folder.read()) is not None:
                if state.phase != told:
                    told = state.phase
                    progress(told)
                if state.phase == READY:
                    return state
            await asyncio.sleep(_POLL_SECONDS)

    def _start(self, lock: int) -> None:
        """Starts the process with the lock handed on; returns when it has detached itself."""
        command = [*self._command, "--gguf", str(self._gguf), "--folder", str(self._folder.path), "--lock", str(lock)]
        command += ["--idle-seconds", str(self._idle_seconds)]
        with self._folder.log.open("wb") as log:
            subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=_ROOT,
                pass_fds=(lock,),
                start_new_session=True,
                check=False,
            )

    def _failed(self) -> ModelUnavailable:
        state = self._folder.read()
        why = f" ({state.error})" if state and state.phase == FAILED and state.error else ""
        return ModelUnavailable(
            f"The offline model's process could not load {self._gguf.name}{why}; its log is {self._folder.log}."
        )
