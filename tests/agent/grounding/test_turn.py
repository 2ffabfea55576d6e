"""Grounding in a run: one event before the end, the same figures on the stored message, and none of it when off."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest

from agent.grounding.voice import LEFT_OUT
from agent.scripted import ScriptedModel
from db.engine import Database
from ledger import household
from memory import messages

LOOK = {"tool_calls": [{"name": "get_budget_status", "args": {"category": "Dining"}}]}


@pytest.fixture
async def home(database: Database, user: UUID) -> None:
    """The user has the sample household as of November 22, 2026."""
    async with database.transaction(user) as tx:
        await household.seed(tx, date(2026, 11, 22))


async def reply_of(database: Database, user: UUID, session: UUID) -> dict:
    async with database.transaction(user) as tx:
        items, _ = await messages.page(tx, session, 10)
    return items[-1]


@pytest.mark.usefixtures("home")
async def test_annotate_marks_figures_of_the_final_text(start, collect, database: Database, user, session):
    """One grounding event, before the terminal one; text untouched; GET messages has the same figures."""
    script = [LOOK | {"text": "Let me look."}, {"text": "You spent $209.10 on Dining, of $999.00."}]
    async with start(ScriptedModel(script)) as runner:
        accepted = await runner.submit(user, session, "how is dining?")
        events = await collect(runner, user, accepted.run_id)
    assert [kind for _, kind, _ in events][-3:] == ["grounding", "usage", "run.finished"]
    figures, text = events[-3][2]["figures"], events[-1][2]["text"]
    assert text == "Let me look.\n\nYou spent $209.10 on Dining, of $999.00."
    assert [(f["text"], f["verified"]) for f in figures] == [("$209.10", True), ("$999.00", False)]
    assert all(text[f["start"] : f["end"]] == f["text"] for f in figures)
    facts = {f["id"]: f for _, kind, data in events if kind == "tool.finished" for f in data["facts"]}
    assert facts[figures[0]["fact_id"]]["value"] == "209.10"
    assert (await reply_of(database, user, session))["figures"] == figures


@pytest.mark.usefixtures("home")
async def test_facts_of_earlier_turns_still_count(start, collect, user, session):
    """What a tool found a turn ago may be said again."""
    script = [LOOK, {"text": "{summary}"}, {"text": "As I said: $209.10 on Dining."}]
    async with start(ScriptedModel(script)) as runner:
        for text in ("how is dining?", "again?"):
            accepted = await runner.submit(user, session, text)
            events = await collect(runner, user, accepted.run_id)
    assert [f["verified"] for f in events[-3][2]["figures"]] == [True]


@pytest.mark.usefixtures("home")
async def test_strict_sends_only_what_stands(start, collect, fold, database: Database, user, session):
    """The wrong figure is replaced by the fact before it is sent; what cannot be mended is left out; all that is stored
    is what was sent."""
    script = [LOOK, {"text": "You spent $412.00 on Dining. That is in 77 shops. Anything else?"}]
    async with start(ScriptedModel(script), grounding="strict") as runner:
        accepted = await runner.submit(user, session, "how is dining?")
        events = await collect(runner, user, accepted.run_id)
    expected = f"You spent $209.10 on Dining. {LEFT_OUT} Anything else?"
    assert events[-1][2]["text"] == fold(events) == expected
    assert (await reply_of(database, user, session))["text"] == expected
    assert all(f["verified"] for f in events[-3][2]["figures"])


@pytest.mark.usefixtures("home")
async def test_the_changes_of_the_turn_are_counted(start, collect, user, session):
    """ "Two changes" stands when two are proposed, written out or not; another number does not."""
    calls = [{"name": "set_budget", "args": {"category": c, "amount": 250}} for c in ("Dining", "Groceries")]
    said = "I prepared two changes. These 2 proposals wait for you. All three changes can be undone."
    async with start(ScriptedModel([{"tool_calls": calls}, {"text": said}])) as runner:
        accepted = await runner.submit(user, session, "set dining and groceries to 250")
        events = await collect(runner, user, accepted.run_id)
    figures = next(data["figures"] for _, kind, data in events if kind == "grounding")
    assert [(f["text"], f["verified"]) for f in figures] == [("two", True), ("2", True), ("three", False)]


async def test_off_says_nothing(start, collect, user, session):
    """No grounding event, no figures."""
    async with start([{"text": "You spent $5."}], grounding="off") as runner:
        accepted = await runner.submit(user, session, "hi")
        events = await collect(runner, user, accepted.run_id)
    assert "grounding" not in [kind for _, kind, _ in events]


async def test_a_cancelled_reply_keeps_the_figures_of_what_was_said(start, collect, database: Database, user, session):
    """What the user saw before they stopped it is marked too."""
    async with start(ScriptedModel([{"text": "You spent $5.00 on " + "this and that " * 300}], delay=0.01)) as runner:
        accepted = await runner.submit(user, session, "talk")
        async for frame in runner.events(user, accepted.run_id):
            if frame.type == "text.delta" and "this" in frame.data:
                break
        await runner.cancel(user, accepted.run_id)
        events = await collect(runner, user, accepted.run_id)
    assert events[-1][1] == "run.cancelled"
    stored = await reply_of(database, user, session)
    assert [f["text"] for f in stored["figures"]] == ["$5.00"]
    assert stored["text"][10:15] == "$5.00"


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("grounding", ["annotate", "strict"])
async def test_figures_survive_a_takeover(start, collect, fold, database: Database, user, session, grounding: str):
    """The next owner knows the facts of the steps that the first one stored; what it had begun to say is withdrawn, and
    offsets are those of the final text."""
    begun = ScriptedModel(
        [LOOK | {"text": "Let me look."}, {"text": "You spent $209.10 on " + "this and " * 400}], delay=0.01
    )
    async with start(begun, owner="first", grounding=grounding) as first:
        accepted = await first.submit(user, session, "how is dining?")
        async for frame in first.events(user, accepted.run_id):
            if frame.type == "tool.finished":
                break
    done = ScriptedModel([{"text": "Dining stands at $209.10 of $380.00. You are $55.00 over."}])
    async with start(done, owner="second", grounding=grounding) as second:
        events = await collect(second, user, accepted.run_id)
    text = events[-1][2]["text"]
    assert "run.resumed" in [kind for _, kind, _ in events]
    assert fold(events) == text
    [figures] = [data["figures"] for _, kind, data in events if kind == "grounding"]
    told = {"strict": [("$209.10", True), ("$380.00", True)]}.get(
        grounding, [("$209.10", True), ("$380.00", True), ("$55.00", False)]
    )
    assert [(f["text"], f["verified"]) for f in figures] == told
    assert all(text[f["start"] : f["end"]] == f["text"] for f in figures)
