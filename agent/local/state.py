"""Where a warm process says what it is doing and where it listens, and the lock that makes it the only one.

The lock is held by the process for as long as it lives, whatever kills it; so a state file is only believed while the
lock is held. One folder for each model file and prompt in the cache, so that another version of Penny, whose prompt
would push this one's out of the process's memory again and again, has a process of its own:

    local-<key>/lock        held by the living process (the starter takes it and hands it on)
    local-<key>/state.json  phase, address and token, 0600
    local-<key>/used        touched at each request; the process ends when it is old
    local-<key>/log         what the process and the runtime print
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from agent.local import routing
from agent.local.prompt import prefix

LOADING = "loading model"
READING = "reading prompt prefix"
READY = "ready"
FAILED = "failed"


@dataclass(frozen=True, slots=True)
class State:
    """What the process says of itself; `address` is `http://127.0.0.1:<port>`, `token` its bearer token."""

    pid: int
    phase: str
    address: str = ""
    token: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Folder:
    """The folder of the process that serves one model file with one prompt."""

    path: Path

    @classmethod
    def of(cls, cache: Path, gguf: Path) -> Folder:
        what = os.fsencode(gguf.resolve()) + json.dumps(prefix(routing.load())).encode()
        return cls(cache / f"local-{hashlib.sha256(what).hexdigest()[:12]}")

    @property
    def log(self) -> Path:
        return self.path / "log"

    def make(self) -> None:
        """Creates the folder, for its owner alone."""
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)

    def take(self) -> int | None:
        """The lock as an open file descriptor, or None while a process (or one that starts it) has it."""
        descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return descriptor

    def read(self) -> State | None:
        """The state as last written; None when there is none (or one of another version)."""
        with suppress(OSError, ValueError, TypeError):
            return State(**json.loads((self.path / "state.json").read_text("utf-8")))
        return None

    def write(self, state: State) -> None:
        fresh = self.path / "state.json.new"
        with suppress(FileNotFoundError):
            fresh.unlink()
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(asdict(state), file)
        fresh.replace(self.path / "state.json")

    def clear(self) -> None:
        """Removes the state: nobody finds the process any more."""
        with suppress(FileNotFoundError):
            (self.path / "state.json").unlink()

    def touch(self) -> None:
        """Notes that the process is used now."""
        (self.path / "used").touch()

    def used_at(self) -> float:
        """When it was last used, in seconds since the epoch; 0 if never."""
        with suppress(FileNotFoundError):
            return (self.path / "used").stat().st_mtime
        return 0.0
