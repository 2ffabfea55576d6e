"""How much memory there is for the model, asked before it is loaded."""

from __future__ import annotations

from pathlib import Path

from domain.errors import SetupError

NEEDED_BESIDE_WEIGHTS = 900 * 10**6
"""Bytes beside the file's own size: repacked weights, context, buffers (measured: 2.0 GB in all for a file of 1.1)."""

_MEMINFO = Path("/proc/meminfo")
_CGROUP = Path("/sys/fs/cgroup")


def available(meminfo: Path = _MEMINFO, cgroup: Path = _CGROUP) -> int | None:
    """Bytes that a new process may take on this machine or in this container; None where the system does not say."""
    try:
        lines = meminfo.read_text("ascii").splitlines()
        [kilobytes] = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
    except (OSError, ValueError):
        return None
    free = int(kilobytes) * 1024
    try:
        limit = (cgroup / "memory.max").read_text("ascii").strip()
        if limit != "max":
            cached = dict(line.split() for line in (cgroup / "memory.stat").read_text("ascii").splitlines())
            used = int((cgroup / "memory.current").read_text("ascii")) - int(cached.get("inactive_file", 0))
            free = min(free, int(limit) - used)
    except (OSError, ValueError):
        pass
    return max(free, 0)


def check_memory(gguf: Path, free: int | None = None) -> None:
    """Raises SetupError, saying how much is free, when `free` bytes (default: what is available) are not enough."""
    free = available() if free is None else free
    try:
        needed = gguf.stat().st_size + NEEDED_BESIDE_WEIGHTS
    except OSError:
        raise SetupError(f"The offline model's file {gguf} is not there any more; start Penny again.") from None
    if free is not None and free < needed:
        raise SetupError(
            f"The offline model needs about {needed / 10**9:.1f} GB of memory, {free / 10**9:.1f} GB is free; close "
            "other programs, set PENNY_LOCAL_GGUF to a smaller GGUF file, or PENNY_MODEL to a Bedrock model."
        )
