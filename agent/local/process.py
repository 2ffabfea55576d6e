"""The warm process: loads the model, keeps the prompt's constant beginning in memory, serves until it is not used.

`python -m agent.local.process --gguf FILE --folder FOLDER --lock FD` is started by agent/local/warm.py, which hands the
folder's lock on to it. It serves the runtime's own HTTP interface on loopback, one request after another; a caller that
goes away stops its request. Standard output and error go to the folder's log.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import secrets
import signal
import threading
import time
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from types import FrameType
from typing import Any, Protocol

from agent.local import routing
from agent.local.prompt import prefix
from agent.local.state import FAILED, LOADING, READING, READY, Folder, State

CONTEXT_TOKENS = 4096

_GIVE_WAY = {"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "500"}
"""The runtime's threads wait for each other asleep. Spinning, as they do by themselves, takes 45 ms a token on an idle
machine instead of 50, but 100 to 600 when something else needs a processor (measured on 2)."""


class Server(Protocol):
    """What serves the model once it is loaded; deleting it ends it."""

    listening_address: str


Load = Callable[[Path, Folder, int, str], Server]
"""Loads a model file with so many threads; the server answers holders of the token only."""


def load_with_xllamacpp(gguf: Path, folder: Folder, threads: int, token: str) -> Server:
    """The runtime's server with the model; listens on a free port of loopback."""
    os.environ.update(_GIVE_WAY)
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(gguf)
    params.n_ctx, params.n_parallel, params.warmup = CONTEXT_TOKENS, 1, False
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    params.cache_ram_mib = 0
    params.hostnames, params.port = ["127.0.0.1"], 0
    params.api_keys, params.cors_origins, params.ui = [token], "", False
    params.slot_save_path = f"{folder.path}{os.sep}"
    params.verbosity = 1
    server: Server = xllamacpp.Server(params)
    return server


def main(arguments: Sequence[str] | None = None, *, load: Load = load_with_xllamacpp) -> int:
    """Runs the process; detaches from the starter first. The exit code is the starter's; the rest is in the state."""
    parser = argparse.ArgumentParser(prog="agent.local.process")
    parser.add_argument("--gguf", type=Path, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--lock", type=int, required=True, help="the inherited descriptor that holds the folder's lock")
    parser.add_argument("--idle-seconds", type=float, default=900.0)
    parser.add_argument("--threads", type=int, default=processors())
    options = parser.parse_args(arguments)
    if os.fork():
        return 0
    folder = Folder(options.folder)
    ended = threading.Event()
    _end_on_signals(ended)
    try:
        _serve(load, options.gguf, folder, options.threads, options.idle_seconds, ended)
    except Exception as error:
        folder.write(State(os.getpid(), FAILED, error=str(error)[:200]))
        raise
    return 0


def processors() -> int:
    """How many processors this process may use, at most 8: more threads do not make a small model faster."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(usable, 8)


def _end_on_signals(ended: threading.Event) -> None:
    def end(number: int, frame: FrameType | None) -> None:
        ended.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)


def _serve(load: Load, gguf: Path, folder: Folder, threads: int, idle_seconds: float, ended: threading.Event) -> None:
    token = secrets.token_urlsafe(32)
    folder.write(State(os.getpid(), LOADING))
    server = load(gguf, folder, threads, token)
    folder.write(State(os.getpid(), READING))
    _read_prefix(server.listening_address, token, folder.path, _prefix_name(gguf))
    folder.touch()
    ready = State(os.getpid(), READY, address=server.listening_address, token=token)
    folder.write(ready)
    while not ended.wait(min(5.0, idle_seconds / 4)):
        if _unused(folder, idle_seconds):
            folder.clear()
            if _unused(folder, idle_seconds):
                break
            folder.write(ready)
    folder.clear()
    del server


def _unused(folder: Folder, idle_seconds: float) -> bool:
    return time.time() - folder.used_at() >= idle_seconds


def _prefix_name(gguf: Path) -> str:
    """Names the saved state of the constant prompt after all that it depends on."""
    status = gguf.stat()
    parts = [
        str(gguf),
        status.st_size,
        status.st_mtime_ns,
        version("xllamacpp"),
        CONTEXT_TOKENS,
        prefix(routing.load()),
    ]
    return f"prefix-{hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]}.bin"


def _read_prefix(address: str, token: str, folder: Path, name: str) -> None:
    """Has the model read the constant prompt, or gives it back the state of when it last did."""
    saved = folder / name
    if saved.exists():
        try:
            _post(address, token, "/slots/0?action=restore", {"filename": name})
        except OSError:
            saved.unlink()
        else:
            return
    for stale in folder.glob("prefix-*"):
        stale.unlink()
    roles = [*prefix(routing.load()), {"role": "user", "content": ""}]
    _post(address, token, "/v1/chat/completions", {"messages": roles, "max_tokens": 1, "cache_prompt": True})
    with suppress(OSError):
        _post(address, token, "/slots/0?action=save", {"filename": f"{name}.new"})
        (folder / f"{name}.new").replace(saved)


def _post(address: str, token: str, path: str, body: dict[str, Any]) -> Any:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{address}{path}", json.dumps(body).encode(), headers)  # noqa: S310
    with urllib.request.urlopen(request, timeout=600) as answer:  # noqa: S310
        return json.load(answer)


if __name__ == "__main__":
    raise SystemExit(main())
