"""Guard rails for categories, accounts and preferences, and for changes of what is recorded: only what was said."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, Final

from agent.local.heard import Call, Heard, Say, spoken
from agent.local.words import numbers, within
from agent.local.writes import said_amount
from tools.names import plain

_KINDS: Final = {
    "checking": r"\b(?:checking|current|giro)\b",
    "savings": r"\bsavings?\b",
    "credit": r"\b(?:credit|card)\b",
    "cash": r"\b(?:cash|purse|wallet)\b",
    "investment": r"\b(?:investments?|brokerage|depot)\b",
    "loan": r"\b(?:loan|mortgage)\b",
}
_CHANGED: Final = ("amount", "date", "merchant", "note")


def check(call: Call, heard: Heard) -> Call | Say:
    """The call with arguments that the user's words bear out, or the question to ask instead."""
    args = {name: value for name, value in call.args.items() if value not in (None, "")}
    match call.tool:
        case "create_category":
            return _named("create_category", args, heard, "What should the category be called?")
        case "create_account":
            return _account(args, heard)
        case "set_preference":
            return _preference(args, heard)
        case "edit_transaction":
            return _edited(args, heard)
        case "transfer_between_accounts":
            return _transfer(args, heard)
        case _:
            which = _which(args, heard)
            return Call(call.tool, {"transaction": which}) if which else _ask_which()


def _named(tool: str, args: dict[str, Any], heard: Heard, question: str) -> Call | Say:
    name = str(args.get("name", ""))
    return Call(tool, {"name": name}) if within(name, heard.user_words) else Say(question)


def _account(args: dict[str, Any], heard: Heard) -> Call | Say:
    """The kind is a word of the message, the balance its one number."""
    made = _named("create_account", args, heard, "What should the account be called?")
    if isinstance(made, Say):
        return made
    kind = next((kind for kind, words in _KINDS.items() if re.search(words, heard.text, re.I)), None)
    said = numbers(heard.text.replace(str(made.args["name"]), " "))
    balance = {"balance": str(said[0])} if len(said) == 1 else {}
    return Call(made.tool, {**made.args, **({"kind": kind} if kind else {}), **balance})


def _preference(args: dict[str, Any], heard: Heard) -> Call | Say:
    said = {name: str(value) for name, value in args.items() if within(str(value), heard.text)}
    return (
        Call("set_preference", said) if said else Say("What should it be: which currency, or which city's time zone?")
    )


def _edited(args: dict[str, Any], heard: Heard) -> Call | Say:
    if (which := _which(args, heard)) is None:
        return _ask_which()
    changed: dict[str, Any] = {
        name: str(args[name])
        for name in _CHANGED
        if name != "amount" and within(str(args.get(name, "")), heard.text) and plain(str(args[name])) != plain(which)
    }
    amount = said_amount(args, heard) if "amount" in args else None
    if amount is not None and str(amount) != which:
        changed["amount"] = str(amount)
    if not changed:
        return Say(f"What should be different about {which}: its amount, day, shop, or a note?")
    return Call("edit_transaction", {"transaction": which, **changed})


def _transfer(args: dict[str, Any], heard: Heard) -> Call | Say:
    """Which way it went is what "from" and "to" say."""
    source, target = str(args.get("from_account", "")), str(args.get("to_account", ""))
    amount = said_amount(args, heard, least=Decimal("0.000001"))
    if amount is None:
        return Say("How much was moved?")
    if not (within(source, heard.text) and within(target, heard.text)) or plain(source) == plain(target):
        return Say(f"From which account to which did {heard.show(amount)} go?")
    if re.search(rf"\bfrom (?:my |the )?{re.escape(plain(target))}\b", plain(heard.text)):
        source, target = target, source
    moved = {"from_account": source, "to_account": target, "amount": str(amount)}
    day = str(args.get("date", ""))
    return Call("transfer_between_accounts", moved | ({"date": day} if within(day, heard.text) else {}))


def _which(args: dict[str, Any], heard: Heard) -> str | None:
    """The transaction, by a number or shop that was said now or before."""
    which = re.sub(r"^(?:transaction|txn|purchase|#|no\.?)\s*", "", str(args.get("transaction", "")), flags=re.I).strip(
        "# "
    )
    return which if which and spoken(which, f"{heard.text}\n{heard.before}") else None


def _ask_which() -> Say:
    return Say("Which transaction do you mean? Tell me its number or the shop.")
