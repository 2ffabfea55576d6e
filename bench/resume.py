"""How soon a reader that comes back in the middle of a reply has its next event. `python -m bench.resume`."""

from __future__ import annotations

import asyncio
import statistics
import time

from bench.record import record
from bench.streams import Service, service

ROUNDS = 20


async def came_back(to: Service, session: str) -> float:
    """Milliseconds from asking for what follows the third event to the first that comes, of one reply."""
    headers, posted = to.headers(0), {"Prefer": "respond-async"}
    async with to.http.post(
        f"{to.url}/v1/sessions/{session}/messages", json={"text": "talk"},
        headers={**headers, **posted, "Accept": "application/json"},
    ) as answer:  # fmt: skip
        run = (await answer.json())["run_id"]
    url = f"{to.url}/v1/runs/{run}/events"
    async with to.http.get(url, headers=headers) as first:
        async for line in first.content:
            if line.startswith(b"id: 3"):
                break
    began = time.perf_counter()
    async with to.http.get(url, headers={**headers, "Last-Event-ID": "1"}) as again:
        async for line in again.content:
            if line.startswith(b"id: 2"):
                break
        took = (time.perf_counter() - began) * 1000
        await again.read()
    return took


async def main() -> None:
    """Prints the median."""
    async with service({"text": "word " * 30, "token_delay": 0.02}) as to:
        session = await to.session(0)
        seen = [await came_back(to, session) for _ in range(ROUNDS)]
    print(f"a reader that comes back has its next event after {statistics.median(seen):.1f} ms (median of {ROUNDS})")
    record("resume.ms", statistics.median(seen))


if __name__ == "__main__":
    asyncio.run(main())
