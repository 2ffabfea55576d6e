"""Tries the image: `trial.py TAG`. It serves on a root that cannot be written as user 10001, without a way out but to a
database and an emulator of Bedrock that run beside it; holds a conversation; then gets SIGTERM with 20 replies under
way, of which none may be lost.

With docker or podman it is a container like in production. With buildah alone (root needed) its files are mounted
read-only in a mount namespace and entered by chroot: the same files, user and root, the network being the machine's.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import psutil

from api.auth import mint
from db.embedded import embedded
from domain.clock import SystemClock
from lab.bedrock_emulator import BedrockEmulator
from lab.bedrock_emulator.conversation import conversation

STREAMS = 20
USER = 10001
MODEL = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
WORDS_APART = 0.1
"""Seconds; with so many words a reply takes long enough to be under way when the signal comes."""
TMPFS = "size=64m,mode=1777,nosuid,nodev"
OF_IMAGE = {
    "PATH": "/opt/penny/bin:/usr/local/bin:/usr/bin:/bin",
    "HOME": "/tmp",
    "PENNY_HOME": "/tmp/penny",
    "PENNY_CACHE": "/tmp/penny-cache",
    "PYTHONUNBUFFERED": "1",
}
"""The image's own variables, where no engine is there to apply them."""

ENTER = """
set -e
mount --bind "$1" "$1"
mount -t proc proc "$1/proc"
mount -t tmpfs -o size=64m,mode=1777,nosuid,nodev tmpfs "$1/tmp"
for device in null zero random urandom; do
  touch "$1/dev/$device"; mount --bind "/dev/$device" "$1/dev/$device"
done
cp "$KEY_FILE" "$1/tmp/key"
mount -o remount,ro,bind "$1"
root="$1"; shift
exec setpriv --no-new-privs chroot --userspec=10001:10001 --groups=10001 "$root" "$@"
"""


class Image:
    """The image by one of the engines: `run` starts a command in it."""

    def __init__(self, engine: str, tag: str, root: str, key: Path) -> None:
        self._engine, self._tag, self._root, self._key = engine, tag, root, key

    def run(self, command: list[str], settings: Mapping[str, str]) -> subprocess.Popen[bytes]:
        """Starts it, with these settings."""
        if self._root:
            inside = [f"{name}={value}" for name, value in {**OF_IMAGE, **settings}.items()]
            namespace = [
                "unshare",
                "--mount",
                "--pid",
                "--fork",
                "--kill-child",
                "sh",
                "-c",
                ENTER,
                "enter",
                self._root,
            ]
            environment = {"PATH": os.environ["PATH"], "KEY_FILE": str(self._key)}
            return subprocess.Popen([*namespace, "/usr/bin/env", "-i", *inside, *command], env=environment)
        flags = [part for name, value in settings.items() for part in ("--env", f"{name}={value}")]
        kept_out = ["--read-only", "--tmpfs", f"/tmp:{TMPFS}", "--cap-drop", "ALL", "--network", "host"]
        key = ["--volume", f"{self._key}:/tmp/key:ro"]
        return subprocess.Popen([self._engine, "run", "--rm", "--init", *kept_out, *key, *flags, self._tag, *command])

    def of(self, process: subprocess.Popen[bytes]) -> psutil.Process:
        """The process in the container that `run` started: the server."""
        if self._root:
            return psutil.Process(process.pid).children()[0]
        return next(p for p in psutil.process_iter(["cmdline"]) if "serve" in (p.info["cmdline"] or [])[1:4])


@contextlib.contextmanager
def opened(tag: str, key: Path) -> Iterator[Image]:
    """The image, mounted if nothing but buildah is here."""
    names = (os.environ.get("PENNY_ENGINE") or "docker podman buildah").split()
    engine = next((name for name in names if _works(name)), None)
    if engine is None:
        sys.exit("trial: none of docker, podman and buildah works here")
    if engine != "buildah":
        yield Image(engine, tag, "", key)
        return
    container = _said("buildah", "from", "--pull-never", tag)
    try:
        yield Image(engine, tag, _said("buildah", "mount", container), key)
    finally:
        _said("buildah", "rm", container)


def _works(engine: str) -> bool:
    return shutil.which(engine) is not None and subprocess.run([engine, "info"], capture_output=True).returncode == 0


def _said(*command: str) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


async def main(tag: str) -> None:
    """Raises AssertionError with what went wrong."""
    with contextlib.ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="penny-trial-")))
        home.chmod(0o755)  # PostgreSQL's account has to get in
        key = home / "key"
        key.write_text(secrets.token_hex(32))
        key.chmod(0o644)
        image = stack.enter_context(opened(tag, key))
        async with embedded(home, durable=False) as postgres, BedrockEmulator(conversation(WORDS_APART)) as bedrock:
            port = _free_port()
            settings = {
                "PENNY_DATABASE_URL": postgres.admin_url,
                "PENNY_AUTH": "hs256:/tmp/key",
                "PENNY_AUTH_ISSUER": "trial",
                "PENNY_MODEL": f"bedrock:{MODEL}",
                "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": bedrock.url,
                "PENNY_LIMITS_RUNS_PER_USER": str(STREAMS),
                "PENNY_LIMITS_OPEN_PER_USER": "0",
                "AWS_REGION": "us-east-1",
                "AWS_ACCESS_KEY_ID": "trial",
                "AWS_SECRET_ACCESS_KEY": "trial",
            }
            assert image.run(["penny", "migrate"], settings).wait() == 0, "penny migrate failed"
            began = time.monotonic()
            process = image.run(["penny", "serve", "--host", "127.0.0.1", "--port", str(port)], settings)
            try:
                token = mint(key.read_bytes(), "someone", 3600, clock=SystemClock(), issuer="trial")
                headers = {"Authorization": f"Bearer {token}"}
                url = f"http://127.0.0.1:{port}"
                async with httpx.AsyncClient(base_url=url, headers=headers, timeout=120) as client:
                    await _ready(client, process)
                    print(f"ready after {time.monotonic() - began:.1f} s")
                    await _tried(client, image, process)
            finally:
                if process.poll() is None:
                    for one in [*psutil.Process(process.pid).children(recursive=True), process]:
                        one.kill()


async def _ready(client: httpx.AsyncClient, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        with contextlib.suppress(httpx.TransportError):
            if (await client.get("/readyz")).status_code == 200:
                return
        assert process.poll() is None, "the service ended before it was ready"
        await asyncio.sleep(0.2)
    raise AssertionError("the service was not ready in two minutes")


async def _tried(client: httpx.AsyncClient, image: Image, process: subprocess.Popen[bytes]) -> None:
    server = image.of(process)
    assert server.uids().real == USER, f"it runs as {server.uids().real}"
    for path in ("/", "/opt/penny", "/etc"):
        write = f"import errno\ntry: open('{path}/x', 'w')\nexcept OSError as e: exit(e.errno != errno.EROFS)\nexit(2)"
        assert image.run(["python", "-c", write], {}).wait() == 0, f"{path} can be written to"
    assert (await client.get("/widget.js")).status_code == 200, "the widget is not in the image"
    session = (await client.post("/v1/sessions", json={})).json()["id"]
    waits = {"Accept": "application/json"}
    said = await client.post(f"/v1/sessions/{session}/messages", json={"text": "How are my budgets?"}, headers=waits)
    assert said.status_code == 200, said.text
    assert said.json()["reply"], said.text
    print(f"a conversation: {said.json()['reply'][:60]!r}; {server.memory_info().rss / 2**20:.0f} MiB")
    started = asyncio.Semaphore(0)
    sessions = [(await client.post("/v1/sessions", json={})).json()["id"] for _ in range(STREAMS)]
    replies = [asyncio.create_task(_reply(client, session, started)) for session in sessions]
    all_started = asyncio.gather(*(started.acquire() for _ in replies))
    await asyncio.wait([all_started, *replies], timeout=120, return_when=asyncio.FIRST_COMPLETED)
    for reply in replies:
        assert not reply.done(), f"a reply ended before the signal: {reply.exception() or reply.result()}"
    assert all_started.done(), "the replies did not start"
    began = time.monotonic()
    server.send_signal(signal.SIGTERM)
    ends = await asyncio.gather(*replies)
    code = await asyncio.to_thread(process.wait, 60)
    assert all(ends), f"{ends.count(False)} of {STREAMS} replies did not come whole"
    assert code == 0, f"it ended with {code}"
    print(f"drained {STREAMS} replies whole and ended with 0, {time.monotonic() - began:.1f} s after SIGTERM")


async def _reply(client: httpx.AsyncClient, session: str, started: asyncio.Semaphore) -> bool:
    """Whether the reply came whole: the text of its deltas is that of its end."""
    words = " ".join(f"word-{n}" for n in range(60))
    said, kind = "", ""
    wants = {"Accept": "text/event-stream"}
    async with client.stream(
        "POST", f"/v1/sessions/{session}/messages", json={"text": words}, headers=wants
    ) as response:
        assert response.status_code == 200, (await response.aread()).decode()
        async for line in response.aiter_lines():
            if line.startswith("event: "):
                kind = line[7:]
            elif line.startswith("data: ") and kind == "text.delta":
                if not said:
                    started.release()
                said += json.loads(line[6:])["text"]
            elif line.startswith("data: ") and kind == "run.finished":
                return bool(said == json.loads(line[6:])["text"] and words in said)
    return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
