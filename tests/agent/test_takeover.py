"""A run whose owner died, let go or lost its lease: what is kept, withdrawn and counted."""

from __future__ import annotations

from uuid import UUID

import orjson
import pytest

from agent.scripted import ScriptedModel
from db.engine import Database
from memory import acceptance, messages, queue, runs, steps
from memory.acceptance import Terms
from penny.emf import Emf


@pytest.fixture
def lost_run(database: Database, user: UUID, session: UUID):
    """Makes a run whose owner died after the steps `done`, having logged `frames`; gives its id."""

    async def make(done: list[messages.Message], frames: list[tuple[str, dict[str, object]]]) -> UUID:
        async with database.transaction(user) as tx:
            accepted = await acceptance.accept(tx, session, "which accounts?", Terms("dead", -1, "scripted", "v"))
            assert accepted.claim is not None
            if done:
                await steps.append(tx, accepted.claim, "dead", done)
            if frames:
                from memory.frames import Frame, lines

                batch = lines([Frame(n, k, orjson.dumps(d).decode()) for n, (k, d) in enumerate(frames, 1)])
                await tx.pg.execute(
                    "INSERT INTO run_event (user_id, run_id, seq, last_seq, attempt, events) VALUES ($1,$2,$3,$4,1,$5)",
                    user, accepted.run_id, *batch,
                )  # fmt: skip
        return accepted.run_id

    return make


CALL = messages.Message(
    "assistant", "Let me look.", {"tool_calls": [{"id": "x1", "name": "list_accounts", "args": {}}]}, pos=1
)


async def test_a_run_killed_while_speaking_starts_its_step_again(start, collect, fold, user, lost_run):
    """What the dead owner had streamed is withdrawn; the reader ends with exactly the final text, ids dense."""
    run_id = await lost_run([], [("run.started", {}), ("text.delta", {"text": "I thi"})])
    async with start([{"text": "You have none."}], owner="b") as runner:
        events = await collect(runner, user, run_id)
    assert [k for _, k, _ in events][:4] == ["run.started", "text.delta", "run.resumed", "text.retracted"]
    assert [s for s, _, _ in events] == list(range(1, len(events) + 1))
    assert fold(events) == events[-1][2]["text"] == "You have none."


async def test_a_run_killed_in_a_tool_goes_on_with_that_tool(start, collect, fold, database, user, session, lost_run):
    """The stored call is not asked for again, the tool runs, and the next message finds a usable session."""
    run_id = await lost_run(
        [CALL],
        [("run.started", {}), ("text.delta", {"text": "Let me look."}),
         ("tool.started", {"call_id": "x1", "name": "list_accounts", "label": "l", "args": {}})],
    )  # fmt: skip
    model = ScriptedModel([{"text": "None yet."}])
    async with start(model, owner="b") as runner:
        events = await collect(runner, user, run_id)
        assert [k for _, k, _ in events].count("tool.started") == 1
        assert fold(events) == events[-1][2]["text"] == "Let me look.\n\nNone yet."
        assert len(model.requests) == 1
        again = await runner.submit(user, session, "thanks")
        assert (await collect(runner, user, again.run_id))[-1][1] == "run.finished"
    async with database.transaction(user) as tx:
        turn = await messages.turns(tx, session, 1, 1)
    assert [m.role for m in turn] == ["user", "assistant", "tool", "assistant"]


@pytest.mark.parametrize(("let_go", "counted"), [(True, "RunsHandedOver"), (False, "LeaseTakeovers")])
async def test_what_was_handed_over_is_no_takeover(
    start, collect, database: Database, user, lost_run, let_go: bool, counted: str
):
    """Of an owner that let go of a reply, as one does that drains, and of one whose lease ran out, only the second is a
    sign that something is wrong."""
    run_id = await lost_run([], [])
    if let_go:
        worker = await database.worker_connection()
        claim = await queue.claim_next(worker, "drains", 60.0)
        assert claim is not None
        assert not claim.handed_over
        await queue.release(worker, "drains", [claim])
        await worker.close()
    metrics = Emf()
    async with start([{"text": "None yet."}], owner="b", metrics=metrics) as runner:
        assert (await collect(runner, user, run_id))[-1][1] == "run.finished"
    (told,) = [line for line in map(orjson.loads, metrics.lines({}, 0)) if "LeaseTakeovers" in line]
    assert {name: told[name] for name in ("RunsHandedOver", "LeaseTakeovers") if told[name]} == {counted: 1}


async def test_an_owner_that_lost_its_lease_can_write_nothing(database: Database, user, lost_run):
    """Messages, events and the end are fenced by attempt and owner."""
    run_id = await lost_run([], [])
    async with database.transaction(user) as tx:
        row = await tx.pg.fetchrow("SELECT * FROM run WHERE id = $1", run_id)
        stale = runs.Claim(user, run_id, row["session_id"], row["turn"], row["attempt"] - 1, row["message_id"])
        for owner in ("dead", "other"):
            with pytest.raises(runs.LeaseLost):
                await steps.append(tx, stale, owner, [CALL])
            with pytest.raises(runs.LeaseLost):
                await steps.complete(
                    tx, stale, owner, status="finished", messages=[], events=(1, 1, "1\tx\t{}"),
                    spent=[], error=None,
                )  # fmt: skip
    async with database.transaction(user) as tx:
        assert len(await messages.turns(tx, row["session_id"], 1, 9)) == 1
