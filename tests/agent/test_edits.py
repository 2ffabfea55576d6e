"""Editing an earlier message, trying again, replying to a decision: what becomes of turns, proposals and runs."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from agent.history import FOLLOW_UP
from agent.scripted import ScriptedModel
from db.engine import Database
from domain.errors import NotFound
from memory import export, feed, messages, runs, sessions
from memory.acceptance import NotEditable, NotOver, RunActive
from tools import proposals
from tools.proposals import ProposalDecided

SET = {"tool_calls": [{"name": "set_budget", "args": {"category": "Dining", "amount": "250"}}]}
MORE = {"tool_calls": [{"name": "set_budget", "args": {"category": "Dining", "amount": "300"}}]}
FAIL = {"error": "The model is away."}


@pytest.fixture
async def talk(collect, user, session):
    """Says something and waits for the reply; gives what became of the message."""

    async def said(runner, text: str, **more: Any):
        accepted = await runner.submit(user, session, text, **more)
        await collect(runner, user, accepted.run_id)
        return accepted

    return said


@pytest.fixture
async def dining(database: Database, user):
    """A user with a household."""
    async with database.transaction(user) as tx:
        await tx.pg.execute("INSERT INTO category (user_id, name) VALUES ($1, 'Dining')", user)


async def shown(database: Database, user: UUID, session: UUID, **more: Any) -> list[dict[str, Any]]:
    async with database.read(user) as tx:
        return (await messages.page(tx, session, 50, **more))[0]


async def test_an_edited_message_takes_the_place_of_what_followed(start, talk, database, user, session):
    """The model sees the turns before the edited one and the new words; the list shows that conversation, and the
    superseded turns only when asked for, each naming what took its place."""
    model = ScriptedModel([{"text": "A."}, {"text": "B."}, {"text": "C."}, {"text": "D."}, {"text": "E."}])
    async with start(model) as runner:
        for text in ("one", "two", "three"):
            await talk(runner, text)
        second = (await shown(database, user, session))[2]
        await talk(runner, "two, better", edit_of=UUID(second["id"]))
        assert [str(m.content) for m in model.requests[-1].earlier] == ["one", "A."]
        await talk(runner, "four")
        assert [str(m.content) for m in model.requests[-1].earlier] == ["one", "A.", "two, better", "D."]
    items = await shown(database, user, session)
    assert [i["text"] for i in items] == ["one", "A.", "two, better", "D.", "four", "E."]
    assert items[2]["edit_of"] == second["id"]
    everything = await shown(database, user, session, superseded=True)
    assert [i["text"] for i in everything] == [
        "one",
        "A.",
        "two",
        "B.",
        "three",
        "C.",
        "two, better",
        "D.",
        "four",
        "E.",
    ]
    assert {i["superseded_by"] for i in everything[2:6]} == {items[2]["id"]}
    assert {i["superseded_by"] for i in everything[:2] + everything[6:]} == {None}


async def test_an_edit_can_be_edited_and_pages_skip_what_is_superseded(start, talk, database, user, session):
    """Editing again replaces the edit; pages count the turns that stand; the export holds all, marked."""
    async with start([{"text": "A."}]) as runner:
        await talk(runner, "one")
        for n in range(4):
            last = (await shown(database, user, session))[-2]
            await talk(runner, f"two {n}", edit_of=UUID(last["id"]) if n else None)
        await talk(runner, "three")
    assert [i["text"] for i in await shown(database, user, session)] == ["one", "A.", "two 3", "A.", "three", "A."]
    async with database.read(user) as tx:
        page, older = await messages.page(tx, session, 2)
        before, none = await messages.page(tx, session, 2, older)
        exported = [s async for s in export.every_session(tx)]
    assert ([i["text"] for i in before + page], none) == (["one", "A.", "two 3", "A.", "three", "A."], None)
    marked = [m["text"] for m in exported[0]["messages"] if m["superseded_by"]]
    assert marked == ["two 0", "A.", "two 1", "A.", "two 2", "A."]


async def test_only_a_standing_message_of_the_user_can_be_edited(start, talk, database, user, session):
    """A reply, a message that was replaced, and one of another session are refused; nothing is stored."""
    async with start([{"text": "A."}]) as runner:
        await talk(runner, "one")
        first, reply = await shown(database, user, session)
        with pytest.raises(NotEditable):
            await talk(runner, "x", edit_of=UUID(reply["id"]))
        await talk(runner, "one!", edit_of=UUID(first["id"]))
        with pytest.raises(NotEditable):
            await talk(runner, "x", edit_of=UUID(first["id"]))
        async with database.transaction(user) as tx:
            other = (await sessions.create(tx)).id
        with pytest.raises(NotFound):
            await runner.submit(user, other, "x", edit_of=UUID(first["id"]))
    assert len(await shown(database, user, session, superseded=True)) == 4


async def test_an_edit_closes_proposals_of_what_it_replaces_and_keeps_decisions(
    start, talk, dining, database, user, session
):
    """What was not decided is superseded; what was applied stands, in the list and for the model."""
    model = ScriptedModel([SET, {"text": "250?"}, MORE, {"text": "300?"}, {"text": "Fine."}])
    async with start(model) as runner:
        await talk(runner, "set dining to 250")
        (made,), _ = await proposals.list_proposals(database, user)
        await runner.confirm(user, UUID(made["id"]), made["hash"], approval="http")
        await talk(runner, "no, 300")
        first = (await shown(database, user, session))[0]
        await talk(runner, "say hello", edit_of=UUID(first["id"]))
    found, _ = await proposals.list_proposals(database, user)
    assert [p["status"] for p in found] == ["superseded", "applied"]
    with pytest.raises(ProposalDecided):
        await proposals.confirm(database, user, UUID(found[0]["id"]), found[0]["hash"])
    items = await shown(database, user, session)
    assert [i["role"] for i in items] == ["decision", "user", "assistant"]
    assert model.requests[-1].turn[0].content == f"[{items[0]['text']}]\n\nsay hello"
    async with database.read(user) as tx:
        told = [orjson.loads(f.data) for f in await feed.read(tx, session, 0) if f.type == "message.added"]
    assert [m.get("edit_of") for m in told][-2:] == [first["id"], None]


async def test_an_edit_stops_the_reply_that_it_replaces(start, collect, database, user, session):
    """The old reply is cancelled, and one that waits; the new message is answered. With reject the edit is refused."""
    model = ScriptedModel([{"text": "word " * 400}, {"text": "Right."}], delay=0.02)
    async with start(model) as runner:
        first = await runner.submit(user, session, "first")
        waiting = await runner.submit(user, session, "second")
        async for frame in runner.events(user, first.run_id):
            if frame.type == "text.delta":
                break
        asked = (await shown(database, user, session))[0]
        with pytest.raises(RunActive):
            await runner.submit(user, session, "better", edit_of=UUID(asked["id"]), if_running="reject")
        edited = await runner.submit(user, session, "better", edit_of=UUID(asked["id"]))
        ends = await asyncio.gather(*(collect(runner, user, a.run_id) for a in (first, waiting, edited)))
    assert [e[-1][1] for e in ends] == ["run.cancelled", "run.cancelled", "run.finished"]
    assert [i["text"] for i in await shown(database, user, session)] == ["better", "Right."]


async def test_a_superseded_reply_resumed_elsewhere_sees_what_it_saw(database, user, session, start, talk):
    """What stands at a turn does not depend on later edits."""
    async with start([{"text": "A."}]) as runner:
        await talk(runner, "one")
        await talk(runner, "two")
        first = (await shown(database, user, session))[0]
        await talk(runner, "one!", edit_of=UUID(first["id"]))
    async with database.read(user) as tx:
        assert [m.text for m in await messages.standing(tx, session, 2, 20)] == ["one", "A.", "two", "A."]
        assert [m.text for m in await messages.standing(tx, session, 3, 20)] == ["one!", "A."]


async def test_the_same_client_id_edits_once(start, talk, database, user, session):
    """Sent again, an edit is the same run."""
    async with start([{"text": "A."}]) as runner:
        await talk(runner, "one")
        first = UUID((await shown(database, user, session))[0]["id"])
        made = await asyncio.gather(
            *(runner.submit(user, session, "one!", client_id="c", edit_of=first) for _ in range(10))
        )
        assert len({a.run_id for a in made}) == 1


async def test_cancelling_a_queued_run_ends_it_at_once(start, collect, database, user, session):
    """Before any server takes it up: its readers see the end, the list shows it, the next message is answered."""
    async with start(ScriptedModel([{"text": "word " * 200}, {"text": "Third."}], delay=0.02)) as runner:
        first = await runner.submit(user, session, "first")
        second = await runner.submit(user, session, "second")
        third = await runner.submit(user, session, "third")
        reading = asyncio.create_task(collect(runner, user, second.run_id))
        await runner.cancel(user, second.run_id)
        async with database.read(user) as tx:
            assert (await runs.get(tx, second.run_id))["status"] == "cancelled"
            assert (await runs.get(tx, first.run_id))["status"] == "running"
        assert [kind for _, kind, _ in await reading] == ["run.started", "usage", "run.cancelled"]
        await runner.cancel(user, second.run_id)
        await runner.cancel(user, first.run_id)
        assert (await collect(runner, user, third.run_id))[-1][1] == "run.finished"
    items = await shown(database, user, session)
    assert [(i["role"], i.get("status")) for i in items] == [
        ("user", None), ("assistant", "cancelled"), ("user", None), ("assistant", "cancelled"), ("user", None),
        ("assistant", "finished"),
    ]  # fmt: skip


async def test_a_failed_reply_is_tried_again_in_its_place_and_once(start, collect, database, user, session):
    """Asked ten times at once it is one run; the failed turn is superseded; what finished well is not tried again."""
    model = ScriptedModel([FAIL, {"text": "Here."}])
    async with start(model) as runner:
        failed = await runner.submit(user, session, "hello?")
        assert (await collect(runner, user, failed.run_id))[-1][1] == "run.failed"
        again = await asyncio.gather(*(runner.retry(user, failed.run_id) for _ in range(10)))
        assert len({a.run_id for a in again}) == 1
        assert (await collect(runner, user, again[0].run_id))[-1][2]["text"] == "Here."
        with pytest.raises(NotOver):
            await runner.retry(user, again[0].run_id)
        with pytest.raises(NotFound):
            await runner.retry(user, uuid4())
    assert [i["text"] for i in await shown(database, user, session)] == ["hello?", "Here."]


async def test_a_retry_after_more_was_said_comes_at_the_end(start, talk, database, user, session):
    """What was said since stands."""
    async with start(ScriptedModel([FAIL, {"text": "B."}, {"text": "A."}])) as runner:
        failed = await talk(runner, "a?")
        await talk(runner, "b?")
        again = await runner.retry(user, failed.run_id)
        async for _ in runner.events(user, again.run_id):
            pass
    assert [i["text"] for i in await shown(database, user, session)] == ["a?", "", "b?", "B.", "a?", "A."]


async def test_continuing_answers_the_decision_once(start, talk, collect, dining, database, user, session):
    """Confirmed ten times at once with `continue`: one write, one run, the same answer; the run's turn is the
    decision's, the model is told, and the next turn remembers."""
    model = ScriptedModel([SET, {"text": "250?"}, {"text": "Dining has 250 now."}, {"text": "Yes."}])
    async with start(model) as runner:
        await talk(runner, "set dining to 250")
        (made,), _ = await proposals.list_proposals(database, user)
        told = await asyncio.gather(
            *(runner.confirm(user, UUID(made["id"]), made["hash"], approval="http", follow_up=True) for _ in range(10))
        )
        assert len({(t.applied.journal_id, t.run_id) for t in told}) == 1
        run_id = told[0].run_id
        assert run_id is not None
        assert (await collect(runner, user, run_id))[-1][2]["text"] == "Dining has 250 now."
        decision = (await shown(database, user, session))[2]
        assert model.requests[2].turn[0].content == f"[{decision['text']}]\n\n{FOLLOW_UP}"
        await talk(runner, "right?")
        assert [str(m.content) for m in model.requests[3].earlier][-2:] == [
            f"[{decision['text']}]\n\n{FOLLOW_UP}",
            "Dining has 250 now.",
        ]
    items = await shown(database, user, session)
    assert [i["role"] for i in items] == ["user", "assistant", "decision", "assistant", "user", "assistant"]
    assert len(model.requests) == 4


async def test_continuing_only_later_starts_nothing(start, talk, dining, database, user, session):
    """Asked again the answer is the same, also about the run."""
    async with start(ScriptedModel([SET, {"text": "250?"}])) as runner:
        await talk(runner, "set dining to 250")
        (made,), _ = await proposals.list_proposals(database, user)
        first = await runner.confirm(user, UUID(made["id"]), made["hash"], approval="http")
        again = await runner.confirm(user, UUID(made["id"]), made["hash"], approval="http", follow_up=True)
    assert (first.run_id, again.run_id) == (None, None)
    assert first.applied.journal_id == again.applied.journal_id
