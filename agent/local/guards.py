"""The guard rails between what the model chose and what is done: code decides what the words bear out."""

from __future__ import annotations

import re

from agent.local import reads, refusals, setup, smalltalk, writes
from agent.local.grammar import NONE
from agent.local.heard import Call, Heard, Say
from agent.local.words import meanings, numbers

_WRITES = frozenset({"set_budget", "move_money", "add_transaction", "categorize_transaction", "set_goal"})
_SET_UP = frozenset(
    [
        *("create_category", "create_account", "set_preference"),
        *("edit_transaction", "delete_transaction", "transfer_between_accounts"),
    ]
)
_ONLY_ASKS = re.compile(r"\b(?:don['’]?t|do not|without) (?:chang|touch|modif)\w*|\bjust (?:tell|show) me\b", re.I)
_SAVES = re.compile(r"\b(?:sav(?:e|es|ed|ing|ings)|goals?|aside|toward|towards)\b", re.I)

_PUTS_BACK = re.compile(
    r"\b(?:put|take|move|give|bring|change|switch|set|turn) (?:it|that|this|them|those|everything)(?: all)? back\b",
    re.I,
)


def judge(call: Call, heard: Heard) -> Call | Say:
    """What to do about the model's choice: the call as the words bear it out, or something to say or ask."""
    if refused := refusals.others(heard) or refusals.no_such_day(heard) or refusals.below_zero(call.tool, heard):
        return refused
    if call.tool in {*_WRITES, NONE, "transfer_between_accounts"} and writes.moves_real_money(heard):
        return Say(smalltalk.no_payments())
    if call.tool == NONE:
        return refusals.advice(heard) or Say(smalltalk.reply(heard.text, heard.categories))
    if call.tool == "undo_change" or (call.tool in _WRITES and _only_puts_back(heard)):
        return Call("undo_change")
    if call.tool in _WRITES and _ONLY_ASKS.search(heard.text):
        call = Call("get_budget_status", {"category": call.args.get("category")})
    if (
        call.tool == "set_goal"
        and meanings(str(call.args.get("name")), heard.categories)
        and not _SAVES.search(heard.text)
    ):
        call = Call("set_budget", {"category": call.args["name"], "amount": call.args.get("amount")})
    if call.tool in _SET_UP:
        return setup.check(call, heard)
    return writes.check(call, heard) if call.tool in _WRITES else reads.check(call, heard)


def _only_puts_back(heard: Heard) -> bool:
    """ "Put it back", without saying what or how much: the last change is meant, whichever way round it went."""
    return bool(_PUTS_BACK.search(heard.text)) and not heard.named() and not numbers(heard.text)
