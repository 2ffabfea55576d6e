"""The database, or the model's provider, is away for long: ten minutes, with every wait of ours a tenth of what it is.

Leases are a second (usually ten), so that a minute here is ten: many times what any lease, heartbeat or patience lasts.
ABSENCE_SECONDS has it last longer.
"""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import httpx

from db.embedded import Server as Cluster
from db.embedded import embedded, status
from lab.bedrock_emulator import BedrockEmulator
from lab.bedrock_emulator.script import Refusal, Turn

ABSENCE_SECONDS = float(os.environ.get("ABSENCE_SECONDS", "12"))
REPLIES = 6


async def test_the_database_is_away_for_long(serve: Any, reader: Any, home: Path, cluster: Cluster, sql: Any) -> None:
    """Replies are under way at two servers when the database goes. Meanwhile every request is told so, typed and with
    when to come again, and the servers are not ready, and live; then each reply ends once with its text, no message is
    lost or doubled, and the sessions go on."""
    servers = [await serve() for _ in range(2)]
    sessions = [await servers[0].new_session() for _ in range(REPLIES)]
    words = [f"budget {500 + n} say 40 0.05" for n in range(REPLIES)]
    runs = [await servers[n % 2].say(s, w, f"kept {n}") for n, (s, w) in enumerate(zip(sessions, words, strict=True))]
    following = [reader(run) for run in runs]
    pid = (home / "postgres" / "data" / "postmaster.pid").read_text().split()[0]
    os.kill(int(pid), signal.SIGQUIT)
    while status(home).running:  # noqa: ASYNC110 -- nobody tells
        await asyncio.sleep(0.02)
    until = asyncio.get_running_loop().time() + ABSENCE_SECONDS
    told: set[tuple[int, str, bool]] = set()
    asked = 0
    while asyncio.get_running_loop().time() < until:
        for server in servers:
            said = await server.client.post(
                f"/v1/sessions/{sessions[0]}/messages", json={"text": "say 1 0"}, headers={"Prefer": "respond-async"}
            )
            looked = await server.client.get(f"/v1/sessions/{sessions[0]}/messages")
            told |= {(r.status_code, r.json()["code"], "Retry-After" in r.headers) for r in (said, looked)}
            asked += 2
            assert (await server.client.get("/readyz")).status_code == 503
            assert (await server.client.get("/healthz")).status_code == 200
            assert server.alive
        await asyncio.sleep(0.3)
    assert told <= {(503, "database_unavailable", True), (503, "pool_exhausted", True), (503, "commit_unknown", True)}
    assert asked > 0
    async with embedded(home, durable=False) as back:
        assert back.port == cluster.port
    await asyncio.gather(*(r.read_to_end(servers) for r in following))
    for each in following:
        each.check()
    for server in servers:
        async with asyncio.timeout(60):
            while (await server.client.get("/readyz")).status_code != 200:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
    for n, (session, run, word) in enumerate(zip(sessions, runs, words, strict=True)):
        assert await servers[n % 2].say(session, word, f"kept {n}") == run  # the message is there, once
        further = reader(await servers[n % 2].say(session, "say 2 0"))
        await further.read_to_end(servers)
        further.check()
    once = "SELECT count(*) FROM proposal WHERE run_id = ANY($1::uuid[])"
    assert await sql.fetchval(once, runs) == REPLIES
    print(f"{REPLIES} replies over {ABSENCE_SECONDS:.0f} s without a database; {asked} requests told so")  # noqa: T201


async def test_the_models_provider_is_away_for_long(serve: Any, reader: Any) -> None:
    """While Bedrock answers 503, each reply ends with a typed error that may be tried again, in seconds, and the ledger
    can still be read; when it is back every message that failed is answered by a retry, in its session, once."""
    away = True

    def answer(_: Any) -> Turn:
        return Turn("", refusal=Refusal("ServiceUnavailableException", times=99)) if away else Turn("Back again.")

    async with BedrockEmulator(answer) as bedrock:
        server = await serve(AWS_ENDPOINT_URL_BEDROCK_RUNTIME=bedrock.url)
        sessions = [await server.new_session() for _ in range(REPLIES)]
        failed: list[tuple[str, str]] = []
        until = asyncio.get_running_loop().time() + ABSENCE_SECONDS
        while asyncio.get_running_loop().time() < until:

            async def one(session: str) -> tuple[str, str]:
                run = await server.say(session, "how much is left?")
                reading = reader(run)
                await reading.read_to_end([server])
                kind, data = reading.end
                assert (kind, data["code"], data["retryable"]) == ("run.failed", "model_unavailable", True)
                return session, run

            failed += await asyncio.gather(*(one(session) for session in sessions))
            assert (await server.client.get("/v1/budgets")).status_code == 200
            assert (await server.client.get("/readyz")).status_code == 200
        away = False

        async def again(session: str, run: str) -> None:
            first, second = [await server.client.post(f"/v1/runs/{run}/retry") for _ in range(2)]
            assert first.json()["run_id"] == second.json()["run_id"], "tried again, once"
            reading = reader(first.json()["run_id"])
            await reading.read_to_end([server])
            reading.check()
            assert reading.end[1]["text"] == "Back again."

        for session, run in failed[-REPLIES:]:
            await again(session, run)
        for session in sessions:
            answered = reader(await server.say(session, "and now?"))
            await answered.read_to_end([server])
            answered.check()
        page: httpx.Response = await server.client.get(f"/v1/sessions/{sessions[0]}/messages", params={"limit": 200})
        said = [item["text"] for item in page.json()["items"] if item["role"] == "user"]
        assert said.count("how much is left?") == len(failed) // REPLIES
    print(f"{len(failed)} replies failed in {ABSENCE_SECONDS:.0f} s without a model, and all were told so")  # noqa: T201
