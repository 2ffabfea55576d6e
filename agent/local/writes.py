"""Guard rails for changes: an amount, a shop or a category that nobody said is asked for, never guessed.

All of these only lead to proposals; the rails keep a proposal from being about something else than what was said.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Any

from agent.local.heard import Call, Heard, Say, spoken
from agent.local.words import meanings, named, numbers, within
from tools import dates
from tools.names import either, plain

_RELATIVE = re.compile(
    r"\bby\s+[$€£¥]?\s?(?:\d|half|a |ten|twenty|fifty)|%|\bper ?cent\b|\bdouble\b|\btriple\b|\b(?:in|by) half\b|"
    r"\bhalve\b|\b(?:another|extra)\s+[$€£¥]?\d|[$€£¥]?\d[\d.,]*\s*(?:bucks |dollars |euros )?(?:more|less|extra)\b",
    re.I,
)
_CURRENCIES = {
    "USD": r"\$|\b(?:usd|dollars?|bucks)\b",
    "EUR": r"€|\b(?:eur|euros?)\b",
    "GBP": r"£|\b(?:gbp|pounds? sterling|quid)\b",
    "JPY": r"¥|\b(?:jpy|yen)\b",
    "INR": r"₹|\b(?:inr|rupees?)\b",
    "CHF": r"\b(?:chf|francs?)\b",
}
_DOLLARS = frozenset({"USD", "CAD", "AUD", "NZD", "SGD", "HKD", "MXN"})
_MONTH = re.compile(
    r"\b(?:(?:this|next|last) month|(?:next |last )?(?:january|february|march|april|june|july|august|september|october|"
    r"november|december|may(?=\s+(?:\d{4}|budget)|['’]s|\s*$)|(?<=for )may|(?<=in )may)(?:\s+\d{4})?)\b",
    re.I,
)
_SENDS = re.compile(
    r"^(?:(?:hey|ok|okay|please|penny|can you|could you|would you|will you|i want to|i need to|i'd like to|let's|"
    r"now)[ ,]+)*(?:send|wire|zelle|venmo|paypal|pay|transfer|deposit|withdraw)\b|"
    r"\b(?:send|wire|pay|transfer)\b.*\b(?:venmo|zelle|paypal|cash ?app|apple pay|bank transfer)\b",
    re.I,
)
_CAME_IN = re.compile(r"\b(?:got paid|was paid|received|earned|paycheck|salary)\b", re.I)
_FROM = re.compile(
    r"\b(?:from|out of|lower|reduce|off|away from)\s+(?:my |the )?(.+?)(?=\s+(?:to|into|for|and|by|budget)\b|[,.!?]|$)",
    re.I,
)


def moves_real_money(heard: Heard) -> bool:
    """Whether the user asks for a payment, which Penny cannot make; shifting budget between categories is none."""
    return bool(_SENDS.search(heard.text.strip())) and len(heard.named()) < 2


def check(call: Call, heard: Heard) -> Call | Say:
    """The call with arguments that the user's words bear out, or the question to ask instead."""
    if foreign := _foreign_currency(heard):
        return Say(f"Your budget is kept in {heard.currency}. How much is it in {heard.currency}, not {foreign}?")
    match call.tool:
        case "set_budget":
            return _set_budget(dict(call.args), heard)
        case "move_money":
            return _move_money(dict(call.args), heard)
        case "add_transaction":
            return _add_transaction(dict(call.args), heard)
        case "categorize_transaction":
            return _categorize(dict(call.args), heard)
        case "set_goal":
            return _set_goal(dict(call.args), heard)
        case _:
            return Call(call.tool)


def _set_budget(args: dict[str, Any], heard: Heard) -> Call | Say:
    category, amount = _category(args.get("category"), heard), said_amount(args, heard, least=Decimal(0))
    if _RELATIVE.search(heard.text):
        return Say(f"What should the {category or ''} budget be? Please give me the new amount.".replace("  ", " "))
    if len(heard.named()) > 1 and len(numbers(heard.text)) > 1:
        return Say("I can only make one change at a time here. Which one first?")
    if amount is None:
        return Say(
            f"What should the {category} budget be?" if category else "Which category, and what should its budget be?"
        )
    if category is None:
        return Say(f"Which category should I set the {heard.show(amount)} budget for? {_choices(heard)}")
    return Call("set_budget", {"category": category, "amount": str(amount), **_month(args, heard)})


def _move_money(args: dict[str, Any], heard: Heard) -> Call | Say:
    source, target = _category(args.get("from_category"), heard), _category(args.get("to_category"), heard)
    if source and target and (given := _FROM.search(heard.text)):
        taken = {name for one in named(given[1], heard.categories) for name in one.meant}
        if target in taken and source not in taken:
            source, target = target, source
    amount = said_amount(args, heard)
    if amount is None:
        return Say("How much should I move?")
    if source is None or target is None or source == target:
        return Say(f"From which category to which should I move {heard.show(amount)}? {_choices(heard)}")
    moved = {"from_category": source, "to_category": target, "amount": str(amount)}
    return Call("move_money", {**moved, **_month(args, heard)})


def _add_transaction(args: dict[str, Any], heard: Heard) -> Call | Say:
    amount, merchant = said_amount(args, heard), str(args.get("merchant") or "")
    if amount is None:
        return Say(f"How much was it at {merchant}?" if within(merchant, heard.text) else "How much was it, and where?")
    if not within(merchant, heard.user_words):
        return Say(f"Where did you spend the {heard.show(amount)}?")
    added = {"amount": str(amount), "merchant": merchant}
    if category := _category_of_purchase(args.get("category"), merchant, heard):
        added["category"] = category
    said = str(args.get("date") or "")
    if within(said, heard.text):
        added["date"] = said
    elif (days := dates.mentioned([heard.text], heard.today, locale=heard.locale)) and len(days) == 1:
        added["date"] = days.start.isoformat()
    return Call("add_transaction", added)


def _categorize(args: dict[str, Any], heard: Heard) -> Call | Say:
    which = re.sub(r"^(?:transaction|txn|purchase|#)\s*", "", str(args.get("transaction") or ""), flags=re.I).strip(
        "# "
    )
    category = _category(args.get("category"), heard)
    if not which or not spoken(which, f"{heard.text}\n{heard.before}"):
        return Say("Which transaction do you mean? Tell me its number or the shop.")
    if category is None:
        return Say(f"Which category should {which} go under? {_choices(heard)}")
    return Call("categorize_transaction", {"transaction": which, "category": category})


def _set_goal(args: dict[str, Any], heard: Heard) -> Call | Say:
    name, amount = str(args.get("name") or ""), said_amount(args, heard)
    if amount is None:
        return Say("How much do you want to save?")
    if not within(name, heard.user_words):
        return Say(f"What should the {heard.show(amount)} be saved for?")
    by = str(args.get("date") or "")
    return Call("set_goal", {"name": name, "amount": str(amount), **({"date": by} if within(by, heard.text) else {})})


def _category(chosen: Any, heard: Heard) -> str | None:
    """The category that the words bear out, None to ask: by its own name, or as said when only the tool can tell."""
    phrase = str(chosen or "")
    meant, said = meanings(phrase, heard.categories), heard.named()
    fitting = [one for one in said if meant & one.meant]
    if fitting:
        return fitting[0].said
    if within(phrase, heard.text):
        return phrase
    if meant and any(meant & one.meant for one in named(heard.before, heard.categories)):
        return next(iter(meant)) if len(meant) == 1 else phrase
    return said[0].said if len(said) == 1 else None


def _category_of_purchase(chosen: Any, merchant: str, heard: Heard) -> str | None:
    """Only a category that was said, or that the thing bought is a word for; else the tool files by its rules."""
    if _CAME_IN.search(heard.text):
        return next((name for name in heard.categories if plain(name) == "income"), None)
    said = heard.named()
    fitting = [one for one in said if meanings(str(chosen or ""), heard.categories) & one.meant]
    beside = fitting or heard.named(without=merchant) or said
    return beside[0].said if len(beside) == 1 and len(beside[0].meant) == 1 else None


def said_amount(args: dict[str, Any], heard: Heard, least: Decimal = Decimal("0.000001")) -> Decimal | None:
    """The amount, if it was said: now, or before when no number is in this message. The sign is the model's slip."""
    try:
        amount = abs(Decimal(str(args.get("amount"))))
    except InvalidOperation:
        return None
    here = numbers(heard.text)
    if amount not in (here or numbers(heard.before)):
        amount = here[0] if len(here) == 1 else Decimal(-1)
    return amount if amount.is_finite() and amount >= least else None


def _month(args: dict[str, Any], heard: Heard) -> dict[str, str]:
    if found := _MONTH.search(heard.text):
        return {"month": found[0]}
    chosen = str(args.get("month") or "")
    return {"month": chosen} if within(chosen, heard.user_words) else {}


def _foreign_currency(heard: Heard) -> str | None:
    """The currency that is named in the message and is not the user's own; a dollar sign stands for any dollar."""
    for code, pattern in _CURRENCIES.items():
        own = code == heard.currency or (code == "USD" and heard.currency in _DOLLARS)
        if not own and re.search(pattern, heard.text, re.I):
            return code
    return None


def _choices(heard: Heard) -> str:
    return f"There is {either(heard.categories[:14])}." if heard.categories else ""
