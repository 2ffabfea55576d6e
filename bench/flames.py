"""Flame graphs of the service's main thread: tokens of 60 replies under way, and short turns one after another.

`python -m bench.flames`; needs py-spy (`pip install py-spy`), which is no dependency of Penny's. They go to
docs/performance/; frames that are thinner than one sample in two hundred are left out.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import sys
import tempfile
from asyncio.subprocess import DEVNULL
from collections.abc import Awaitable, Callable
from html import escape
from pathlib import Path

import psutil

from bench.streams import Service, service

FOLDER = Path(__file__).parents[1] / "docs" / "performance"
SECONDS = 12
WIDTH, HEIGHT = 1000, 15
LEAST = 1 / 200


class Node:
    """A function in its place of the stack."""

    def __init__(self) -> None:
        self.count = 0
        self.below: dict[str, Node] = {}


def tree(text: str) -> Node:
    """py-spy's raw stacks, those that are under way in the event loop, from there on."""
    root = Node()
    for line in text.splitlines():
        stack, _, count = line.rpartition(" ")
        frames = [re.sub(r":\d+\)$", ")", frame) for frame in stack.split(";")]
        starts = [n for n, frame in enumerate(frames) if frame.startswith("Runner.run ") or "asyncio/runners" in frame]
        if not starts:
            continue
        at, root.count = root, root.count + int(count)
        for frame in frames[starts[-1] + 1 :] or ["(the loop itself: polling, reading, writing)"]:
            at = at.below.setdefault(frame, Node())
            at.count += int(count)
    return root


def drawing(root: Node, title: str) -> str:
    """The tree as SVG, its root at the top."""
    out: list[str] = []
    deepest = 0

    def draw(node: Node, depth: int, left: float) -> None:
        nonlocal deepest
        for name, child in sorted(node.below.items()):
            width = child.count / root.count * WIDTH
            if child.count >= LEAST * root.count:
                deepest = max(deepest, depth)
                share = f"{child.count / root.count:.1%}"
                shade = 90 + sum(name.encode()) % 110
                label = escape(name[: int(width / 6)]) if width > 40 else ""
                y = 24 + depth * HEIGHT
                out.append(
                    f'<g><title>{escape(name)} {share}</title><rect x="{left:.1f}" y="{y}" width="{width:.1f}" '
                    f'height="{HEIGHT - 1}" fill="rgb(235,{shade},70)"/>'
                    f'<text x="{left + 2:.1f}" y="{y + 11}">{label}</text></g>'
                )
                draw(child, depth + 1, left)
            left += width

    draw(root, 0, 0)
    body = "\n".join(out)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {40 + (deepest + 1) * HEIGHT}" '
        f'font-family="monospace" font-size="9"><text x="4" y="14" font-size="12">{escape(title)}, {root.count} '
        f"samples</text>\n{body}\n</svg>\n"
    )


async def sampled(to: Service, title: str, name: str) -> None:
    """What the service does in the coming seconds, drawn."""
    port = int(to.url.rpartition(":")[2])
    owner = next(c.pid for c in psutil.net_connections("tcp") if c.status == "LISTEN" and c.laddr.port == port)
    spy = shutil.which("py-spy") or str(Path(sys.executable).parent / "py-spy")
    with tempfile.NamedTemporaryFile(suffix=".raw") as raw:
        process = await asyncio.create_subprocess_exec(
            spy, "record", "-r", "200", "-d", str(SECONDS), "-f", "raw", "-o", raw.name, "-p", str(owner),
            stdout=DEVNULL, stderr=DEVNULL,
        )  # fmt: skip
        assert await process.wait() == 0, "py-spy could not look"
        root = tree(raw.read().decode())
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{name}.svg").write_text(drawing(root, title))
    print(f"docs/performance/{name}.svg: {root.count} samples")


async def while_(work: Callable[[int], Awaitable[object]], many: int, to: Service, title: str, name: str) -> None:
    """Samples while `many` do the work over and over."""

    async def on(n: int) -> None:
        await asyncio.sleep(n / 20)
        while True:
            await work(n)

    tasks = [asyncio.create_task(on(n)) for n in range(many)]
    await asyncio.sleep(many / 20 + 3)
    await sampled(to, title, name)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def main() -> None:
    """Draws both."""
    async with service({"text": "word " * 3000, "token_delay": 0.02}) as to:
        sessions = [await to.session(n) for n in range(60)]
        await while_(lambda n: to.reply(n, sessions[n]), 60, to, "60 replies of 50 tokens a second", "tokens")
    async with service({"text": "Done."}) as to:
        sessions = [await to.session(n) for n in range(4)]
        await while_(lambda n: to.reply(n, sessions[n]), 4, to, "turns of one token, four at a time", "turns")


if __name__ == "__main__":
    asyncio.run(main())
