"""A program that starts Penny's servers as forks of itself, so that a test affords many: imports happen once.

Each line on standard input is an order, `{"env", "log", "crash": [point, hits] | null, "skew", "sample"}`; the answer:
`{"pid", "port"}`. The port takes connections at once and answers when the server is up. A server with `crash` ends by
os._exit when it reaches the named failpoint for the so-many-th time; its clock is `skew` seconds fast.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import agent.bedrock  # noqa: F401 - what a server imports when it needs it, imported once for all
import api.app  # noqa: F401
from domain.clock import SystemClock
from domain.failpoints import Point
from penny import server, settings
from penny.listening import bind
from penny.telemetry import configure_logs


def run(order: dict[str, Any], listener: socket.socket) -> None:
    """What `penny serve` does, in this process."""
    os.environ.update(order["env"])
    crash, hits = order["crash"] or (None, 0), Counter[str]()

    def reached(point: Point) -> None:
        hits[point] += 1
        if crash[0] == point and hits[point] == crash[1]:
            os._exit(9)

    if order["skew"]:
        SystemClock.now = lambda _: datetime.now(UTC) + timedelta(seconds=order["skew"])  # type: ignore[method-assign]
    configure_logs("info")
    chosen = settings.load()
    asyncio.run(server.serve(chosen, listener, sample=order["sample"], progress=lambda _: None, reached=reached))


def main() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries the children
    for line in sys.stdin:
        order = json.loads(line)
        listener = bind("127.0.0.1", 0)
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            log = os.open(order["log"], os.O_CREAT | os.O_WRONLY | os.O_APPEND)
            for descriptor in (1, 2):
                os.dup2(log, descriptor)
            code = 1
            try:
                run(order, listener)
                code = 0
            finally:
                os._exit(code)
        sys.stdout.write(json.dumps({"pid": pid, "port": listener.getsockname()[1]}) + "\n")
        sys.stdout.flush()
        listener.close()


if __name__ == "__main__":
    main()
