"""What one run does, with a scripted model on the real database."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import orjson
import pytest

from agent.history import earlier
from agent.scripted import ScriptedModel
from db.connection import PoolExhausted
from db.embedded import Server
from db.engine import Database
from domain.errors import InvalidInput, NotFound
from memory import acceptance, messages, queue, runs, sessions, steps
from memory.acceptance import ClientIdReused, RunActive, Terms
from penny.emf import Emf

STATUS = {"tool_calls": [{"name": "list_accounts", "args": {}}]}


async def test_a_plain_reply_streams_and_is_remembered(start, collect, fold, database: Database, user, session):
    """Events are dense from 1, end with run.finished, and the reply is the session's message."""
    async with start([{"text": "Hello there, how can I help?"}]) as runner:
        accepted = await runner.submit(user, session, "hi")
        events = await collect(runner, user, accepted.run_id)
    assert [seq for seq, _, _ in events] == list(range(1, len(events) + 1))
    assert events[0][1] == "run.started"
    assert [kind for _, kind, _ in events][-2:] == ["usage", "run.finished"]
    assert events[-1][2] == {"message_id": str(accepted.message_id), "text": "Hello there, how can I help?"}
    assert fold(events) == "Hello there, how can I help?"
    async with database.transaction(user) as tx:
        items, _ = await messages.page(tx, session, 10)
        run = await runs.get(tx, accepted.run_id)
    assert [(i["role"], i["text"]) for i in items] == [("user", "hi"), ("assistant", "Hello there, how can I help?")]
    assert items[1]["id"] == str(accepted.message_id)
    assert run["status"] == "finished"
    assert run["usage"]["output_tokens"] > 0


async def test_a_tool_turn_says_the_tools_facts_and_keeps_each_step(start, collect, database: Database, user, session):
    """The assistant's call, its result and the answer are three messages of the turn; the model sees the result."""
    model = ScriptedModel([STATUS, {"text": "{summary}"}])
    async with start(model) as runner:
        accepted = await runner.submit(user, session, "which accounts do I have?")
        events = await collect(runner, user, accepted.run_id)
    kinds = [kind for _, kind, _ in events]
    assert kinds.index("tool.started") < kinds.index("tool.finished") < kinds.index("text.delta")
    summary = next(data["summary"] for _, kind, data in events if kind == "tool.finished")
    assert events[-1][2]["text"] == summary
    async with database.transaction(user) as tx:
        turn = await messages.turns(tx, session, 1, 1)
    assert [m.role for m in turn] == ["user", "assistant", "tool", "assistant"]
    assert [m.pos for m in turn] == [0, 1, 2, 3]
    assert len(model.requests) == 2


async def test_the_next_turn_sees_the_conversation_before_it(start, collect, user, session):
    """History is the turns before, every call answered, in order."""
    model = ScriptedModel([STATUS, {"text": "Here they are."}, {"text": "Yes."}])
    async with start(model) as runner:
        for text in ("which accounts do I have?", "is that all?"):
            accepted = await runner.submit(user, session, text)
            await collect(runner, user, accepted.run_id)
    last = model.requests[-1]
    assert [m.type for m in last.earlier] == ["human", "ai", "tool", "ai"]
    assert last.turn[0].content == "is that all?"


async def test_a_message_during_a_reply_waits_its_turn(start, collect, user, session):
    """Two messages at once are answered one after the other, in order."""
    async with start(ScriptedModel([{"text": "one two three"}, {"text": "four"}], delay=0.05)) as runner:
        first = await runner.submit(user, session, "first")
        second = await runner.submit(user, session, "second")
        assert first.claim is not None
        assert second.claim is None
        a, b = await asyncio.gather(collect(runner, user, first.run_id), collect(runner, user, second.run_id))
    assert a[-1][2]["text"] == "one two three"
    assert b[-1][2]["text"] == "four"


async def test_reject_refuses_a_second_message_while_a_reply_is_made(start, collect, user, session):
    """if_running=reject answers RunActive and stores nothing."""
    async with start(ScriptedModel([{"text": "a b c d"}], delay=0.05)) as runner:
        first = await runner.submit(user, session, "first")
        with pytest.raises(RunActive):
            await runner.submit(user, session, "second", if_running="reject")
        await collect(runner, user, first.run_id)


async def test_interrupt_stops_the_reply_and_answers_the_new_message(start, collect, user, session):
    """if_running=interrupt cancels what is being said; the new message is answered next."""
    async with start(ScriptedModel([{"text": "word " * 400}, {"text": "Right away."}], delay=0.02)) as runner:
        first = await runner.submit(user, session, "first")
        async for frame in runner.events(user, first.run_id):
            if frame.type == "text.delta":
                break
        second = await runner.submit(user, session, "no, this", if_running="interrupt")
        a, b = await asyncio.gather(collect(runner, user, first.run_id), collect(runner, user, second.run_id))
    assert a[-1][1] == "run.cancelled"
    assert b[-1][2]["text"] == "Right away."


async def test_the_same_client_id_is_the_same_run(start, collect, user, session):
    """Fifty posts of one message make one run; another text under that id is refused."""
    async with start([{"text": "Once."}]) as runner:
        accepted = await asyncio.gather(*(runner.submit(user, session, "only once", client_id="c1") for _ in range(50)))
        assert len({a.run_id for a in accepted}) == 1
        assert sum(not a.replayed for a in accepted) == 1
        with pytest.raises(ClientIdReused):
            await runner.submit(user, session, "something else", client_id="c1")
        await collect(runner, user, accepted[0].run_id)


async def test_cancel_closes_the_model_and_keeps_what_was_said(start, collect, fold, database: Database, user, session):
    """The upstream stream is closed, the partial text stays, and the next message is answered."""
    model = ScriptedModel([{"text": "word " * 1000}, {"text": "Fine."}], delay=0.01)
    async with start(model) as runner:
        accepted = await runner.submit(user, session, "talk")
        seen = []
        async for frame in runner.events(user, accepted.run_id):
            seen.append(frame)
            if frame.type == "text.delta":
                break
        await runner.cancel(user, accepted.run_id)
        events = await collect(runner, user, accepted.run_id)
        assert events[-1][1:] == ("run.cancelled", {})
        assert model.open_streams == 0
        async with database.transaction(user) as tx:
            items, _ = await messages.page(tx, session, 10)
        assert items[1]["status"] == "cancelled"
        assert items[1]["text"] == fold(events).strip() or items[1]["text"] == fold(events)
        again = await runner.submit(user, session, "next")
        assert (await collect(runner, user, again.run_id))[-1][1] == "run.finished"


@pytest.mark.parametrize("steps", range(6))
async def test_stopping_twice_closes_the_model_all_the_same(start, collect, user, session, steps: int):
    """However soon the second stop follows the first, no model stream is left open."""
    model = ScriptedModel([{"text": "word " * 1000}], delay=0.01)
    async with start(model) as runner:
        accepted = await runner.submit(user, session, "talk")
        async for frame in runner.events(user, accepted.run_id):
            if frame.type == "text.delta":
                break
        live = runner._live.get(accepted.run_id)
        runner._live.stop(live, "cancel")
        for _ in range(steps):
            await asyncio.sleep(0)
        runner._live.stop(live, "cancel")
        events = await collect(runner, user, accepted.run_id)
        assert events[-1][1] == "run.cancelled"
        assert model.open_streams == 0


async def test_a_model_that_fails_ends_the_run_in_a_typed_error(start, collect, database: Database, user, session):
    """What was said is kept, the error is typed and retryable, and the session takes the next message."""
    model = ScriptedModel([{"text": "I was about to", "error": "The model is busy."}, {"text": "Here."}])
    async with start(model) as runner:
        accepted = await runner.submit(user, session, "question")
        events = await collect(runner, user, accepted.run_id)
        assert events[-1][1] == "run.failed"
        assert events[-1][2] == {"code": "model_unavailable", "message": "The model is busy.", "retryable": True}
        again = await runner.submit(user, session, "question again")
        assert (await collect(runner, user, again.run_id))[-1][1] == "run.finished"
    history = model.requests[-1].earlier
    assert [m.type for m in history] == ["human", "ai"]


async def test_an_unexpected_defect_tells_nothing_of_the_inside(start, collect, user, session):
    """A crash in the model class is an internal error with a plain sentence."""

    class Broken(ScriptedModel):
        async def stream(self, request):
            raise ZeroDivisionError("secret detail")
            yield

    async with start(Broken([{"text": ""}])) as runner:
        accepted = await runner.submit(user, session, "question")
        events = await collect(runner, user, accepted.run_id)
    assert events[-1][2]["code"] == "internal"
    assert "secret" not in str(events)


async def test_a_reader_may_come_late_or_go_on_from_any_event(start, collect, user, session):
    """From any number on, live or long finished, a reader gets exactly the rest."""
    async with start(ScriptedModel([{"text": "a b c d e f g h"}], delay=0.02)) as runner:
        accepted = await runner.submit(user, session, "go")
        everything = await collect(runner, user, accepted.run_id)
        for after in range(len(everything) + 1):
            assert await collect(runner, user, accepted.run_id, after) == everything[after:]
    async with start([{"text": "unused"}], owner="b") as other:
        assert await collect(other, user, accepted.run_id) == everything


async def test_another_users_run_is_not_found(start, collect, database: Database, user, session):
    """Events, cancel and messages of someone else's session say NotFound."""
    stranger = await database.resolve_user("test", "", uuid4().hex)
    async with start([{"text": "mine"}]) as runner:
        accepted = await runner.submit(user, session, "hi")
        await collect(runner, user, accepted.run_id)
        with pytest.raises(NotFound):
            await collect(runner, stranger, accepted.run_id)
        with pytest.raises(NotFound):
            await runner.cancel(stranger, accepted.run_id)
        with pytest.raises(NotFound):
            await runner.submit(stranger, session, "hi")


@pytest.mark.parametrize("text", ["", "   \n", "x" * 8001])
async def test_empty_and_giant_messages_are_refused(start, user, session, text: str):
    """The error says what is wrong; nothing is stored."""
    async with start([{"text": "never"}]) as runner:
        with pytest.raises(InvalidInput):
            await runner.submit(user, session, text)


async def test_what_postgresql_cannot_hold_is_replaced(start, collect, user, session):
    """NUL and lone surrogates, from the user or the model, become U+FFFD."""
    async with start([{"text": "an\x00swer \ud800"}]) as runner:
        accepted = await runner.submit(user, session, "ques\x00tion \ud83d")
        events = await collect(runner, user, accepted.run_id)
    assert events[-1][2]["text"] == "an\ufffdswer \ufffd"


async def test_eight_rounds_of_tools_end_in_what_was_found(start, collect, user, session):
    """A model that never stops calling tools is stopped, and the tools' own summaries are the answer."""
    model = ScriptedModel([STATUS])
    async with start(model) as runner:
        accepted = await runner.submit(user, session, "loop")
        events = await collect(runner, user, accepted.run_id)
    assert len(model.requests) == 8
    assert events[-1][1] == "run.finished"
    assert "I stopped after 8 rounds" in events[-1][2]["text"]


def test_a_turn_without_an_answer_is_closed_for_the_model():
    """Unanswered calls get a result and the turn an answer, so that roles alternate."""
    turn = [
        messages.Message("user", "q", turn=1),
        messages.Message("assistant", "", {"tool_calls": [{"id": "c", "name": "list_accounts", "args": {}}]}, turn=1),
    ]
    told = earlier(turn).told
    assert [m.type for m in told] == ["human", "ai", "tool", "ai"]


def test_a_decision_is_told_with_the_next_message():
    """What the user decided stands before their next words, and is no turn of its own."""
    past = [
        messages.Message("user", "set dining to 250", turn=1),
        messages.Message("assistant", "Proposed.", turn=1),
        messages.Message(
            "decision", "The user applied: Dining 250.", {"proposal_id": "p", "status": "applied"}, turn=2
        ),
    ]
    history = earlier(past)
    told, notes = history.told, history.notes
    assert [m.type for m in told] == ["human", "ai"]
    assert notes == ["[The user applied: Dining 250.]"]


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


async def test_servers_that_claim_at_one_instant_keep_to_the_cap_together(database: Database, user):
    """Twelve waiting replies of one user and six servers: three run, however the claims fall."""
    async with database.transaction(user) as tx:
        for _ in range(12):
            terms = Terms("a", 60, "", "", queue_only=True)
            await acceptance.accept(tx, (await sessions.create(tx)).id, "hi", terms)
    servers = [await database.worker_connection() for _ in range(6)]

    async def claim_all(worker: asyncpg.Connection, owner: str) -> list[runs.Claim]:
        claimed = []
        while (claim := await queue.claim_next(worker, owner, 60, 3)) is not None:
            claimed.append(claim)
        return claimed

    for _ in range(4):
        claimed = await asyncio.gather(*(claim_all(worker, f"server {n}") for n, worker in enumerate(servers)))
        mine = [claim for of_server in claimed for claim in of_server if claim.user == user]
        assert len(mine) == 3
        async with database.transaction(user) as tx:
            await tx.pg.execute("UPDATE run SET status = 'cancelled' WHERE status = 'running'")
    for worker in servers:
        await worker.close()


async def test_claims_alternate_between_users_who_compete(database: Database, user):
    """Of one user with six waiting replies and another who came later with two, neither waits for all of the other's;
    a user's own are taken oldest first, and no more than the limit at once."""
    other = await database.resolve_user("test", "", uuid4().hex)
    waiting: dict[UUID, list[UUID]] = {user: [], other: []}
    for owner, count in ((user, 6), (other, 2)):
        for _ in range(count):
            async with database.transaction(owner) as tx:
                terms = Terms("a", 60, "", "", queue_only=True)
                accepted = await acceptance.accept(tx, (await sessions.create(tx)).id, "hi", terms)
                waiting[owner].append(accepted.run_id)
    worker = await database.worker_connection()
    claimed = []
    while (claim := await queue.claim_next(worker, "b", 60, 3)) is not None:
        claimed.append(claim)
    await worker.close()
    mine = [claim for claim in claimed if claim.user in waiting]
    assert [claim.user for claim in mine] == [user, other, user, other, user]
    for owner, made in waiting.items():
        taken = [claim.run_id for claim in mine if claim.user == owner]
        assert taken == made[: len(taken)]


async def test_one_users_burst_leaves_connections_to_others(start, database: Database, user: UUID) -> None:
    """While a user's message waits for that user's lock, thirty more of theirs wait without a connection."""
    async with database.transaction(user) as tx:
        mine = [(await sessions.create(tx)).id for _ in range(31)]
    other = await database.resolve_user("test", "", uuid4().hex)
    async with database.transaction(other) as tx:
        theirs = (await sessions.create(tx)).id
    async with start([{"text": "Hello."}]) as runner:
        async with database.transaction(user) as tx:
            await acceptance.lock(tx)
            burst = [asyncio.create_task(runner.submit(user, session, "hi")) for session in mine]
            await asyncio.sleep(0.2)
            accepted = await runner.submit(other, theirs, "hi")
            assert not any(task.done() for task in burst)
        assert len({(await task).run_id for task in burst}) == 31
        assert accepted.run_id


async def test_a_users_burst_at_an_exhausted_pool_is_refused_together(
    postgres: Server, start: Any, user: UUID, session: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twenty messages of one user while every connection is held: one of them waits as long as a request may, and the
    others are told with it, rather than waiting as long again each in its turn; then the user is served."""
    narrow = await Database.connect(
        postgres.app_url, worker_url=postgres.worker_url, pool_size=1, pool_seconds=0.5, application="narrow"
    )
    async with start([{"text": "Here."}]) as runner:
        monkeypatch.setattr(runner._intake, "_db", narrow)
        waited: list[float] = []
        take = narrow._seats.take

        async def counted(patience: float) -> None:
            waited.append(patience)
            await take(patience)

        async with narrow.transaction(user):
            monkeypatch.setattr(narrow._seats, "take", counted)
            burst = [runner.submit(user, session, f"message {n}") for n in range(20)]
            told = await asyncio.gather(*burst, return_exceptions=True)
        assert {type(each) for each in told} == {PoolExhausted}
        assert {each.details["retry_after"] for each in told} == {1}  # type: ignore[union-attr]
        assert len(waited) == 1
        assert (await runner.submit(user, session, "now")).run_id
    await narrow.close()
