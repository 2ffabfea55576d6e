"""remember_fact and forget_fact, as proposals."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field
from rapidfuzz import fuzz

from domain.errors import InvalidInput
from memory import facts
from memory.facts import Kind
from tools.drafts.facts import forgetting, quoted, remembering
from tools.facts import checked
from tools.names import Ambiguous, UnknownName, plain
from tools.own_words import source
from tools.proposals.propose import propose
from tools.result import ToolResult
from tools.tool import Args, Tool, ToolContext

Words = Annotated[str, Field(max_length=facts.LONGEST)]

_NEAR = 75
_ALL = frozenset({"all", "everything", "all of it", "all of them", "everything about me", "all facts"})


class RememberFactArgs(Args):
    text: Words = Field(description="one short sentence, copied from the user's own words")
    kind: Kind | None = Field(None, description="what it is about")
    instead_of: Words | None = Field(None, description="the remembered fact that it takes the place of")


class ForgetFactArgs(Args):
    fact: Words = Field(description="the remembered fact, or its number in the list; “everything” for all")


async def remember(ctx: ToolContext, args: RememberFactArgs) -> ToolResult:
    text = checked(args.text)
    if ctx.session_id is None:
        raise InvalidInput(
            "I remember what users say in a conversation with me, and this is none; they can enter a fact by hand."
        )
    async with ctx.db.read(ctx.user) as tx:
        said = await facts.own_words(tx, ctx.session_id)
        known = await facts.list_(tx)
    message = source(text, said)
    if message is None:
        raise InvalidInput(
            "I only remember what the user says of themselves, in their own words, and this is not what they said. "
            "Copy their words, or leave it."
        )
    old = [named(args.instead_of, known)] if args.instead_of else []
    return await propose(ctx, args, remembering(args.kind or "other", text, message, old))


async def forget(ctx: ToolContext, args: ForgetFactArgs) -> ToolResult:
    async with ctx.db.read(ctx.user) as tx:
        known = await facts.list_(tx)
    if not known:
        return ToolResult("I remember nothing about you, so there is nothing to forget.")
    wanted = list(known) if plain(args.fact) in _ALL else [named(args.fact, known)]
    return await propose(ctx, args, forgetting(wanted))


def named(said: str, known: Sequence[facts.Fact]) -> facts.Fact:
    """The fact that is meant: by its number in the list, its words, or words close to them. Raises UnknownName,
    Ambiguous."""
    wanted = plain(said)
    number = re.fullmatch(r"(?:number |fact |no )*(\d{1,2})", wanted)
    if number and 1 <= int(number[1]) <= len(known):
        return known[int(number[1]) - 1]
    same = [fact for fact in known if plain(fact.text) == wanted]
    inside = [fact for fact in known if f" {wanted} " in f" {plain(fact.text)} "]
    score = {fact.id: fuzz.token_set_ratio(wanted, plain(fact.text)) for fact in known}
    best = max(score.values(), default=0)
    near = [fact for fact in known if score[fact.id] >= max(_NEAR, best - 5)]
    found = same or inside or near
    if len(found) == 1:
        return found[0]
    choices = [quoted(fact.text) for fact in (found or known)[:6]]
    if found:
        raise Ambiguous(f"Which of these: {', '.join(choices)}?", choices=choices)
    raise UnknownName(f"I remember nothing like {quoted(said)}. What I remember: {', '.join(choices) or 'nothing'}.")


REMEMBER_FACT: Tool[Any] = Tool(
    name="remember_fact",
    description="Propose to remember something lasting that the user said of themselves (when they are paid, who lives "
    "with them, what they save for, how they want to be spoken to), in their own words. Never balances or spending. "
    "The user confirms it; it is not done yet.",
    args=RememberFactArgs,
    run=remember,
    label=lambda args: "Preparing to remember that",
    writes=True,
)
FORGET_FACT: Tool[Any] = Tool(
    name="forget_fact",
    description="Propose to forget something that is remembered about the user. The user confirms it; it is not done "
    "yet.",
    args=ForgetFactArgs,
    run=forget,
    label=lambda args: "Preparing to forget that",
    writes=True,
)
