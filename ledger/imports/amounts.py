"""Amounts as banks write them: which mark is the decimal one, by all amounts of a file; and each to minor units."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from domain.money import MAX_MINOR, exponent
from ledger.imports.statement import AmbiguousFile

_SIGNS: Final = {"€": {"EUR"}, "£": {"GBP", "EGP", "GIP"}, "¥": {"JPY", "CNY"}, "￥": {"JPY", "CNY"}, "円": {"JPY"}}
_SIGNS_MORE: Final = {"₹": {"INR"}, "₩": {"KRW"}, "zł": {"PLN"}, "Kč": {"CZK"}, "₺": {"TRY"}, "₽": {"RUB"}}
_SYMBOLS: Final = _SIGNS | _SIGNS_MORE
_DOLLAR: Final = {"USD", "CAD", "AUD", "NZD", "SGD", "HKD", "MXN", "TWD", "BRL", "ARS", "CLP", "COP"}
_SHAPE = re.compile(
    r"(?P<lead>[-+(]?)\s*(?P<before>[^\d\s.,()+-]{0,4}?)\s*(?P<sign>[-+]?)\s*"
    r"(?P<digits>\d[\d.,'’ ]*|[.,]\d+)\s*(?P<after>[^\d\s.,()+-]{0,4}?)\s*(?P<trail>[-+)]?)\s*(?P<dr>(?:CR|DR|Cr|Dr)?)"
)
_ENOUGH: Final = 3
_SPACES = str.maketrans(dict.fromkeys("\xa0\u202f\u2009\t", " ") | {"−": "-", "–": "-", "＋": "+", "－": "-"})
_GROUPED = {"." : re.compile(r"\d{1,3}(,\d{2,3})*(\.\d*)?|\d+(\.\d*)?|\.\d+"),
            "," : re.compile(r"\d{1,3}(\.\d{3})*(,\d*)?|\d+(,\d*)?|,\d+")}  # fmt: skip


class NotAnAmount(ValueError):
    """The text is no amount; the message is a sentence that says why."""


@dataclass(frozen=True, slots=True)
class Written:
    """An amount taken apart: its digits with marks, whether it is negative, the currency's sign or code beside it."""

    digits: str
    negative: bool
    unit: str


def take_apart(text: str) -> Written | None:
    """The parts of a written amount ("(1,234.50)", "1.234,50- EUR", "¥1,200", "12.00 CR"), None when it is none."""
    found = _SHAPE.fullmatch(text.translate(_SPACES).strip())
    if found is None:
        return None
    lead, sign, trail = found["lead"], found["sign"], found["trail"]
    if (lead == "(") != (trail == ")") or (found["before"] and found["after"]):
        return None
    negative = lead in ("-", "(") or sign == "-" or trail == "-" or found["dr"].upper() == "DR"
    digits = re.sub(r"['’ ]", "", found["digits"])
    return Written(digits, negative, found["before"] or found["after"])


def decimal_mark(written: Iterable[str], currency: str) -> str:
    """A point or a comma, by the digits of all amounts. Raises AmbiguousFile when they do not tell, or tell both."""
    places = exponent(currency)
    votes: set[str] = set()
    hints: set[str] = set()
    seen, thirds = 0, Counter[str]()
    open_ = False
    for digits in written:
        seen += 1
        points, commas = digits.count("."), digits.count(",")
        if points and commas:
            votes.add("." if digits.rfind(".") > digits.rfind(",") else ",")
        elif points > 1 or commas > 1:
            votes.add("," if points > 1 else ".")
        elif points or commas:
            mark = "." if points else ","
            whole, _, rest = digits.partition(mark)
            if len(rest) != 3 or len(whole) > 3 or whole in ("", "0"):
                votes.add(mark)
            elif places >= 3:
                open_ = True
                thirds[mark] += 1
            else:  # thousands, as currencies of fewer decimals are not written with three; if nothing says otherwise
                hints.add("," if mark == "." else ".")
    votes = votes or hints
    for mark, times in thirds.items():
        if not votes and times == seen >= _ENOUGH:  # with thousands, small amounts would be written without a mark
            return mark
    if len(votes) > 1:
        raise AmbiguousFile(
            "Some amounts use a point and others a comma for decimals; say which in the mapping: "
            "“decimal”: “.” or “decimal”: “,”.",
            field="decimal",
        )
    if not votes and open_:
        raise AmbiguousFile(
            f"It cannot be told whether 1,234 is one or a thousand {currency}; say which mark is the decimal one in "
            "the mapping: “decimal”: “.” or “decimal”: “,”.",
            field="decimal",
        )
    return votes.pop() if votes else "."


def to_minor(written: Written, mark: str, currency: str, places: int) -> int:
    """Minor units of `currency`, which has `places` decimals. Raises NotAnAmount for another currency's sign, marks in
    the wrong places, and more decimals than there are."""
    if written.unit and not _is(written.unit, currency):
        raise NotAnAmount(f"The amount is in {written.unit}, but the account is in {currency}.")
    if not _GROUPED[mark].fullmatch(written.digits):
        raise NotAnAmount(f"“{written.digits[:32]}” is not an amount with “{mark}” for decimals.")
    whole, _, rest = written.digits.replace("," if mark == "." else ".", "").partition(mark)
    if rest[places:].strip("0"):
        raise NotAnAmount(f"“{written.digits[:32]}” has more decimals than {currency} has ({places}).")
    if len(whole) > 18:
        raise NotAnAmount("The amount is too large.")
    minor = int((whole or "0") + rest[:places].ljust(places, "0"))
    if minor > MAX_MINOR:
        raise NotAnAmount("The amount is too large.")
    return -minor if written.negative else minor


def plain_minor(text: str, currency: str, places: int) -> int:
    """Minor units of an amount of a format that fixes how it is written: a point, or a comma, for decimals only.
    Raises NotAnAmount."""
    if not re.fullmatch(r"[+-]?(\d{1,30}([.,]\d{0,10})?|[.,]\d{1,10})", text):
        raise NotAnAmount(f"“{text[:32]}” is not an amount.")
    return to_minor(Written(text.lstrip("+-").replace(",", "."), text.startswith("-"), ""), ".", currency, places)


def _is(unit: str, currency: str) -> bool:
    if unit.upper() == currency:
        return True
    if "$" in unit:
        return currency in _DOLLAR and unit.upper().strip("$") in ("", "US", "CA", "A", "AU", "NZ", "S", "HK", "R", "C")
    return currency in _SYMBOLS.get(unit, set())
