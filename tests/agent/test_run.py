"""What one run does, with a scripted model on the real database."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest

from agent.scripted import ScriptedModel
from db.engine import Database
from domain.errors import InvalidInput, NotFound
from memory import messages, runs
from memory.acceptance import ClientIdReused, RunActive

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
