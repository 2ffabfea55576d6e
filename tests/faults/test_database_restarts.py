"""PostgreSQL stops at once, as in a crash, while replies are made: it comes back, and so does every reply."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from pathlib import Path
from typing import Any

import asyncpg
import httpx
from trials import times

from db.embedded import Server as Cluster
from db.embedded import embedded, status


async def test_replies_survive_immediate_restarts_of_the_database(
    serve: Any, reader: Any, home: Path, cluster: Cluster, chance: random.Random
) -> None:
    """Two servers with ten replies each, three restarts at random moments: every reply ends with its text, every
    proposal exists once, and the sessions take the next message."""
    servers = await asyncio.gather(*(serve(PENNY_LIMITS_RUNS_PER_USER="100") for _ in range(2)))
    for _ in range(times(3)):
        sessions = [await servers[0].new_session() for _ in range(10)]
        runs = [
            await servers[n % 2].say(s, f"budget {chance.randint(400, 999)} say 30 0.04")
            for n, s in enumerate(sessions)
        ]
        readers = [reader(run) for run in runs]
        reading = [asyncio.create_task(r.read_to_end(servers)) for r in readers]
        await asyncio.sleep(chance.uniform(0.1, 1.0))
        pid = (home / "postgres" / "data" / "postmaster.pid").read_text().split()[0]
        os.kill(int(pid), signal.SIGQUIT)
        while status(home).running:  # noqa: ASYNC110 -- nobody tells
            await asyncio.sleep(0.02)
        async with embedded(home, durable=False) as back:
            assert back.port == cluster.port
        await asyncio.gather(*reading)
        sql = await asyncpg.connect(cluster.admin_url, server_settings={"search_path": "penny"})
        for following in readers:
            following.check()
            assert await sql.fetchval("SELECT count(*) FROM proposal WHERE run_id = $1::uuid", following.run) == 1
        await sql.close()
        for session in sessions:
            for _ in range(50):
                try:
                    again = reader(await servers[0].say(session, "say 2 0"))
                except (AssertionError, httpx.TransportError):
                    await asyncio.sleep(0.1)
                    continue
                break
            await again.read_to_end(servers)
            again.check()
    print(f"{times(3)} immediate restarts under 10 replies each")  # noqa: T201
