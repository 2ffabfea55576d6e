"""Currencies as people name them: "EUR", "euros", "Swiss francs", "£"; by CLDR's names, or asked about."""

from __future__ import annotations

from typing import Final

from babel import Locale
from babel.numbers import get_currency_name

from domain.errors import InvalidInput
from domain.money import check_currency
from tools.names import Ambiguous, either, plain

_LARGE: Final = "USD EUR GBP JPY CNY CHF CAD AUD NZD SEK NOK DKK PLN CZK HUF INR KRW BRL MXN ZAR TRY SGD HKD"
TRADED: Final = tuple(_LARGE.split(" "))
"""Those that a bare "dollars" or "crowns" may mean; others are known by their full name or code."""

_SIGNS: Final = {"$": "dollars", "€": "euros", "£": "pounds", "¥": "yen", "₹": "rupees", "₩": "won", "zł": "zlotys"}


def currency(said: str, own: str) -> str:
    """The ISO 4217 code of the currency that was meant; `own` is the user's, which "dollars" means if it is a dollar.

    Raises Ambiguous for several, InvalidInput for none.
    """
    try:
        return check_currency(said)
    except InvalidInput as unknown:
        wanted = plain(_SIGNS.get(said.strip(), said))
        whole = [str(code) for code in Locale("en").currencies if wanted in _names(str(code))]
        last = [code for code in TRADED if wanted in [name.rpartition(" ")[2] for name in _names(code)]]
        for found in ([code for code in whole if code in TRADED], whole, last):
            if own in found:
                return own
            if len(found) > 1:
                raise Ambiguous(f"Which currency: {either(found[:6])}?", choices=found[:6]) from None
            if found:
                return found[0]
        raise unknown


def _names(code: str) -> list[str]:
    """ "us dollar", "us dollars"; without accents, as `plain` has it."""
    return [plain(get_currency_name(code, count=count, locale="en")) for count in (1, 2)]
