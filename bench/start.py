"""How soon the service is ready, and in how much memory. `python -m bench.start`.

On a home whose database exists and with Python's bytecode written, as an installation has both: the first start of all
makes what lacks.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE
from contextlib import AsyncExitStack

import psutil

from bench.record import record
from bench.service import end, environment, new_home, until


async def ready() -> tuple[float, float, float]:
    """Seconds to readiness, MB then and MB that no other process shares, of the second start in a home."""
    home = new_home()
    env = environment("http://127.0.0.1:9", home)
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    async with AsyncExitStack() as stack:
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        for _ in range(2):
            began = time.perf_counter()
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "penny", "serve", "--port", "0",
                env=env, stderr=PIPE, stdout=DEVNULL,
            )  # fmt: skip
            assert process.stderr is not None
            try:
                await until(process.stderr, r"ready: (http://\S+)")
                took = time.perf_counter() - began
                memory = psutil.Process(process.pid).memory_full_info()
            finally:
                await end(process)
    return took, memory.rss / 1e6, memory.uss / 1e6


async def imported() -> float:
    """Seconds that a process takes to import all of the service, Python's own start included."""
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "from penny.loading import loading\nwith loading(): import penny.server, agent.bedrock"
    )
    assert await process.wait() == 0
    return time.perf_counter() - began


async def main() -> None:
    """Prints the figures."""
    seconds, memory, private = await ready()
    imports = await imported()
    print(
        f"ready after {seconds:.2f} s in {memory:.0f} MB, {private:.0f} of them its own; "
        f"importing it all takes {imports:.2f} s"
    )
    record("start.ready.s", seconds)
    record("start.mb", memory)
    record("start.private.mb", private)
    record("start.import.s", imports)


if __name__ == "__main__":
    asyncio.run(main())
