"""Exchange rates: dated rows, entered or imported, and exact conversion by the latest one on or before a day.

A rate says what one unit of `base` is worth in `quote` on a day, and counts for `MOST_AGE_DAYS` days. A conversion goes
by a rate between the two currencies, in either direction, or else by way of the user's own currency. It is exact until
the one rounding at its end, half to even to a minor unit, and always says its rate and that rate's day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation, localcontext
from fractions import Fraction
from typing import Final

from asyncpg import Record

from db.engine import Transaction
from domain.errors import InvalidInput
from domain.money import MAX_MINOR, Money, check_currency, exponent
from ledger.changes import Change, inserted, read, updated
from ledger.rows import TABLES, Row, to_json

MOST_AGE_DAYS: Final = 31
MOST_DECIMALS: Final = 12
_LIMIT: Final = Decimal(10**9)
_SHOWN_DIGITS: Final = 10


class MissingRate(InvalidInput):
    """There is no rate to convert by; the message asks for one. `details`: base, quote, day, and the latest rate's day
    (None when there is none at all)."""

    code = "missing_rate"


@dataclass(frozen=True, slots=True)
class Rate:
    """One unit of `base` is worth `value` units of `quote` on `day`; `source` says where that is from."""

    base: str
    quote: str
    day: date
    value: Decimal
    source: str = ""

    @classmethod
    def of(cls, base: str, quote: str, day: date, value: Decimal | str | int, source: str = "") -> Rate:
        """The rate with its parts checked. Raises InvalidInput for a currency that is none, for one currency twice, and
        for a value that is not positive, is 10^9 or more, or has more than 12 decimals."""
        base, quote = check_currency(base), check_currency(quote)
        if base == quote:
            raise InvalidInput(f"A rate is between two currencies; {base} to {quote} is always 1.")
        try:
            number = Decimal(value)
        except InvalidOperation:
            raise InvalidInput(f"{str(value)[:32]!r} is not a rate; write it like 1.0842.") from None
        if not number.is_finite() or not 0 < number < _LIMIT:
            raise InvalidInput(f"{str(value)[:32]!r} is not a rate; it is a positive number such as 1.0842.")
        if number != round(number, MOST_DECIMALS):
            raise InvalidInput(f"A rate has at most {MOST_DECIMALS} decimals.")
        return cls(base, quote, day, number.normalize() + 0, source.strip()[:80])


@dataclass(frozen=True, slots=True)
class Converted:
    """`amount`, which `original` is worth. `rate` is the worth of one unit of the original currency, to ten digits, of
    `day`, the older one's when two rates were needed; the conversion itself used the exact rate."""

    original: Money
    amount: Money
    rate: Decimal
    day: date


@dataclass(frozen=True, slots=True)
class RateTable:
    """The latest rates of a user on or before the day `on`, whatever their age, and the user's own currency."""

    on: date
    own: str
    rates: tuple[Rate, ...] = ()

    def convert(self, money: Money, to: str) -> Converted:
        """What the amount is worth in `to`. Raises MissingRate, and InvalidInput when it is too large for an amount."""
        if money.currency == to:
            return Converted(money, money, Decimal(1), self.on)
        found = self._find(money.currency, to)
        if found is None:
            raise self._missing(money.currency, to)
        factor, day = found
        scale = Fraction(10) ** (exponent(to) - exponent(money.currency))
        minor = round(money.minor * factor * scale)  # a Fraction rounds half to even
        if abs(minor) > MAX_MINOR * 10**3:
            raise InvalidInput(f"{money.amount} {money.currency} is too large to convert.")
        return Converted(money, Money(minor, to), shown(factor), day)

    def _find(self, base: str, quote: str) -> tuple[Fraction, date] | None:
        """The exact rate and its day: straight if there is one, else by way of the user's own currency."""
        straight = self._straight(base, quote)
        if straight or self.own in (base, quote):
            return straight
        first, second = self._straight(base, self.own), self._straight(self.own, quote)
        if first is None or second is None:
            return None
        return first[0] * second[0], min(first[1], second[1])

    def _straight(self, base: str, quote: str) -> tuple[Fraction, date] | None:
        """By the newer of the two directions; on the same day, by the one that was asked for."""
        usable = [
            (rate.day, rate.base == base, Fraction(rate.value))
            for rate in self.rates
            if {rate.base, rate.quote} == {base, quote} and (self.on - rate.day).days <= MOST_AGE_DAYS
        ]
        if not usable:
            return None
        day, forward, value = max(usable)
        return (value if forward else 1 / value), day

    def _missing(self, base: str, quote: str) -> MissingRate:
        known = [rate.day for rate in self.rates if {rate.base, rate.quote} == {base, quote}]
        late = f" (the latest, of {max(known)}, is too old)" if known else ""
        return MissingRate(
            f"I have no {base} to {quote} rate for {self.on}{late}; "
            f"give one with `penny rates add {base} {quote} RATE` or POST /v1/rates, "
            f"or say in chat what 1 {base} was worth in {quote}.",
            base=base,
            quote=quote,
            day=self.on.isoformat(),
            latest=max(known).isoformat() if known else None,
        )


async def enter(tx: Transaction, rates: Sequence[Rate]) -> tuple[Change, ...]:
    """Stores the rates, in one statement, and returns what that changed, for the journal. One that was there for the
    same currencies and day is replaced, and of two such among `rates` the later one counts."""
    kept = {(rate.base, rate.quote, rate.day): rate for rate in rates}
    if not kept:
        return ()
    rows = await tx.pg.fetch(
        """
        INSERT INTO rate AS r (user_id, base, quote, day, rate, source)
        SELECT $1, * FROM unnest($2::text[], $3::text[], $4::date[], $5::numeric[], $6::text[])
        ON CONFLICT (user_id, base, quote, day) DO UPDATE
           SET rate = excluded.rate, source = excluded.source, version = r.version + 1
         WHERE (r.rate, r.source) IS DISTINCT FROM (excluded.rate, excluded.source)
        RETURNING base, quote, day, new.rate, new.source, new.version,
                  old.rate AS old_rate, old.source AS old_source, old.version AS old_version
        """,
        tx.user,
        [rate.base for rate in kept.values()],
        [rate.quote for rate in kept.values()],
        [rate.day for rate in kept.values()],
        [rate.value for rate in kept.values()],
        [rate.source for rate in kept.values()],
    )
    return tuple(_entered(row) for row in rows)


def _entered(row: Record) -> Change:
    names = TABLES["rate"].columns
    before = {name: to_json(row[f"old_{name}"]) for name in names} if row["old_version"] is not None else None
    return Change(
        "rate",
        {name: to_json(row[name]) for name in TABLES["rate"].key},
        before,
        {name: to_json(row[name]) for name in names},
    )


async def entering(tx: Transaction, rate: Rate) -> Change | None:
    """The change that `enter` would make of one rate, for a proposal; None when it is already so."""
    key: Row = {"base": rate.base, "quote": rate.quote, "day": rate.day.isoformat()}
    fields = {"rate": to_json(rate.value), "source": rate.source}
    before = await read(tx, "rate", key)
    if before is None:
        return inserted("rate", key, **fields)
    if before["rate"] == fields["rate"]:
        return None
    return updated("rate", key, before, **fields)


async def list_(
    tx: Transaction,
    base: str | None = None,
    quote: str | None = None,
    limit: int = 50,
    after: tuple[date, str, str] | None = None,
) -> tuple[tuple[Rate, ...], tuple[date, str, str] | None]:
    """The rates as they were entered, the newest day first, then by currencies, at most `limit`, after that (day, base,
    quote); and where to go on, None at the end."""
    rows = await tx.pg.fetch(
        """
        SELECT base, quote, day, rate AS value, source FROM rate
         WHERE user_id = $1 AND ($2::text IS NULL OR base = $2) AND ($3::text IS NULL OR quote = $3)
           AND ($4::date IS NULL OR day < $4 OR (day = $4 AND (base, quote) > ($5::text, $6::text)))
         ORDER BY day DESC, base, quote LIMIT $7
        """,
        tx.user,
        base,
        quote,
        *(after or (None, None, None)),
        limit + 1,
    )
    found = tuple(_rate(row) for row in rows[:limit])
    last = found[-1] if len(rows) > limit else None
    return found, (last.day, last.base, last.quote) if last else None


async def table(tx: Transaction, on: date, own: str) -> RateTable:
    """The latest rate of each pair of currencies on or before `on`, for conversions. One query."""
    rows = await tx.pg.fetch(
        """
        SELECT DISTINCT ON (base, quote) base, quote, day, rate AS value, source FROM rate
         WHERE user_id = $1 AND day <= $2 ORDER BY base, quote, day DESC
        """,
        tx.user,
        on,
    )
    return RateTable(on, own, tuple(_rate(row) for row in rows))


async def convert(tx: Transaction, money: Money, to: str, on: date, own: str) -> Converted:
    """What the amount was worth in `to` on the day. `own` is the user's currency. Raises MissingRate."""
    return (await table(tx, on, own)).convert(money, to)


def _rate(row: object) -> Rate:
    record = dict(row)  # type: ignore[call-overload]
    return Rate(**{**record, "value": record["value"].normalize() + 0})


def shown(factor: Fraction) -> Decimal:
    """A rate as people read it: to ten digits, without zeros at its end."""
    with localcontext(prec=_SHOWN_DIGITS, rounding=ROUND_HALF_EVEN):
        return (Decimal(factor.numerator) / Decimal(factor.denominator)).normalize()
