"""The words around a number that say what it is: currencies, shares, multipliers, hedges, and what is counted."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, cast

from babel import Locale, UnknownLocaleError
from babel.numbers import get_currency_symbol, list_currencies

from agent.grounding.figures import Hedge

_DOLLARS = frozenset({"USD", "CAD", "AUD", "NZD", "SGD", "HKD", "MXN", "TWD", "ARS", "CLP", "COP"})
_SIGNS: Final[dict[str, frozenset[str]]] = {
    "$": _DOLLARS,
    "US$": frozenset({"USD"}),
    "CA$": frozenset({"CAD"}),
    "C$": frozenset({"CAD"}),
    "A$": frozenset({"AUD"}),
    "€": frozenset({"EUR"}),
    "£": frozenset({"GBP"}),
    "¥": frozenset({"JPY", "CNY"}),
    "￥": frozenset({"JPY", "CNY"}),
    "円": frozenset({"JPY"}),
    "元": frozenset({"CNY"}),
    "₹": frozenset({"INR"}),
    "₩": frozenset({"KRW"}),
    "₽": frozenset({"RUB"}),
    "₺": frozenset({"TRY"}),
    "₪": frozenset({"ILS"}),
    "₴": frozenset({"UAH"}),
    "₫": frozenset({"VND"}),
    "zł": frozenset({"PLN"}),
    "Kč": frozenset({"CZK"}),
    "R$": frozenset({"BRL"}),
    "kr": frozenset({"SEK", "NOK", "DKK"}),
    "Fr.": frozenset({"CHF"}),
}
_WORDS: Final[dict[str, frozenset[str]]] = {
    "dollar": _DOLLARS,
    "dollars": _DOLLARS,
    "buck": _DOLLARS,
    "bucks": _DOLLARS,
    "dólares": _DOLLARS,
    "euro": frozenset({"EUR"}),
    "euros": frozenset({"EUR"}),
    "pound": frozenset({"GBP"}),
    "pounds": frozenset({"GBP"}),
    "quid": frozenset({"GBP"}),
    "yen": frozenset({"JPY"}),
    "franken": frozenset({"CHF"}),
    "francs": frozenset({"CHF", "XOF", "XAF"}),
    "rupees": frozenset({"INR", "PKR"}),
    "pesos": frozenset({"MXN", "ARS", "CLP", "COP", "PHP"}),
    "zloty": frozenset({"PLN"}),
    "kronor": frozenset({"SEK"}),
    "kroner": frozenset({"NOK", "DKK"}),
    "reais": frozenset({"BRL"}),
}
_MULTIPLIERS: Final[dict[str, int]] = {
    "k": 10**3,
    "thousand": 10**3,
    "grand": 10**3,
    "tsd": 10**3,
    "tausend": 10**3,
    "mille": 10**3,
    "mil": 10**3,
    "m": 10**6,
    "mm": 10**6,
    "million": 10**6,
    "millions": 10**6,
    "mio": 10**6,
    "millionen": 10**6,
    "bn": 10**9,
    "billion": 10**9,
    "万": 10**4,
    "億": 10**8,
}
_PERCENT = (
    r"[%٪﹪]|percent(?:age points?)?\b|per cent\b|pct\b|Prozent(?:punkte?)?\b|pour cent\b|por ciento\b|por cento\b|"
    r"per cento\b|procent\b|パーセント"
)
_TIMES = r"[x×](?![\w])|times\b|fold\b|mal\b|fois\b|veces\b"
_MULTIPLIER = (
    r"(?:k|K|m|M|mm|bn|thousand|grand|million|billion|Tsd|Mio|tausend|Millionen|millions|mille|mil)\b\.?|[万億]"
)
_HEDGES: Final[dict[str, Hedge]] = {}
for _hedge, _phrases in {
    "about": "about|around|approximately|approx|roughly|some|circa|ca|an estimated|in the region of|somewhere near|"
    "ungefähr|etwa|rund|environ|à peu près|autour de|unos|unas|alrededor de|aproximadamente|cerca de|close to",
    "over": "over|more than|at least|just over|a little over|upwards of|north of|über|mehr als|plus de|más de|oltre",
    "under": "almost|nearly|just under|under|less than|up to|at most|a little under|knapp|fast|weniger als|presque|"
    "près de|moins de|casi|menos de|quasi",
}.items():
    for _phrase in _phrases.split("|"):
        _HEDGES[_phrase] = cast("Hedge", _hedge)

_ARTICLES: Final = frozenset({"a", "an", "the", "your"})


def hedge_before(text: str, start: int) -> Hedge:
    """Whether what stands before a figure says that it is not meant to the last digit."""
    before = text[max(0, start - 30) : start].casefold()
    if before.rstrip(" *_(").endswith(("~", "≈", "約", "およそ")):
        return "about"
    words = before.replace("*", " ").replace("(", " ( ").replace(",", " , ").replace(".", " ").split()
    if words and words[-1] in _ARTICLES:
        words.pop()
    for count in (3, 2, 1):
        if found := _HEDGES.get(" ".join(words[-count:])):
            return found
    return ""


AND_CHANGE: Final = re.compile(r"\s+and (?:some )?change\b", re.I)
HEDGED_AFTER: Final = re.compile(
    r"(?:[\s-]?ish\b|\s+or (?:less|more)\b|\s+or so\b|\s+give or take\b|\+(?!\w)|前後|くらい|ほど)", re.I
)

_COUNTED: Final = {
    "transaction": "transaction purchase charge payment order visit entry posting trip expense deposit debit bill "
    "buchung buchungen zahlung zahlungen einkauf einkäufe einkäufen achat opération transacción transacciones compra "
    "pago transazione acquisto 件 回",
    "category": "category kategorie kategorien catégorie categoría envelope budget",
    "account": "account konto konten compte cuenta conto card",
    "goal": "goal ziel ziele objectif meta",
    "merchant": "merchant store shop place restaurant händler commerçant comercio",
    "subscription": "subscription abo abonnement suscripción",
    "change": "change proposal änderung änderungen vorschlag vorschläge changement proposition cambio propuesta "
    "modifica",
    "day": "day tag tage tagen jour día giorno giorni 日",
    "week": "week woche wochen semaine semana settimana paycheck payday",
    "month": "month monat monate monaten mois mes meses mese mesi か月 ヶ月",
    "year": "year jahr jahre jahren an ans année año anno",
    "time": "time",
    "item": "item thing",
}


def _nouns() -> dict[str, str]:
    found: dict[str, str] = {}
    for sort, names in _COUNTED.items():
        for name in names.split():
            found |= {name: sort, f"{name}s": sort}
            if name.endswith("y"):
                found[f"{name[:-1]}ies"] = sort
    return found


NOUNS: Final = _nouns()
"""What may be counted, singular and plural, to the sort of thing it is."""


@dataclass(frozen=True)
class Units:
    """What may stand before and after a number for this user, and the currencies that signs stand for."""

    signs: dict[str, frozenset[str]]

    def currencies(self, sign: str) -> frozenset[str]:
        """The currencies that a sign, a code or a word may mean; empty for anything else."""
        return self.signs.get(sign) or self.signs.get(sign.casefold()) or frozenset()

    def before(self, text: str, start: int) -> tuple[int, frozenset[str]]:
        """Where a sign or code just before `start` begins, and what it may mean; `start` when there is none."""
        end = start - 1 if text[start - 1 : start] in _SPACES and start else start
        for length in range(min(4, end), 0, -1):
            sign = text[end - length : end]
            apart = not sign[0].isalpha() or end == length or not text[end - length - 1].isalpha()
            if apart and (found := self._sign(sign)):
                return end - length, found
        return start, frozenset()

    def after(self, text: str, end: int) -> After:
        """The unit that follows a number."""
        found = _AFTER.match(text, end)
        if found is None:  # cannot be: every part of it is optional
            return After(end)
        factor = multiplier(found["multiplier"] or "")
        stop = found.end("multiplier") if found["multiplier"] else end
        for kind in ("percent", "times", "cents"):
            if found[kind]:
                return After(found.end(kind), kind, factor)
        if word := found["word"]:
            for length in range(min(len(word), 12), 0, -1):
                sign, rest = word[:length], word[length:]
                if (meant := self.currencies(sign)) and not (
                    sign[-1].isalpha() and sign.isascii() and rest[:1].isalpha()
                ):
                    if sign.isascii() and sign.isalpha() and len(sign) == 3 and not (sign.isupper() or sign in _LOWER):
                        continue
                    return After(found.start("word") + length, "money", factor, meant)
        return After(stop, "", factor)

    def _sign(self, sign: str) -> frozenset[str] | None:
        found = self.signs.get(sign) or (self.signs.get(sign.upper()) if sign in _LOWER else None)
        return None if found and sign in _WORDS else found


@dataclass(frozen=True, slots=True)
class After:
    """What follows a number, up to `end`: "percent", "times", "cents", "money" or nothing, and a multiplier."""

    end: int
    kind: str = ""
    factor: int = 1
    currencies: frozenset[str] = frozenset()


_SPACES: Final = (" ", "\u00a0", "\u202f", "\u2009")
_LOWER: Final = frozenset({"usd", "eur", "gbp", "chf", "jpy"})
_GAP = r"[ \u00a0\u202f\u2009-]?"
_AFTER: Final = re.compile(
    rf"(?P<multiplier>{_GAP}(?:{_MULTIPLIER}))?"
    rf"(?:{_GAP}(?:(?P<percent>{_PERCENT})|(?P<times>{_TIMES})"
    rf"|(?P<cents>(?:cents?|¢|Cent|centimes|céntimos|pence)\b)|(?P<word>[^\s\d,;:!?()*|]{{1,12}})))?"
)


def multiplier(word: str) -> int:
    """What "k" or "million" multiplies by; 1 for nothing."""
    return _MULTIPLIERS.get(word.lower().strip(" .\u00a0-"), 1)


@lru_cache(maxsize=64)
def units(locale: str, currency: str) -> Units:
    """The units for a user's locale and currency; a sign shared by many currencies is the user's if it can be."""
    signs = {code: frozenset({code}) for code in list_currencies()}
    signs |= {code.lower(): frozenset({code}) for code in ("USD", "EUR", "GBP", "CHF", "JPY")}
    signs |= {**_SIGNS, **_WORDS}
    with suppress(ValueError, UnknownLocaleError):
        signs.setdefault(get_currency_symbol(currency, Locale.parse(locale.replace("-", "_"))), frozenset({currency}))
    return Units({sign: frozenset({currency}) if currency in found else found for sign, found in signs.items()})
