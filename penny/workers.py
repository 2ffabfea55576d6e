"""Several server processes behind one socket: the parent binds, passes it on, and sees to it that so many serve."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import threading
from asyncio.subprocess import PIPE, Process
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from penny.database import Progress

SERVING = b"."

PAUSE_SECONDS = 1.0
"""Before a worker that died is replaced."""


async def supervise(workers: int, listener: socket.socket, *, sample: bool, progress: Progress) -> int:
    """Serves with so many processes until a signal ends them or one cannot start; gives the exit code.

    SIGTERM and SIGINT go on to every worker. One that dies is replaced. When the parent dies its workers drain and end.
    """
    parent = _Parent(listener, progress)
    loop = asyncio.get_running_loop()
    for sig in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sig, parent.stop, sig)
    codes = await asyncio.gather(*(parent.keep(n, sample=sample and n == 0) for n in range(workers)))
    return parent.failed or max(codes)


class _Parent:
    def __init__(self, listener: socket.socket, progress: Progress) -> None:
        self._listener = listener
        self._progress = progress
        self._children: set[Process] = set()
        self._stopping = asyncio.Event()
        self.failed = 0

    def stop(self, sig: int) -> None:
        """Passes the signal on; nothing is started any more."""
        self._stopping.set()
        for child in self._children:
            if child.returncode is None:
                child.send_signal(sig)

    async def keep(self, number: int, *, sample: bool) -> int:
        """Keeps one worker running until all stop; its last exit code, as a shell has it. One that ends by itself
        before it serves has said why, and another would say the same."""
        while True:
            served, code = await self._run(sample=sample)
            if self._stopping.is_set():
                return code if code >= 0 else 128 - code
            if code >= 0 and not served:
                self.failed = code
                self.stop(signal.SIGTERM)
                return code
            self._progress(f"worker {number + 1} ended with {code}; starting another")
            sample = False
            try:
                async with asyncio.timeout(PAUSE_SECONDS):
                    await self._stopping.wait()
                return 0
            except TimeoutError:
                pass

    async def _run(self, *, sample: bool) -> tuple[bool, int]:
        """Runs a worker to its end: whether it came to serve, and its exit code."""
        descriptor = self._listener.fileno()
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "penny", "serve", "--descriptor", str(descriptor), *(["--sample"] if sample else []),
            stdin=PIPE, stdout=PIPE, pass_fds=(descriptor,), process_group=0,  # Ctrl-C comes to us and goes on once
        )  # fmt: skip
        self._children.add(child)
        if self._stopping.is_set():
            child.send_signal(signal.SIGTERM)
        assert child.stdout is not None
        served = bool(await child.stdout.read(len(SERVING)))
        code = await child.wait()
        self._children.discard(child)
        return served, code


def tell_parent() -> None:
    """Says, in a worker, that it serves now. The parent reads no more than that: what is written to standard output
    from now on (metrics) goes where the log goes."""
    os.write(sys.stdout.fileno(), SERVING)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())


def inherited(descriptor: int) -> socket.socket:
    """The parent's listening socket, in a worker, which drains when the parent is gone: its standard input ends."""

    def watch() -> None:
        while os.read(0, 1):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="parent", daemon=True).start()
    return socket.socket(fileno=descriptor)
