"""Requests to remember, to forget, or to tell what is remembered: said in few ways, so that rules hear them and the
model is not asked."""

from __future__ import annotations

import re
from typing import Final

from agent.local.heard import Call

_ASKS: Final = re.compile(
    r"\bwhat (?:do|did|can|all do) you (?:know|remember|recall) (?:about|of|from) me\b|"
    r"\bwhat (?:do you remember|have i told you)\b",
    re.I,
)
_POLITE = r"^(?:(?:please|penny|hey|ok|okay|can you|could you|will you)[ ,]+)*"
_REMEMBER: Final = re.compile(rf"{_POLITE}remember(?: that| this)?:? (?P<text>.{{3,}})$", re.I | re.S)
_FORGET: Final = re.compile(rf"{_POLITE}forget (?:that |about )?(?P<fact>.+)$", re.I | re.S)
_GIVES_UP: Final = re.compile(rf"{_POLITE}forget (?:about )?(?:the|my) (?P<goal>[\w' -]+?) goal\b", re.I)
_NO_FACT: Final = frozenset({"it", "that", "this", "about it", "the last one", "the last change"})

_KINDS: Final = (
    ("payday", r"\b(?:paid|payday|pay day|salary|paycheck|wages)\b"),
    ("goal", r"\b(?:sav(?:e|ing) (?:up )?for|goal)\b"),
    ("tone", r"\b(?:call me|speak to me|talk to me|be (?:brief|short|formal|informal)|keep it short)\b"),
    ("household", r"\b(?:live|husband|wife|partner|kids?|children|son|daughter|dog|cat|flatmates?|roommates?)\b"),
)


def call_for(text: str) -> Call | None:
    """The call that the words ask for; None when they are about something else, or a question."""
    words = " ".join(text.split())
    if _ASKS.search(words):
        return Call("list_facts")
    if words.endswith("?"):
        return None
    if found := _REMEMBER.match(words):
        said = found["text"].strip(" .!")
        kind = next((kind for kind, pattern in _KINDS if re.search(pattern, said, re.I)), "other")
        return Call("remember_fact", {"text": said, "kind": kind})
    if given_up := _GIVES_UP.match(words):
        return Call("set_goal", {"name": given_up["goal"], "amount": "0"})
    if (found := _FORGET.match(words)) and (fact := found["fact"].strip(" .!")).casefold() not in _NO_FACT:
        return Call("forget_fact", {"fact": fact})
    return None
