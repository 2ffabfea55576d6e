"""Whether a tool call is the one that was wanted: arguments are read as the tools read them, by the same code."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from pydantic import ValidationError

from domain.errors import InvalidInput
from lab.cases.case import Call, Value
from lab.eval.outcome import Called
from tools import catalog, dates
from tools.names import CATEGORY_WORDS, plain, resolve
from tools.tool import plain_number
from tools.writes import splits

DEFAULTS: Final = {
    ("*", "month"): "this month",
    ("get_spending", "period"): "this month",
    ("*", "date"): "today",
}
"""What a tool takes for an argument that is left out; "*" is every tool."""

_SAME: Final = {"compare_periods": (("period_a", "period_b"),)}
"""Arguments that may change places."""


@dataclass(frozen=True)
class Reader:
    """How arguments are read on this day, in this household."""

    today: date
    locale: str
    categories: Sequence[str]
    accounts: Sequence[str]

    def same(self, tool: str, name: str, wanted: Value, said: Any) -> bool:
        """Whether what was said means what was wanted, or one of it. Wanted None: nothing, or what the default is."""
        default = DEFAULTS.get((tool, name), DEFAULTS.get(("*", name)))
        said = None if said in (None, "") else said
        if wanted is None:
            return said is None or (default is not None and self._alike(tool, name, default, said))
        if said is None and default is None:
            return False
        choices = wanted if isinstance(wanted, tuple) else (wanted,)
        return any(self._alike(tool, name, choice, default if said is None else said) for choice in choices)

    def _alike(self, tool: str, name: str, wanted: str, said: Any) -> bool:
        read = self._reading(tool, name)
        try:
            if read is None:
                return plain(wanted) in plain(str(said))
            return bool(read(wanted) == read(said if isinstance(said, list) else str(said)))
        except (InvalidInput, InvalidOperation, ValidationError):
            return plain(wanted) == plain(str(said))

    def _reading(self, tool: str, name: str) -> Callable[[Any], Any] | None:
        match name:
            case "category" | "from_category" | "to_category":
                return lambda text: resolve(text, self.categories, "category", CATEGORY_WORDS)
            case "account" | "from_account" | "to_account":
                return lambda text: resolve(text, self.accounts, "account")
            case "month":
                past = catalog.is_read(tool) and tool != "get_forecast"
                return lambda text: dates.month(
                    text, self.today, lean="past" if past else "nearest", locale=self.locale
                )
            case "period" | "period_a" | "period_b":
                return self._days
            case "date":
                ahead = tool in ("set_goal", "get_safe_to_spend", "simulate_what_if")
                return lambda text: self._until(text, ahead)
            case "amount" | "min_amount" | "max_amount" | "arrived" | "rate" | "limit" | "balance":
                return lambda text: Decimal(plain_number(text))
            case "parts":
                return self._parts
            case "by" | "change" | "kind" | "carry" | "remember_as_rule" | "pending":
                return lambda text: text.strip().casefold()
        return None

    def _parts(self, said: Any) -> set[tuple[str, Decimal | None]]:
        """In any order, the categories by their names."""
        told = splits.parts(splits.SplitArgs(transaction="1", parts=said).parts)
        return {(resolve(name, self.categories, "category", CATEGORY_WORDS), amount) for name, amount in told}

    def _days(self, text: str) -> tuple[date, date]:
        days = dates.period(text, self.today, locale=self.locale)
        return days.start, min(days.end, max(self.today, days.start))

    def _until(self, text: str, ahead: bool) -> date:
        """A day, or the last one of a longer period for what lies ahead."""
        if not ahead:
            return dates.day(text, self.today, locale=self.locale)
        try:
            return dates.day(text, self.today, lean="future", locale=self.locale)
        except InvalidInput:
            return dates.month(text, self.today, lean="future", locale=self.locale).last

    def fits(self, wanted: Call, called: Called) -> bool:
        """Whether the call is the wanted one, whatever other arguments it has."""
        if wanted.tool != called.name:
            return False
        if self._all(wanted.args, called):
            return True
        for a, b in _SAME.get(wanted.tool, ()):
            turned = dict(wanted.args)
            turned[a], turned[b] = turned.get(b), turned.get(a)
            if self._all(turned, called):
                return True
        return False

    def _all(self, wanted: Mapping[str, Value], called: Called) -> bool:
        return all(self.same(called.name, name, value, called.args.get(name)) for name, value in wanted.items())


def missing(wanted: Sequence[tuple[Call, ...]], made: Sequence[Called], reader: Reader, *, in_order: bool) -> list[str]:
    """The wanted calls that were not made, in words; each made call counts once."""
    left = list(made)
    lacking: list[str] = []
    for choice in wanted:
        at = next((n for n, called in enumerate(left) if any(reader.fits(one, called) for one in choice)), None)
        if at is None:
            lacking.append(" or ".join(map(shown, choice)))
        elif in_order:
            left = left[at + 1 :]
        else:
            del left[at]
    return lacking


def shown(call: Call | Called) -> str:
    """ "get_spending(by=category, period=2026-10)"."""
    args = ", ".join(f"{name}={_value(value)}" for name, value in call.args.items())
    return f"{call.tool if isinstance(call, Call) else call.name}({args})"


def _value(value: Any) -> str:
    if isinstance(value, tuple):
        return "|".join(map(str, value))
    return "nothing" if value is None else str(value)
