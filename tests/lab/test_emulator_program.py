"""The emulator as a program."""

from __future__ import annotations

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE

import aiohttp


async def test_it_serves_says_a_taken_port_and_ends_on_interrupt() -> None:
    """It prints its URL, serves its counters, a second one on the port exits with 2, and SIGINT ends it with 0."""
    command = (sys.executable, "-m", "lab.bedrock_emulator", "--port")
    program = await asyncio.create_subprocess_exec(*command, "0", stdout=PIPE)
    assert program.stdout is not None
    url = (await program.stdout.readline()).decode().split()[3]
    async with aiohttp.ClientSession() as http, http.get(f"{url}/emulator/state") as response:
        assert (await response.json())["requests"] == 0
    second = await asyncio.create_subprocess_exec(*command, url.rpartition(":")[2], stderr=PIPE)
    _, said = await second.communicate()
    assert (second.returncode, b"address already in use" in said) == (2, True)
    program.send_signal(signal.SIGINT)
    assert await program.wait() == 0
