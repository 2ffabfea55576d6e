"""The sample household's life, month by month: everything it earned, paid and moved, as plain postings.

Every subject draws from a generator of its own, seeded by the seed, the subject and the month, so that changing one
habit leaves the others as they were, and tomorrow's household is today's and what tomorrow adds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random

from domain.periods import Month
from ledger.household_plan import BILLS, CARD, CHECKING, EURO_CASH, HABITS, MONTHS, SAVINGS, Bill

REFUND_MONTH, DENTAL_MONTH, TRIP_MONTH, TWINS_MONTH, RAISE_MONTH = 15, 16, 10, 17, 9


@dataclass(frozen=True, slots=True)
class Posting:
    """One line on an account: `minor` cents, negative for money that left; account and category by name."""

    day: date
    account: str
    minor: int
    merchant: str
    category: str
    memo: str = ""
    currency: str = "USD"
    pending: bool = False


def life(today: date, seed: int) -> tuple[Posting, ...]:
    """All postings of 18 whole months and the present one up to `today`, oldest first; the order within a day is fixed.
    Card postings of today and yesterday are still pending."""
    first = Month.of(today).plus(-MONTHS)
    months = [first.plus(number) for number in range(MONTHS + 1)]
    postings: list[Posting] = []
    for number, month in enumerate(months):
        own = [*_income(number, month, seed), *_bills(number, month), *_energy(month, seed), *_habits(month, seed)]
        own += _events(number, month)
        own += _transfers(month, seed, last_card_bill=_charged_in(months[number - 1], postings) if number else 612_48)
        postings += own
    done = [p for p in postings if p.day <= today]
    done.sort(key=lambda p: p.day)  # stable: the order in which the lines above made them
    recent = today - timedelta(days=1)
    return tuple(replace(p, pending=True) if p.account == CARD and p.day >= recent else p for p in done)


def _charged_in(month: Month, postings: Iterable[Posting]) -> int:
    return -sum(p.minor for p in postings if p.account == CARD and p.day in month.days and p.category != "Transfers")


def _random(seed: int, subject: str, month: Month) -> Random:
    return Random(f"{seed}:{subject}:{month}")  # noqa: S311 -- a made-up household, not a secret


def _day(month: Month, day: int) -> date:
    return month.first.replace(day=min(day, month.last.day))


def _workday(day: date) -> date:
    """The day itself, or the Friday before when it falls on a weekend."""
    return day - timedelta(days=max(0, day.weekday() - 4))


def _income(number: int, month: Month, seed: int) -> Iterator[Posting]:
    pay = 1_842_60 if number < RAISE_MONTH else 1_897_88
    for day in (15, 31):
        yield Posting(_workday(_day(month, day)), CHECKING, pay, "Northwind Robotics", "Income", "Payroll")
    yield Posting(_workday(_day(month, 25)), CHECKING, 3_104_25, "Brightwater Hospital", "Income", "Salary")
    interest = _random(seed, "interest", month).randint(31_00, 39_00) + number * 1_10
    yield Posting(month.last, SAVINGS, interest, "Interest", "Income")


def _bills(number: int, month: Month) -> Iterator[Posting]:
    for bill in BILLS:
        start = bill.prices[0][0]
        if number >= start and (number - start) % bill.every == 0 and (bill.until is None or number < bill.until):
            yield Posting(_day(month, bill.day), bill.account, -_price(bill, number), bill.merchant, bill.category)


def _price(bill: Bill, number: int) -> int:
    return [cents for start, cents in bill.prices if start <= number][-1]


def _energy(month: Month, seed: int) -> Iterator[Posting]:
    """Electricity and gas: dear in winter and at the height of summer. Water: every month, nearly the same."""
    draw = _random(seed, "energy", month)
    season = {12: 172_00, 1: 184_00, 2: 161_00, 3: 126_00, 7: 118_00, 8: 124_00, 11: 131_00}.get(month.month, 88_00)
    yield Posting(
        _day(month, 14), CHECKING, -(season + draw.randint(-9_50, 9_50)), "Pacific Gas & Electric", "Utilities"
    )
    yield Posting(_day(month, 22), CHECKING, -draw.randint(38_00, 47_00), "City Water", "Utilities")


def _habits(month: Month, seed: int) -> Iterator[Posting]:
    for habit in HABITS:
        draw = _random(seed, habit.merchant, month)
        times = draw.randint(habit.least, habit.most)
        for day in sorted(draw.sample(range(1, month.last.day + 1), times)):
            cents = draw.randint(habit.low, habit.high)
            memo = f"Order 112-{draw.randint(1000000, 9999999)}" if habit.merchant == "Amazon" else ""
            yield Posting(_day(month, day), CARD, -cents, habit.merchant, habit.category, memo)


def _transfers(month: Month, seed: int, last_card_bill: int) -> Iterator[Posting]:
    """Saving every month, and the card paid off: both legs of each, which are no spending."""
    saved = _random(seed, "saving", month).choice((1_200_00, 1_500_00, 1_800_00))
    yield from _moved(_day(month, 3), CHECKING, SAVINGS, saved, "Transfer to Savings")
    yield from _moved(_day(month, 24), CHECKING, CARD, last_card_bill, "Visa Card Payment")


def _moved(day: date, source: str, target: str, cents: int, what: str) -> Iterator[Posting]:
    yield Posting(day, source, -cents, what, "Transfers")
    yield Posting(day, target, cents, what, "Transfers")


def _events(number: int, month: Month) -> Iterator[Posting]:
    """What happened once: a refund, a dentist's bill, a trip abroad, and two coffees of the same price on one day."""

    def on_card(day: int, cents: int, merchant: str, category: str, memo: str = "") -> Posting:
        return Posting(_day(month, day), CARD, -cents, merchant, category, memo)

    if number == REFUND_MONTH:
        yield on_card(6, 129_99, "Amazon", "Shopping", "Order 112-4471920")
        yield on_card(19, -129_99, "Amazon", "Shopping", "Refund of order 112-4471920")
    if number == DENTAL_MONTH:
        yield on_card(11, 1_240_00, "Bayview Dental", "Health", "Crown")
    if number == TWINS_MONTH:
        yield on_card(9, 5_25, "Blue Bottle Coffee", "Dining")
        yield on_card(9, 5_25, "Blue Bottle Coffee", "Dining")
    if number == TRIP_MONTH - 2:
        yield on_card(18, 1_186_40, "TAP Air Portugal", "Travel", "Two seats to Lisbon")
    if number == TRIP_MONTH:
        yield from _trip(month, on_card(17, 742_16, "Hotel Avenida Lisboa", "Travel", "EUR 684.00 at 1.0850"))


def _trip(month: Month, hotel: Posting) -> Iterator[Posting]:
    """A week in Lisbon: the hotel on the card, in dollars, and cash in euros, which stay euros."""

    def in_cash(day: int, cents: int, merchant: str, category: str) -> Posting:
        return Posting(_day(month, day), EURO_CASH, -cents, merchant, category, currency="EUR")

    yield hotel
    yield Posting(_day(month, 10), CHECKING, -326_70, "Travelex", "Transfers", "EUR 300.00")
    yield Posting(_day(month, 10), EURO_CASH, 300_00, "Travelex", "Transfers", "USD 326.70", currency="EUR")
    yield in_cash(12, 13_60, "Metro de Lisboa", "Transport")
    yield in_cash(12, 41_50, "Cervejaria Ramiro", "Dining")
    yield in_cash(13, 7_80, "Pastéis de Belém", "Dining")
    yield in_cash(13, 24_00, "Mosteiro dos Jerónimos", "Travel")
    yield in_cash(14, 36_20, "Tasca do Chico", "Dining")
    yield in_cash(15, 18_90, "Pingo Doce", "Groceries")
    yield in_cash(15, 27_00, "Oceanário de Lisboa", "Entertainment")
    yield in_cash(16, 52_40, "Time Out Market", "Dining")
    yield in_cash(17, 16_00, "Bolt", "Transport")
