"""The protocol's server in this process, opened by the first request: it costs a third of a second and 20 MB, which
commands and services that nobody asks for MCP do without."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from importlib import import_module
from typing import Any

Message = MutableMapping[str, Any]
Handler = Callable[
    [MutableMapping[str, Any], Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]
]
"""An ASGI application."""


class McpWire:
    """Gives the handler of checked requests; `close` ends what it started. Needs no connection and no thread."""

    def __init__(self) -> None:
        self._task: asyncio.Task[None] | None = None
        self._handler: asyncio.Future[Handler] | None = None
        self._closing = asyncio.Event()

    async def handler(self) -> Handler:
        """The protocol's ASGI application, open until `close`."""
        if self._handler is None:
            self._handler = asyncio.get_running_loop().create_future()
            self._task = asyncio.create_task(self._serve(self._handler), name="mcp")
        return await asyncio.shield(self._handler)

    async def close(self) -> None:
        """Ends the requests that are under way and the task that served them."""
        self._closing.set()
        if self._task is not None:
            await self._task

    async def _serve(self, handler: asyncio.Future[Handler]) -> None:
        """Runs the session manager in one task from beginning to end, as its task group needs it."""
        try:
            module = await asyncio.to_thread(import_module, "api.protocols.mcp.server")
            manager = module.make_manager()
        except BaseException as error:
            handler.set_exception(error)
            return
        async with manager.run():
            handler.set_result(manager.handle_request)
            await self._closing.wait()
