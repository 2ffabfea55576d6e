"""Numbers written in digits: how a locale groups and points them, and what a run of digits may mean."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.numbers import get_decimal_symbol, get_group_symbol

SPACES = "\u00a0\u202f\u2009"
LONGEST = 24
"""Characters of the longest number that is read; no amount of money needs more."""

_SPACED = rf"\d{{1,3}}(?:[{SPACES}]\d{{3}})+(?!\d)(?:[.,٫]\d+)?"
_WIDE = r"\d{1,3}(?: \d{3})+(?!\d)(?:[.,٫]\d+)?"
_COMMA_WIDE = r"\d{1,3}(?: \d{3})+,\d{2}(?!\d)"
_PLAIN = r"\d+(?:[.,'’٬٫]\d+)*"
_TO_ASCII = str.maketrans({"٫": ".", "٬": "'", "’": "'", **dict.fromkeys(f" {SPACES}", "'")})


@dataclass(frozen=True)
class Numerals:
    """How a locale writes numbers."""

    decimal: str
    pattern: re.Pattern[str]

    def read(self, text: str) -> tuple[tuple[Decimal, int], ...]:
        """What the digits may mean, each with its number of decimals, the likeliest first; empty when they are no
        number ("1.2.3"). A single separator before three digits can be of either sort, and the locale's comes first.
        """
        if len(text) > LONGEST:
            return ()
        marks = [c for c in text if not c.isdigit()]
        if not marks:
            return ((Decimal(int(text)), 0),)
        plain = text.translate(_TO_ASCII)
        kinds = set(plain) & set(".,'")
        last = max(plain.rfind(c) for c in ".,")
        if last >= 0 and plain.count(plain[last]) == 1:
            head, tail = plain[:last], plain[last + 1 :]
            if len(kinds) > 1:
                return ((_number(head, tail), len(tail)),) if _grouped(head) else ()
            if len(tail) != 3 or len(head) > 3 or head.startswith("0") or "٫" in text:
                return ((_number(head, tail), len(tail)),)
            both = ((_number(head, tail), 3), (Decimal(int(head + tail)), 0))
            return both if plain[last] == self.decimal else both[::-1]
        if len(kinds) == 1 and _grouped(plain):
            return ((_number(plain, ""), 0),)
        return ()


def _grouped(text: str) -> bool:
    """Whether the separators stand where thousands (or lakhs and crores) are set off."""
    first, *groups = re.split(r"[.,']", text)
    if not groups:
        return True
    western = all(len(group) == 3 for group in groups)
    indian = len(groups[-1]) == 3 and all(len(group) == 2 for group in groups[:-1])
    return 0 < len(first) <= 3 and (western or indian)


def _number(head: str, tail: str) -> Decimal:
    digits = re.sub(r"\D", "", head) or "0"
    return Decimal(f"{int(digits)}.{_ascii(tail)}") if tail else Decimal(int(digits))


def _ascii(digits: str) -> str:
    return "".join(str(int(c)) for c in digits)


@lru_cache(maxsize=64)
def numerals(locale: str) -> Numerals:
    """The numerals of a BCP 47 locale; of en-US when it is unknown."""
    try:
        known = Locale.parse(locale.replace("-", "_"))
        decimal, group = get_decimal_symbol(known), get_group_symbol(known)
    except (ValueError, UnknownLocaleError):
        decimal, group = ".", ","
    spaced = [_SPACED, _WIDE if group.isspace() else _COMMA_WIDE, _PLAIN]
    return Numerals("." if decimal == "٫" else decimal, re.compile("|".join(spaced)))
