"""Money: an exact number of minor units of one ISO 4217 currency. Unlike currencies never mix; no float is involved."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation, localcontext

from babel import Locale
from babel.numbers import format_currency, get_currency_precision, get_currency_symbol, list_currencies

from domain.errors import InvalidInput

MAX_MINOR = 10**15
"""Amounts beyond this many minor units are refused as typing errors; it also keeps every sum within a bigint."""


class CurrencyMismatch(InvalidInput):
    """Two amounts of different currencies were added or compared; they need a rate and a date first."""

    code = "currency_mismatch"


def check_currency(code: str) -> str:
    """The ISO 4217 code in capitals. Raises InvalidInput for one that is not in the standard."""
    upper = code.strip().upper()
    if len(upper) != 3 or upper not in list_currencies():
        raise InvalidInput(f"{code[:16]!r} is not an ISO 4217 currency code; use one such as USD, EUR or JPY.")
    return upper


def exponent(currency: str) -> int:
    """How many decimals the currency's minor unit has: 0 for JPY, 2 for USD, 3 for KWD (ISO 4217, by way of CLDR)."""
    return int(get_currency_precision(currency))


@dataclass(frozen=True, slots=True)
class Money:
    """`minor` minor units (cents, yen, fils) of `currency`; spending is negative where an amount has a direction."""

    minor: int
    currency: str

    @classmethod
    def of(cls, amount: Decimal | str | int, currency: str) -> Money:
        """The amount given in major units ("12.50"). Raises InvalidInput when it is no number, has more decimals than
        the currency, or is beyond MAX_MINOR."""
        code = check_currency(currency)
        try:
            value = Decimal(amount)
        except InvalidOperation:
            raise InvalidInput(f"{str(amount)[:32]!r} is not an amount; write it like 12.50.") from None
        if not value.is_finite() or abs(value) > MAX_MINOR:
            raise InvalidInput(f"{str(amount)[:32]!r} is too large for an amount.")
        with localcontext(prec=60):
            minor = value.scaleb(exponent(code))
            if minor != minor.to_integral_value():
                raise InvalidInput(f"{amount} has more decimals than {code} has ({exponent(code)}).")
            if abs(minor) > MAX_MINOR:
                raise InvalidInput(f"{amount} {code} is too large for an amount.")
            return cls(int(minor), code)

    @property
    def amount(self) -> Decimal:
        """The amount in major units, exact."""
        return Decimal(self.minor).scaleb(-exponent(self.currency))

    def _same(self, other: Money) -> None:
        if self.currency != other.currency:
            raise CurrencyMismatch(f"{self.currency} and {other.currency} cannot be added without a rate.")

    def __add__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.minor - other.minor, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __abs__(self) -> Money:
        return Money(abs(self.minor), self.currency)

    def __lt__(self, other: Money) -> bool:
        self._same(other)
        return self.minor < other.minor

    def split(self, share: Decimal) -> Money:
        """`share` of this amount (0.25 for a quarter), rounded half to even to a whole minor unit."""
        return Money(int((Decimal(self.minor) * share).to_integral_value(ROUND_HALF_EVEN)), self.currency)

    def format(self, locale: str = "en_US") -> str:
        """As people in `locale` write it: "$1,234.50", "1.234,50 €"."""
        return str(format_currency(self.amount, self.currency, locale=Locale.parse(locale.replace("-", "_"))))

    def json(self) -> dict[str, int | str]:
        """`{"minor": ..., "currency": ...}`, the shape of amounts on every wire."""
        return {"minor": self.minor, "currency": self.currency}


def currency_symbol(currency: str, locale: str = "en_US") -> str:
    """The sign people in `locale` use for the currency: "$", "€"."""
    return str(get_currency_symbol(currency, locale=Locale.parse(locale.replace("-", "_"))))
