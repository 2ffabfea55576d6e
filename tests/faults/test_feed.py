"""The feed of a session, from two servers at once."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import asyncpg
import httpx

Event = tuple[int, str, dict[str, Any]]


async def feed(client: httpx.AsyncClient, session: str, **headers: str) -> AsyncIterator[Event]:
    """The events as they come."""
    async with client.stream("GET", f"/v1/sessions/{session}/events", headers=headers) as response:
        assert response.status_code == 200, await response.aread()
        seq, kind = 0, ""
        async for line in response.aiter_lines():
            if line.startswith("id: "):
                seq = int(line[4:])
            elif line.startswith("event: "):
                kind = line[7:]
            elif line.startswith("data: "):
                yield seq, kind, json.loads(line[6:])


async def until(client: httpx.AsyncClient, session: str, last: int, seen: list[Event], **headers: str) -> None:
    """Reads on until the event `last` is there."""
    async with asyncio.timeout(90), aclosing(feed(client, session, **headers)) as events:
        async for event in events:
            seen.append(event)
            if event[0] >= last:
                return


async def until_ended(client: httpx.AsyncClient, session: str, runs: int, seen: list[Event]) -> None:
    """Reads on until so many runs have ended, and both of the events of the last one are there."""
    async with asyncio.timeout(90), aclosing(feed(client, session)) as events:
        async for event in events:
            seen.append(event)
            ended = sum(kind == "run.ended" for _, kind, _ in seen)
            answered = sum(kind == "message.added" and data["role"] == "assistant" for _, kind, data in seen)
            if ended == answered == runs:
                return


async def test_the_feed_tells_at_any_server_what_happened_at_another(serve: Any, reader: Any) -> None:
    """A reader at each server sees the same: the message, the run, the proposal and its decision, numbered from one;
    it goes on after the last event seen."""
    one, two = await asyncio.gather(serve(), serve())
    session = await one.new_session()
    at_one: list[Event] = []
    at_two: list[Event] = []
    readers = asyncio.gather(until(one.client, session, 7, at_one), until(two.client, session, 7, at_two))
    following = reader(await one.say(session, "budget 321 say 2 0"))
    await following.read_to_end([two])
    (proposal,) = [json.loads(data) for kind, data in following.seen.values() if kind == "proposal"]
    decided = await two.client.post(f"/v1/proposals/{proposal['id']}/confirm", json={"hash": proposal["hash"]})
    assert decided.status_code == 200
    await readers
    assert at_one == at_two
    assert [seq for seq, _, _ in at_one] == list(range(1, 8))
    kinds = [kind for _, kind, _ in at_one]
    assert sorted(kinds[:2]) == ["message.added", "run.started"]
    assert kinds[2] == "proposal.made"
    assert sorted(kinds[3:5]) == ["message.added", "run.ended"]
    assert sorted(kinds[5:]) == ["message.added", "proposal.decided"]
    told = {(kind, data["status"]): data for _, kind, data in at_one if kind != "message.added"}
    assert told["run.ended", "finished"]["run_id"] == following.run
    assert told["proposal.decided", "applied"]["proposal_id"] == proposal["id"]
    roles = [data["role"] for _, kind, data in at_one if kind == "message.added"]
    assert roles == ["user", "assistant", "decision"]
    rest: list[Event] = []
    await until(two.client, session, 7, rest, **{"Last-Event-ID": "4"})
    assert rest == at_one[4:]


async def test_no_event_is_missed_by_readers_of_a_busy_session(
    serve: Any, sql: asyncpg.Pool, chance: random.Random
) -> None:
    """Messages at two servers at once, a run cancelled, which had started or not: readers that come at any time see
    dense ids, all alike."""
    servers = await asyncio.gather(serve(), serve())
    session = await servers[0].new_session()
    seen: list[list[Event]] = [[] for _ in range(4)]
    readers = asyncio.gather(*(until_ended(servers[n % 2].client, session, 9, events) for n, events in enumerate(seen)))
    runs = await asyncio.gather(*(chance.choice(servers).say(session, f"say {n} 0.02") for n in range(1, 10)))
    await chance.choice(servers).client.post(f"/v1/runs/{runs[3]}/cancel")
    await readers
    for events in seen:
        assert [seq for seq, _, _ in events] == list(range(1, len(events) + 1))
        assert len(events) in (35, 36)
        assert events == seen[0]
    ended = {data["run_id"]: data["status"] for _, kind, data in seen[0] if kind == "run.ended"}
    stored = await sql.fetch("SELECT id, status FROM run WHERE session_id = $1::uuid", session)
    assert ended == {str(row["id"]): row["status"] for row in stored}
    print(f"9 runs, {len(seen[0])} events, 4 readers")  # noqa: T201


async def test_a_deleted_session_ends_its_feed(serve: Any) -> None:
    """Readers are let go, and asked again the answer is 404."""
    server = await serve()
    session = await server.new_session()
    reading = asyncio.create_task(until(server.client, session, 10**9, []))
    assert (await server.client.get(f"/v1/sessions/{session}")).status_code == 200
    assert (await server.client.delete(f"/v1/sessions/{session}")).status_code == 204
    async with asyncio.timeout(60):
        await asyncio.wait([reading])
    answer = await server.client.get(f"/v1/sessions/{session}/events")
    assert answer.status_code == 404
