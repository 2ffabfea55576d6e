"""Drafts about what Penny remembers: keeping a fact, in place of another if need be, and forgetting one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from db.engine import Transaction
from domain.errors import Conflict
from domain.ids import new_id
from ledger.changes import Change, deleted, editing, inserted, read
from memory import facts
from memory.facts import Fact
from tools.drafts.draft import Draft, Intent
from tools.names import plain
from tools.wording import cell, counted


class TooManyFacts(Conflict):
    """The user has as many facts as Penny keeps."""

    code = "too_many_facts"


def remembering(kind: str, text: str, message: UUID | None, instead_of: Sequence[Fact] = ()) -> Intent:
    """To remember the text, which the user said in `message`, in place of other facts."""
    return Intent(
        "remember_fact",
        {
            "id": str(new_id()),
            "kind": kind,
            "text": text,
            "message": str(message) if message else None,
            "instead_of": [str(fact.id) for fact in instead_of],
        },
    )


def forgetting(wanted: Sequence[Fact]) -> Intent:
    """To have nothing left of these facts."""
    return Intent("forget_fact", {"facts": [str(fact.id) for fact in wanted]})


async def remember_fact(tx: Transaction, args: Mapping[str, Any]) -> Draft:
    """The draft of `remembering`."""
    known = await facts.list_(tx)
    old = [fact for fact in known if str(fact.id) in args["instead_of"]]
    if any(plain(fact.text) == plain(args["text"]) and fact not in old for fact in known):
        return Draft(f"I remember that already: {quoted(args['text'])}.")
    if len(known) - len(old) >= facts.MOST:
        raise TooManyFacts(f"I keep {facts.MOST} facts about you, and that many are there; forget one first.")
    made = inserted("user_fact", {"id": args["id"]}, kind=args["kind"], text=args["text"], message_id=args["message"])
    replaced = [await editing(tx, "user_fact", {"id": str(fact.id)}, superseded_by=args["id"]) for fact in old]
    instead = f", instead of {' and '.join(quoted(fact.text) for fact in old)}" if old else ""
    return Draft(f"Remember {quoted(args['text'])}{instead}.", (*replaced, made))


async def forget_fact(tx: Transaction, args: Mapping[str, Any]) -> Draft:
    """The draft of `forgetting`: what the facts took the place of goes with them."""
    going = [fact for fact in await facts.list_(tx) if str(fact.id) in args["facts"]]
    if not going:
        return Draft("I do not remember that any more.")
    changes: list[Change] = []
    for fact in going:
        for each in await facts.lineage(tx, fact.id):
            key = {"id": str(each)}
            if (row := await read(tx, "user_fact", key)) is not None:
                changes.append(deleted("user_fact", key, row))
    if len(going) == 1:
        return Draft(f"Forget {quoted(going[0].text)}.", tuple(changes))
    return Draft(f"Forget {counted(len(going), 'fact')} about you.", tuple(changes))


def quoted(text: str) -> str:
    """The fact in quotation marks, without its full stop."""
    return f"“{cell(text, facts.LONGEST).rstrip('.')}”"
