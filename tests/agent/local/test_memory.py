"""Whether there is the memory for the model is asked before it is loaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.local.memory import available, check_memory
from domain.errors import SetupError

GIB = 1024**3


@pytest.fixture
def meminfo(tmp_path: Path) -> Path:
    file = tmp_path / "meminfo"
    file.write_text(f"MemTotal: {8 * GIB // 1024} kB\nMemAvailable: {4 * GIB // 1024} kB\n")
    return file


def test_too_little_memory_is_said_with_figures(tmp_path: Path) -> None:
    """The message has what is needed and what is free."""
    gguf = tmp_path / "model.gguf"
    with gguf.open("wb") as file:
        file.truncate(1_117_320_768)

    with pytest.raises(SetupError, match=r"needs about 2.0 GB of memory, 1.1 GB is free"):
        check_memory(gguf, free=1_100_000_000)
    check_memory(gguf, free=3 * 10**9)


def test_available_is_what_the_machine_says(meminfo: Path, tmp_path: Path) -> None:
    """Without a container's limit it is the kernel's own estimate."""
    assert available(meminfo, tmp_path / "no-cgroup") == 4 * GIB


def test_a_container_has_what_its_limit_leaves(meminfo: Path, tmp_path: Path) -> None:
    """What is used counts, what the cache could give back does not."""
    (tmp_path / "memory.max").write_text(f"{2 * GIB}\n")
    (tmp_path / "memory.current").write_text(f"{GIB}\n")
    (tmp_path / "memory.stat").write_text(f"anon {GIB // 2}\ninactive_file {GIB // 2}\n")

    assert available(meminfo, tmp_path) == 2 * GIB - GIB // 2


def test_a_system_that_does_not_say_is_not_asked(tmp_path: Path) -> None:
    """Where there is no /proc/meminfo the question is left out."""
    assert available(tmp_path / "none", tmp_path) is None
