"""Facts that the user enters, corrects or drops by hand: applied at once, journalled, undoable."""

from __future__ import annotations

import re
from typing import Final
from uuid import UUID

from db.engine import Transaction
from domain.errors import InvalidInput
from ledger import journal
from ledger.changes import apply, editing
from memory import facts
from memory.facts import Fact, Kind
from tools.drafts.draft import Draft
from tools.drafts.facts import forget_fact, forgetting, quoted, remember_fact, remembering
from tools.names import plain
from tools.proposals.store import lock_ledger
from tools.wording import outside

_STANDING: Final = re.compile(
    r"\b(?:balance|net worth|overdrawn)\b|\b(?:in|on) (?:my|the) (?:checking|savings|bank|account|card)\b|"
    r"\b(?:have|has|got|owe|owes)\b.{0,20}\bleft\b|\bkontostand\b|\bsolde\b|\bsaldo\b",
    re.I,
)
_NUMBERS_OF_CARDS: Final = re.compile(r"\d(?:[ -]?\d){9,}|\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,}", re.I)
_SECRETS: Final = re.compile(r"\b(?:password|passwort|passcode|pin code|pin is|cvv|cvc|security code)\b", re.I)


def checked(text: str) -> str:
    """The text on one line. Raises InvalidInput for what is too long or nothing to be remembered: what an account
    holds, the numbers of cards and accounts, passwords."""
    kept = " ".join(text.split())
    if not any(c.isalnum() for c in kept):
        raise InvalidInput("There is nothing in it to remember.")
    if len(kept) > facts.LONGEST:
        raise InvalidInput(f"A fact has at most {facts.LONGEST} characters; say it shorter.")
    if _STANDING.search(kept) and any(c.isdigit() for c in kept):
        raise InvalidInput("What an account holds changes: I look it up each time and do not remember it.")
    if _NUMBERS_OF_CARDS.search(kept) or _SECRETS.search(kept):
        raise InvalidInput("Passwords and the numbers of cards or accounts are not for me to remember.")
    return outside(kept, facts.LONGEST)


async def add(tx: Transaction, kind: Kind, text: str, approval: str) -> Fact:
    """Remembers it; what is remembered in the same words already stays one. `approval` says where the user asked for it
    ("http", "cli"). Raises InvalidInput, TooManyFacts."""
    await lock_ledger(tx)
    intent = remembering(kind, checked(text), None)
    draft = await remember_fact(tx, intent.args)
    if not draft.changes:
        return next(fact for fact in await facts.list_(tx) if plain(fact.text) == plain(intent.args["text"]))
    await _carry_out(tx, intent.kind, draft, approval)
    return await facts.get(tx, UUID(intent.args["id"]))


async def correct(tx: Transaction, fact_id: UUID, kind: Kind | None, text: str | None, approval: str) -> Fact:
    """Changes the fact where it stands. Raises NotFound, InvalidInput."""
    await lock_ledger(tx)
    old = await facts.get(tx, fact_id)
    new_text = checked(text) if text is not None else old.text
    if (kind or old.kind, new_text) != (old.kind, old.text):
        change = await editing(tx, "user_fact", {"id": str(fact_id)}, kind=kind or old.kind, text=new_text)
        told = f"Corrected what I remember: {quoted(old.text)} is now {quoted(new_text)}."
        await _carry_out(tx, "correct_fact", Draft(told, (change,)), approval)
    return await facts.get(tx, fact_id)


async def drop(tx: Transaction, fact_id: UUID, approval: str) -> None:
    """Forgets it, and what it had taken the place of. Raises NotFound."""
    await lock_ledger(tx)
    intent = forgetting([await facts.get(tx, fact_id)])
    await _carry_out(tx, intent.kind, await forget_fact(tx, intent.args), approval)


async def _carry_out(tx: Transaction, kind: str, draft: Draft, approval: str) -> None:
    written = await apply(tx, draft.changes)
    await journal.append(tx, kind=kind, text=draft.text, changes=written, approval=approval)
