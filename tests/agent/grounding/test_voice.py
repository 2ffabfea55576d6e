"""Strict: sentences are held until their figures stand; a wrong one is mended or left out; what was sent stands."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.grounding.reply import ground
from agent.grounding.voice import LEFT_OUT, Strict


def speak(text: str, known, sizes: random.Random | None = None) -> list[str]:
    """What is sent when the text comes in pieces."""
    voice, sent, at = Strict(known, "en-US"), [], 0
    while at < len(text):
        step = sizes.randint(1, 9) if sizes else 4
        sent.append(voice.hear(text[at : at + step]))
        at += step
    return [*sent, voice.rest()]


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("You spent $209.10 on Dining. Anything else?", "You spent $209.10 on Dining. Anything else?"),
        ("You spent $412.00 on Dining. Anything else?", "You spent $209.10 on Dining. Anything else?"),
        ("It went to 4711 shops. Anything else?", f"{LEFT_OUT} Anything else?"),
        ("- Fine\n- You made 4711 dollars\n", f"- Fine\n- {LEFT_OUT}\n"),
        ("| | Spent |\n| --- | --- |\n| Dining | $999.00 |\n", "| | Spent |\n| --- | --- |\n| Dining | $209.10 |\n"),
    ],
)
def test_only_the_held_sentence_changes(known, text: str, spoken: str):
    """The fact takes a wrong figure's place when just one can be meant; else the sentence is left out."""
    assert "".join(speak(text, known("dining_nov"))) == spoken


def test_nothing_of_a_sentence_is_sent_before_it_is_whole(known):
    """The wrong figure comes last, so an early start could not be taken back."""
    voice = Strict(known("dining_nov"), "en-US")
    assert voice.hear("On Dining you have this month spent $41") == ""
    assert voice.hear("2.00. And") == ""
    assert voice.hear(" so on") == "On Dining you have this month spent $209.10."


@given(st.integers(0, 10**6))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])  # it only makes values
def test_the_pieces_a_text_comes_in_do_not_matter(known, seed: int):
    """However the network cuts the text: the same reply, sent in order, and no sentence without figures is touched."""
    text = "Sure. You spent $209.10 on Dining in November. You spent $7.77 on Rent! Approx. $210 in all. Bye.\n"
    sent = "".join(speak(text, known("dining_nov"), random.Random(seed)))
    assert sent == "".join(speak(text, known("dining_nov")))
    assert sent.startswith("Sure. You spent $209.10 on Dining in November.")
    assert sent.endswith("Bye.\n")


def test_a_spoken_reply_verifies_as_a_whole(known):
    """What strict let pass is verified when the finished reply is looked at."""
    text = "Dining: $209.10 of $380.00 (55.0%). You have $99.00 left. Dining is at $1,000.00 now."
    spoken = "".join(speak(text, known("dining_nov")))
    assert all(found.verified for found in ground(spoken, known("dining_nov")))
