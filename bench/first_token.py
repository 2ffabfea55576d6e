"""What the Bedrock model class adds to the first token, beside a raw aiohttp relay; the emulator has its own process.

`python bench/first_token.py`. Both send the same request and wait for the first text; figures are medians in ms.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import tempfile
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path

import aiohttp
from langchain_core.messages import HumanMessage

from agent.bedrock import AwsKeys, BedrockModel
from agent.model import ModelRequest, Situation

MODEL = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
SYSTEM = "You are Penny. " * 100
SITUATION = Situation(date(2026, 11, 22), "en_US", "USD", "UTC", (), ())
SCHEMA = {"type": "object", "properties": {"category": {"type": "string"}, "month": {"type": "string"}}}
TOOLS = [{"name": f"tool_{n}", "description": "Reads the budget.", "input_schema": SCHEMA} for n in range(12)]
REQUEST = ModelRequest(SYSTEM, SITUATION, (), (HumanMessage("How much did I spend?"),), TOOLS)
AUTHORIZATION = (
    "AWS4-HMAC-SHA256 Credential=test/20261122/us-east-1/bedrock/aws4_request, "
    f"SignedHeaders=host, Signature={'0' * 64}"
)
SHAPES = ((1, 15, 0.0), (100, 1, 0.01), (100, 2, 0.0))
"""(streams, rounds, seconds between their starts)"""

Once = Callable[[], Awaitable[float]]
"""One stream, read to its end; gives the seconds to the first text."""


async def main() -> None:
    script = {"then": "repeat_last", "turns": [{"text": "word " * 10, "token_delay": 0.03}]}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "script.json"
        path.write_text(json.dumps(script))
        emulator, url = await started(path)
        model = BedrockModel(MODEL, region="us-east-1", endpoint_url=url, keys=AwsKeys("test", "test"))
        try:
            async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
                await report(lambda: relayed(http, url), lambda: through(model))
        finally:
            await model.close()
            emulator.terminate()
            await emulator.wait()


async def started(script: Path) -> tuple[Process, str]:
    """The emulator's process and its URL."""
    command = (sys.executable, "-m", "lab.bedrock_emulator", "--port", "0", "--script", str(script))
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE)
    assert process.stdout is not None
    return process, (await process.stdout.readline()).decode().split()[3]


async def report(relay: Once, model: Once) -> None:
    for once in (relay, model):
        await once()
    print(f"{'streams':>8}{'started':>12}{'relay ms':>10}{'model ms':>10}{'added ms':>10}")
    for streams, rounds, gap in SHAPES:
        waits: dict[Once, list[float]] = {relay: [], model: []}
        for _ in range(rounds):  # turn by turn, so that a busy machine disturbs both alike
            for once, seen in waits.items():
                seen += await round_of(once, streams, gap)
        base, full = (statistics.median(seen) * 1000 for seen in waits.values())
        how = "alone" if streams == 1 else f"{gap * 1000:.0f} ms apart" if gap else "at once"
        print(f"{streams:>8}{how:>12}{base:>10.1f}{full:>10.1f}{full - base:>10.1f}")


async def round_of(once: Once, streams: int, gap: float) -> list[float]:
    """Each stream's seconds to the first text, when they start `gap` seconds apart."""

    async def after(delay: float) -> float:
        await asyncio.sleep(delay)
        return await once()

    return await asyncio.gather(*(after(n * gap) for n in range(streams)))


async def relayed(http: aiohttp.ClientSession, url: str) -> float:
    body = {
        "messages": [{"role": "user", "content": [{"text": "How much did I spend?"}]}],
        "system": [{"text": SYSTEM}],
    }
    began, first = time.perf_counter(), 0.0
    headers = {"Authorization": AUTHORIZATION}
    async with http.post(f"{url}/model/{MODEL}/converse-stream", json=body, headers=headers) as response:
        async for data in response.content.iter_any():
            if not first and b'"text"' in data:
                first = time.perf_counter() - began
    return first


async def through(model: BedrockModel) -> float:
    began, first = time.perf_counter(), 0.0
    async for chunk in model.stream(REQUEST):
        if not first and chunk.content:
            first = time.perf_counter() - began
    return first


if __name__ == "__main__":
    asyncio.run(main())
