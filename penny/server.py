"""The HTTP server process: drains on SIGTERM, stops what it began."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import socket
from collections.abc import Callable, Iterator
from types import FrameType

import uvicorn

from api.app import create_app
from domain.errors import PennyError
from domain.failpoints import Reached, inert
from penny.bootstrap import Services, bootstrap, warm_up
from penny.connections import Patience
from penny.database import Progress
from penny.household import seed_if_empty
from penny.limits import open_gate
from penny.settings import Settings

KEEP_ALIVE_SECONDS = 130
"""Above the 120 s of a load balancer in front, so that it and not we end an idle connection."""


class _Server(uvicorn.Server):
    """uvicorn, except that a first SIGTERM drains before anything is closed, and SIGINT lets go of replies and readers;
    a second signal stops at once."""

    def __init__(self, config: uvicorn.Config, services: Services) -> None:
        super().__init__(config)
        self._services = services
        self._draining: asyncio.Task[None] | None = None

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leaves the signals to `serve`: uvicorn would raise them again at the end, and nothing after it be closed."""
        yield

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._services.readiness.state = "draining"
        if self._draining is None:
            seconds = self._services.settings.drain_seconds if sig == signal.SIGTERM else 0
            self._draining = asyncio.get_running_loop().create_task(self._drain(seconds))
        else:
            self.force_exit = self.should_exit
            self.should_exit = True

    async def _drain(self, seconds: float) -> None:
        """Readiness says 503; running replies finish or are handed over; then readers and connections are closed."""
        await self._services.runner.stop(seconds)
        self.should_exit = True


async def serve(
    settings: Settings,
    listener: socket.socket,
    *,
    sample: bool,
    progress: Progress,
    ready: Callable[[], None] = lambda: None,
    reached: Reached = inert,
) -> None:
    """Serves until a signal ends it; calls `ready` when that begins. With `sample`, the demo user gets the sample
    household if they have nothing."""
    this = asyncio.current_task()
    assert this is not None
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, this.cancel)  # until there is a server that can drain
    async with (
        bootstrap(settings, progress=progress, reached=reached) as services,
        open_gate(settings, services.db) as gate,
    ):
        if sample:
            await seed_if_empty(services.db, services.clock, progress)
        app = create_app(
            services, cors_origins=settings.cors_origins, gate=gate, trusted_proxies=settings.trusted_proxies
        )
        config = uvicorn.Config(
            app,
            http=Patience().protocol,  # type: ignore[arg-type]  # a class, for uvicorn; it calls it, no more
            ws="none",
            log_config=None,  # uvicorn's own would write past the redaction
            log_level="warning",
            access_log=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=5,
            lifespan="off",
            server_header=False,
            proxy_headers=False,  # whose word is taken for a client's address is a setting: api/address.py
        )
        server = _Server(config, services)
        gc.freeze()  # what is loaded stays: looking through it again costs a reply tens of milliseconds
        gc.set_threshold(10_000, 20, 20)  # a turn makes thousands of objects: at 700 a tenth of it is collecting
        host, port = listener.getsockname()[:2]
        warming = asyncio.create_task(_warm_up(services, progress))
        progress(f"ready: http://{f'[{host}]' if ':' in host else host}:{port}")
        for sig in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(sig, server.handle_exit, sig, None)
        ready()
        try:
            await server.serve([listener])
        finally:
            loop.remove_signal_handler(signal.SIGINT)
            warming.cancel()
            await asyncio.gather(warming, return_exceptions=True)


async def _warm_up(services: Services, progress: Progress) -> None:
    """Readies the model while the page is served already; what stands in the way is said, and shows in its status."""
    try:
        await warm_up(services.model, progress)
    except PennyError as error:
        progress(error.message)
