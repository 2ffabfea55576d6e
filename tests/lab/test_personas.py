"""Simulated users: where their state machines lead, and models that play them."""

from __future__ import annotations

import pytest

from agent.scripted import ScriptedModel
from domain.errors import SetupError
from lab.cases.case import Decide, Persona, PersonaState, Rule
from lab.eval.author import author_of
from lab.eval.outcome import Called, StepResult
from lab.eval.personas import Playing
from lab.eval.stand_ins import Mute

PERSONA = Persona(
    "You want a budget of 250.",
    (
        PersonaState("start", ("hello", "good day"), rules=(Rule("question", "answer"), Rule("otherwise", "start"))),
        PersonaState("answer", ("250",), rules=(Rule("proposal", "agree", "set_budget"), Rule("words", "done", "no"))),
        PersonaState("agree", act="confirm", rules=(Rule("otherwise", "done"),)),
    ),
)


async def test_a_persona_reacts_until_they_are_done() -> None:
    """They repeat themselves until asked, answer, confirm what they wanted, and leave."""
    playing = Playing(PERSONA, seed=1)
    assert await playing.next(None) in ("hello", "good day")
    assert await playing.next(StepResult("hello", "I see.")) in ("hello", "good day")
    assert await playing.next(StepResult("hello", "How much?")) == "250"
    proposal = {"id": "1", "kind": "set_budget"}
    assert await playing.next(StepResult("250", "Confirm?", proposals=(proposal,))) == Decide("confirm")
    assert await playing.next(StepResult("(confirms 1)")) is None


async def test_another_proposal_is_not_the_one_that_they_wait_for() -> None:
    """A rule that names a kind holds for that kind only; where no rule holds they stay."""
    playing = Playing(PERSONA, seed=1)
    await playing.next(None)
    await playing.next(StepResult("hello", "How much?"))
    assert await playing.next(StepResult("250", "Hm.", proposals=({"id": "1", "kind": "undo"},))) == "250"


async def test_the_same_seed_says_the_same() -> None:
    """What is drawn depends on the seed and the persona alone."""
    assert {await Playing(PERSONA, seed=7).next(None) for _ in range(5)} in ({"hello"}, {"good day"})
    assert {await Playing(PERSONA, seed=n).next(None) for n in range(20)} == {"hello", "good day"}


@pytest.mark.parametrize(
    ("rule", "holds"),
    [(Rule("tool", "x", "get_spending"), True), (Rule("tool", "x", "undo_change"), False), (Rule("tool", "x"), True),
     (Rule("words", "x", "FOUND"), True), (Rule("question", "x"), False)],
)  # fmt: skip
async def test_a_rule_holds_for_what_the_reply_did(rule: Rule, holds: bool) -> None:
    """Which tool was called, what was said, whether something was asked."""
    playing = Playing(Persona("g", (PersonaState("start", ("a",), rules=(rule,)), PersonaState("x", ("b",)))), 0)
    await playing.next(None)
    said = await playing.next(StepResult("a", "I found it.", (Called("get_spending", {}),)))
    assert said == ("b" if holds else "a")


async def test_a_model_may_write_what_the_persona_says() -> None:
    """It is told the goal and what was said so far; decisions stay the state machine's."""
    told: list[tuple[str, int]] = []

    async def author(persona: Persona, said: list[tuple[str, str]]) -> str:
        told.append((persona.goal, len(said)))
        return "written" if len(said) < 2 else ""

    playing = Playing(PERSONA, 1, author)
    assert [await playing.next(None), await playing.next(StepResult("written", "Hm?"))] == ["written", "written"]
    assert await playing.next(StepResult("written", "Hm.")) is None
    assert told == [
        ("You want a budget of 250.", 0),
        ("You want a budget of 250.", 1),
        ("You want a budget of 250.", 2),
    ]


async def test_an_author_is_told_the_goal_and_what_was_said_and_says_when_it_is_done() -> None:
    """ "DONE" ends the conversation; anything else is the person's message. A model without prose is none."""
    model = ScriptedModel([{"text": "Set it to 250 please."}, {"text": "DONE."}])
    write = author_of(model)
    said = [("hello", "How can I help?")]
    assert await write(PERSONA, said) == "Set it to 250 please."
    assert await write(PERSONA, said) == ""
    told = str(model.requests[0].turn[0].content)
    assert "You want a budget of 250." in told
    assert "Person: hello\nAssistant: How can I help?" in told
    with pytest.raises(SetupError, match="cannot play users"):
        author_of(Mute())
