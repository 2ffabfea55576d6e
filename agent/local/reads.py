"""Guard rails for questions: a filter that was not said is dropped, one that was said is not lost.

A confident total over the wrong set is the worst answer of a small model: what a question is about is therefore
compared with the words before the tool runs, and what cannot be placed is searched for as text.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from agent.local.heard import Call, Heard, Say, in_words, spoken
from agent.local.words import meanings, named, numbers, within
from agent.local.writes import said_amount
from domain.errors import InvalidInput
from domain.periods import DateRange
from tools import dates
from tools.names import CATEGORY_WORDS, Ambiguous, plain, resolve

_OBJECT = re.compile(
    r"\b(on|for|at)\s+(?:my |the |a |an |some )?(\S.*?)(?=\s+(?:in|last|this|over|during|since|between|for|on|at|so|"
    r"these|today|yesterday|per|each|every|by|vs|versus|than|compared|and)\b|[?.!,]|$)",
    re.I,
)
_NO_OBJECT = frozenset(
    [  # words after "on", "for" and "at" that are no thing bought
        *("average", "total", "everything", "anything", "things", "stuff", "all", "it", "that", "this", "me", "us"),
        *("them", "far", "track", "most", "what", "which", "sure", "now", "budget", "budgets", "money", "spending"),
        *(
            "each",
            "every",
            "once",
            "purchases",
            "transactions",
            "sum",
            "altogether",
            "overall",
            "expenses",
            "spendings",
        ),
    ]
)
_BRANDS = frozenset({"uber", "lyft"})
_LEAST = re.compile(
    r"\b(?:over|above|more than|at least|bigger than|larger than|greater than|exceeding)\s+[$€£¥]?\s?(\d[\d.,]*)"
)
_LARGEST = re.compile(r"\b(?:largest|biggest|highest|most expensive|priciest)\b", re.I)
_PRICED = re.compile(r"[$€£¥]\s?\d|\d\s?(?:dollars?|bucks|euros?|pounds?)\b|\b(?:afford|buy)\b", re.I)
_END = re.compile(r"\bend of (?:(the|this|next) )?([a-z]+)\b", re.I)
_BALANCE = re.compile(r"\bbalances?\b", re.I)
_GOALS = re.compile(r"\bgoals?\b", re.I)
_OVER_BUDGET = re.compile(r"\boverspen\w*|\bover (?:my |the )?budgets?\b", re.I)
_MONTHLY = re.compile(r"\b(?:monthly|(?:a|per|each|every) month|subscriptions?|memberships?)\b", re.I)
_FALLS = re.compile(r"\b(?:less|lower|fall\w*|drop\w*|cut|lose|lost|cancel\w*|end(?:s|ed)?|stop\w*|quit)\b", re.I)
_INCOME = re.compile(r"\b(?:income|deposits?|pay ?checks?|earnings)\b", re.I)
_MOST = re.compile(r"\b(?:under|below|less than|at most|smaller than|cheaper than|up to)\s+[$€£¥]?\s?(\d[\d.,]*)")


_BARE = frozenset({"find_recurring", "list_accounts", "list_goals", "get_change_history"})
"""Questions without a filter, or whose filters this model was not tuned for."""


def check(call: Call, heard: Heard) -> Call | Say:
    """The call with the filters that the user's words bear out, or the question to ask instead."""
    tool, args = _meant(call, heard)
    if tool in _BARE:
        return Call(tool)
    if tool == "get_safe_to_spend":
        return Call(tool, _coming_day(args, heard))
    if tool == "simulate_what_if":
        return _what_if(args, heard)
    if tool == "find_anomalies":
        period = _period(args.get("period"), heard)
        return Call(tool, {"period": period} if period else {})
    merchant = _merchant(args, heard)
    tool = _category(tool, args, heard, merchant)
    if tool == "compare_periods" and _is_one_period(args, heard):
        tool, args = "get_spending", {"by": "category", "period": args["period_a"], **_only(args, "category")}
    if tool == "compare_periods":
        _two_periods(args, heard)
    elif tool in ("get_budget_status", "get_forecast"):
        _keep(args, "month", _month(args.get("month"), heard))
    else:
        _keep(args, "period", _period(args.get("period"), heard))
    if tool == "list_transactions":
        args.pop("by", None)
        _limits(args, heard)
    elif tool == "get_spending":
        args.setdefault("by", "category")
        args.pop("limit", None)
    return Call(tool, args)


def _meant(call: Call, heard: Heard) -> tuple[str, dict[str, Any]]:
    """The tool and arguments, with the mix-ups mended that one word or number of the message settles."""
    tool, args = call.tool, dict(call.args)
    if tool == "get_safe_to_spend" and _PRICED.search(heard.text) and len(said := numbers(heard.text)) == 1:
        return "simulate_what_if", {"change": "purchase", "amount": said[0]}
    if tool == "get_safe_to_spend" and _BALANCE.search(heard.text):
        return "list_accounts", {}
    if tool == "get_safe_to_spend" and _GOALS.search(heard.text):
        return "list_goals", {}
    if tool == "get_forecast" and (days := heard.period()) and days.end < heard.today:
        return "get_spending", {"by": "category", "period": args.get("month"), **_only(args, "category")}
    if tool == "find_anomalies" and _OVER_BUDGET.search(heard.text):
        return "get_budget_status", {}
    if tool == "simulate_what_if" and args.get("change") == "purchase" and _MONTHLY.search(heard.text):
        args["change"] = "recurring"
    return tool, args


def _coming_day(args: dict[str, Any], heard: Heard) -> dict[str, Any]:
    """The day that was said, if it is one: "until payday" is the tool's own default."""
    if (end := _END.search(heard.text)) and (days := _ending(end, heard)):
        return {"date": days.end.isoformat()}
    said = str(args.get("date") or "")
    return {"date": said} if within(said, heard.text) and heard.period_of(said) else {}


def _ending(found: re.Match[str], heard: Heard) -> DateRange | None:
    """What is spoken of the end of: "the month", "next week", "November"."""
    which, unit = (found[1] or "this").lower(), found[2].lower()
    if unit in ("week", "month", "year"):
        return heard.period_of(f"{'next' if which == 'next' else 'this'} {unit}")
    try:
        return dates.month(unit, heard.today, lean="future", locale=heard.locale).days
    except InvalidInput:
        return None


def _what_if(args: dict[str, Any], heard: Heard) -> Call | Say:
    """What is tried out has the amount that was said; an income that falls and a charge that ends are negative."""
    amount = said_amount(args, heard)
    if amount is None:
        return Say("How much would it be?")
    change = str(args["change"])
    if change != "purchase" and _FALLS.search(heard.text):
        amount = -amount
    tried = {"change": change, "amount": str(amount), **_coming_day(args, heard)}
    if change != "income" and len(named := heard.named()) == 1:
        tried["category"] = named[0].said
    return Call("simulate_what_if", tried)


def _merchant(args: dict[str, Any], heard: Heard) -> str:
    """The shop that was said; a category's own name given for a shop becomes the category."""
    merchant = str(args.pop("merchant", "") or "")
    if _is_no_thing(merchant):
        return ""
    if _names_a_category(merchant, heard):
        args.setdefault("category", merchant)
    elif within(merchant, heard.text) or (within(merchant, heard.user_words) and not heard.named()):
        args["merchant"] = merchant
        return merchant
    return ""


def _is_no_thing(phrase: str) -> bool:
    """Whether what the model took for a shop or a category only says how much is meant: "total", "all in all"."""
    words = plain(phrase).split()
    return bool(words) and _NO_OBJECT.union(("in", "the", "my")).issuperset(words)


def _names_a_category(merchant: str, heard: Heard) -> bool:
    """Whether what the model took for a shop is a word for a category: "food shopping", not "uber", not "at Home"."""
    as_a_place = re.search(rf"\b(?:at|from)\s+{re.escape(plain(merchant))}\b", plain(heard.text))
    return bool(meanings(merchant, heard.categories)) and plain(merchant) not in _BRANDS and not as_a_place


def _category(tool: str, args: dict[str, Any], heard: Heard, merchant: str) -> str:
    """Settles `category`; the tool changes when what was taken for a category is a shop or a thing bought."""
    chosen = str(args.pop("category", "") or "")
    chosen = "" if _is_no_thing(chosen) else chosen
    meant = meanings(chosen, heard.categories)
    said = heard.named(without=merchant)
    fitting = [one for one in said if meant & one.meant]
    if fitting or (len(said) == 1 and not merchant):
        args["category"] = (fitting or said)[0].said
    elif chosen and not meant and within(chosen, heard.text):
        if _is_a_category(chosen, heard):
            args["category"] = chosen
        elif tool in ("get_spending", "list_transactions"):
            args.setdefault("merchant", chosen)
            return "list_transactions"
    elif merchant:
        pass
    elif thing := _thing(heard) if tool in ("get_spending", "list_transactions") else "":
        if _is_a_category(thing, heard):
            args["category"] = thing
            return tool
        args["text"] = thing
        return "list_transactions"
    elif meant and any(meant & one.meant for one in named(heard.before, heard.categories)):
        args["category"] = next(iter(meant)) if len(meant) == 1 else chosen
    return tool


def _is_a_category(phrase: str, heard: Heard) -> bool:
    """Whether the tool will know it, misspelled as it may be, or ask which one is meant."""
    try:
        resolve(phrase, heard.categories, "category", CATEGORY_WORDS)
    except Ambiguous:
        return True
    except InvalidInput:
        return False
    return True


def _thing(heard: Heard) -> str:
    """What the money went on, when that is neither a category nor a time: "candles"."""
    for found in _OBJECT.finditer(heard.text):
        thing = found[2].strip()
        words = plain(thing).split()
        timed = dates.mentioned([thing], heard.today, locale=heard.locale) or numbers(thing)
        if words and len(words) <= 4 and not timed and not _NO_OBJECT.intersection(words):
            return thing
    return ""


def _period(chosen: str | None, heard: Heard) -> str | None:
    """The period that was said now; else the one that the model carried over from what was said before."""
    said = heard.period()
    if said is not None:
        same = chosen and within(chosen, heard.text) and heard.period_of(chosen) == said
        return chosen if same else in_words(said)
    return chosen if chosen and within(chosen, f"{heard.text}\n{heard.before}") else None


def _month(chosen: str | None, heard: Heard) -> str | None:
    return chosen if chosen and within(chosen, heard.text) else _period(chosen, heard)


def _is_one_period(args: dict[str, Any], heard: Heard) -> bool:
    """Whether both periods are the same one, as it was said: then nothing is compared."""
    first, second = (str(args.get(key, "")) for key in ("period_a", "period_b"))
    return within(first, heard.text) and heard.period_of(first) == heard.period_of(second) is not None


def _two_periods(args: dict[str, Any], heard: Heard) -> None:
    """A period to compare that nobody named is this month, or last month when the other one is this month."""
    for key, other in (("period_a", "period_b"), ("period_b", "period_a")):
        if not within(str(args.get(key, "")), f"{heard.text}\n{heard.before}"):
            this = heard.period_of("this month")
            args[key] = "last month" if heard.period_of(str(args.get(other, ""))) == this else "this month"


def _limits(args: dict[str, Any], heard: Heard) -> None:
    """How many, the largest first, and from and up to which amount, if that was said."""
    limit = args.pop("limit", None)
    if limit is not None and spoken(str(limit), heard.text):
        span = re.search(rf"\b{limit}\s+(?:day|week|month|year)", heard.text, re.I)
        _keep(args, "limit", None if span else min(int(limit), 50))
    if _LARGEST.search(heard.text):
        args["order"] = "largest_income" if _INCOME.search(heard.text) else "largest_spending"
    for name, pattern in (("min_amount", _LEAST), ("max_amount", _MOST)):
        if found := pattern.search(heard.text.casefold()):
            amounts = numbers(found[1].rstrip(".,"))
            _keep(args, name, str(amounts[0]) if amounts and Decimal(amounts[0]) > 0 else None)


def _only(args: dict[str, Any], name: str) -> dict[str, Any]:
    return {name: args[name]} if name in args else {}


def _keep(args: dict[str, Any], name: str, value: Any) -> None:
    args.pop(name, None)
    if value is not None:
        args[name] = value
