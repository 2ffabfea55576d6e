"""Sessions that begin with what was said in another, and what is told of how a reply came about."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from agent.scripted import ScriptedModel
from db.engine import Database
from domain.errors import NotFound
from memory import forking, messages, traces

CALL = {"text": "Let me see.", "tool_calls": [{"name": "list_accounts", "args": {}}]}


async def test_a_fork_has_the_conversation_as_it_stands(start, collect, database: Database, user, session):
    """Without what an edit has superseded, up to the turn that is asked for; the first session is as before, and each
    goes its own way."""
    model = ScriptedModel([{"text": "A."}, {"text": "B."}, {"text": "C."}, {"text": "D."}])
    async with start(model) as runner:

        async def say(text: str, where: UUID, **more: UUID) -> None:
            await collect(runner, user, (await runner.submit(user, where, text, **more)).run_id)

        await say("one", session)
        await say("two", session)
        async with database.transaction(user) as tx:
            first = (await messages.page(tx, session, 9))[0]
        await say("two, better", session, edit_of=UUID(first[2]["id"]))
        async with database.transaction(user) as tx:
            before = await messages.page(tx, session, 9, superseded=True)
            fork = await forking.fork(tx, session)
            early = await forking.fork(tx, session, 2)
        await say("three", fork)
    assert [str(m.content) for m in model.requests[-1].earlier] == ["one", "A.", "two, better", "C."]
    async with database.transaction(user) as tx:
        assert await messages.page(tx, session, 9, superseded=True) == before
        assert [i["text"] for i in (await messages.page(tx, early, 9))[0]] == ["one", "A.", "two", "B."]
        ids = [i["id"] for where in (session, fork, early) for i in (await messages.page(tx, where, 9))[0]]
    assert len(set(ids)) == len(ids)


async def test_another_users_session_is_not_forked(database: Database, session):
    """It is as if there were none."""
    stranger = await database.resolve_user("test", "", uuid4().hex)
    async with database.transaction(stranger) as tx:
        with pytest.raises(NotFound):
            await forking.fork(tx, session)


async def test_a_trace_tells_the_steps_in_their_order(start, collect, database: Database, user, session):
    """Model, tools, model: what was called and found; spans follow each other and end with the run."""
    async with start([CALL, {"text": "You have none."}]) as runner:
        accepted = await runner.submit(user, session, "which accounts?")
        await collect(runner, user, accepted.run_id)
    async with database.read(user) as tx:
        told = await traces.trace(tx, accepted.run_id)
        listed = await traces.of_session(tx, session)
    steps = told["steps"]
    assert [step["kind"] for step in steps] == ["model", "tools", "model"]
    assert (steps[0]["text"], steps[0]["calls"][0]["name"]) == ("Let me see.", "list_accounts")
    assert (steps[1]["results"][0]["ok"], steps[2]["text"]) == (True, "You have none.")
    edges = [edge for step in steps for edge in (step["start"], step["end"])]
    assert edges == sorted(edges)
    assert told["seconds"] > edges[-2]  # the run's end is noted just before its last row
    assert told["run"]["usage"]["output_tokens"] > 0
    assert told["user"]["text"] == "which accounts?"
    assert [(run["id"], run["turn"], run["superseded"]) for run in listed] == [(str(accepted.run_id), 1, False)]
