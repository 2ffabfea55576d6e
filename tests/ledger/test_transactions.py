"""Searching transactions: every filter, the whole match's count and totals, pages; and adding new ones."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from uuid import UUID

import pytest

from db.engine import Database
from domain.errors import InvalidInput, NotFound
from domain.money import Money
from domain.periods import DateRange, Month
from ledger import transactions
from ledger.filters import TxnFilter
from ledger.household import Household, SampleTxn
from ledger.transactions import NewTxn

OCTOBER = Month(2026, 10).days


def account(home: Household, name: str) -> UUID:
    return next(a.id for a in home.accounts if a.name == name)


def category(home: Household, name: str) -> UUID:
    return next(c.id for c in home.categories if c.name == name)


Case = tuple[Callable[[Household], TxnFilter], Callable[[SampleTxn], bool]]

CASES: dict[str, Case] = {
    "everything": (lambda h: TxnFilter(), lambda t: True),
    "days": (lambda h: TxnFilter(days=OCTOBER), lambda t: t.day in OCTOBER),
    "category": (lambda h: TxnFilter(category=category(h, "Dining")), lambda t: t.category == "Dining"),
    "account": (lambda h: TxnFilter(account=account(h, "Euro Cash")), lambda t: t.account == "Euro Cash"),
    "merchant": (lambda h: TxnFilter(merchant="AMAZON"), lambda t: "amazon" in t.merchant.lower()),
    "merchant is": (lambda h: TxnFilter(merchant_is="amazon"), lambda t: t.merchant == "Amazon"),
    "merchants": (
        lambda h: TxnFilter(merchants=("shell", "UBER", "nobody")),
        lambda t: t.merchant in ("Shell", "Uber"),
    ),
    "text": (lambda h: TxnFilter(text="4471920"), lambda t: "4471920" in t.memo),
    "percent is no wildcard": (lambda h: TxnFilter(text="%"), lambda t: "%" in t.merchant + t.memo),
    "at least": (
        lambda h: TxnFilter(at_least=Money(50_00, "USD")),
        lambda t: t.amount.currency == "USD" and abs(t.amount.minor) >= 50_00,
    ),
    "between": (
        lambda h: TxnFilter(at_least=Money(10_00, "EUR"), at_most=Money(30_00, "EUR")),
        lambda t: t.amount.currency == "EUR" and 10_00 <= abs(t.amount.minor) <= 30_00,
    ),
    "all at once": (
        lambda h: TxnFilter(OCTOBER, category(h, "Groceries"), merchant="o", at_most=Money(90_00, "USD")),
        lambda t: (
            t.day in OCTOBER
            and t.category == "Groceries"
            and "o" in t.merchant.lower()
            and abs(t.amount.minor) <= 90_00
        ),
    ),
    "spent": (
        lambda h: TxnFilter(OCTOBER, flow="out"),
        lambda t: t.day in OCTOBER and t.amount.minor < 0 and t.category != "Transfers",
    ),
    "earned": (lambda h: TxnFilter(flow="in"), lambda t: t.amount.minor > 0 and t.category != "Transfers"),
    "nothing": (lambda h: TxnFilter(uncategorized=True), lambda t: False),
    "NUL in text": (
        lambda h: TxnFilter(merchant="Ama\0zon", days=OCTOBER),
        lambda t: t.day in OCTOBER and "Amazon" in t.merchant,
    ),
}


@pytest.mark.parametrize("case", CASES)
async def test_a_search_finds_what_plain_python_finds(
    database: Database, resident: UUID, home: Household, case: str
) -> None:
    """Every filter selects the rows that the same condition selects among the generated ones, newest first."""
    wanted, holds = CASES[case]
    matching = [t for t in home.transactions if holds(t)]
    async with database.read(resident) as tx:
        found = await transactions.search(tx, wanted(home), limit=5)
    newest = sorted(matching, key=lambda t: (t.day, t.no), reverse=True)
    assert [t.no for t in found.items] == [t.no for t in newest[:5]]
    assert found.count == len(matching)
    totals = {c: sum(t.amount.minor for t in matching if t.amount.currency == c) for c in ("USD", "EUR")}
    assert {m.currency: m.minor for m in found.totals} == {
        c: total for c, total in totals.items() if any(t.amount.currency == c for t in matching)
    }


async def test_pages_follow_on_without_gap_or_repeat(database: Database, resident: UUID, home: Household) -> None:
    """Page by page, each transaction comes once, and every page tells the whole count."""
    seen: list[int] = []
    after: tuple[date, int] | None = None
    async with database.read(resident) as tx:
        while True:
            found = await transactions.search(tx, TxnFilter(), limit=100, after=after)
            assert found.count == len(home.transactions)
            seen += [t.no for t in found.items]
            if (after := found.next) is None:
                break
    assert sorted(seen) == [t.no for t in home.transactions]


async def test_same_day_twins_stay_two(database: Database, resident: UUID) -> None:
    """Two coffees of the same price on one day are two transactions with numbers of their own."""
    wanted = TxnFilter(DateRange(date(2026, 10, 9), date(2026, 10, 9)), merchant_is="Blue Bottle Coffee")
    wanted = TxnFilter(
        wanted.days, merchant_is="Blue Bottle Coffee", at_most=Money(5_25, "USD"), at_least=Money(5_25, "USD")
    )
    async with database.read(resident) as tx:
        found = await transactions.search(tx, wanted)
    assert (found.count, found.totals) == (2, (Money(-10_50, "USD"),))
    assert found.items[0].no != found.items[1].no


@pytest.mark.parametrize("no", [0, -1, 10_000, 2**63, 10**30])
async def test_an_unknown_number_is_not_found(database: Database, resident: UUID, no: int) -> None:
    """No number, however odd, is an error of another kind."""
    with pytest.raises(NotFound):
        async with database.read(resident) as tx:
            await transactions.get(tx, no)


async def test_new_transactions_are_numbered_on(database: Database, owner: UUID, home: Household) -> None:
    """Numbers go on from the last one, in the order given."""
    new = [NewTxn(account(home, "Visa Card"), date(2026, 11, 22), Money(-100 - n, "USD"), "Kiosk") for n in range(3)]
    async with database.transaction(owner) as tx:
        numbers = await transactions.insert(tx, new)
        stored = [await transactions.get(tx, no) for no in numbers]
    assert numbers == range(len(home.transactions) + 1, len(home.transactions) + 4)
    assert [t.amount.minor for t in stored] == [-100, -101, -102]


@pytest.mark.parametrize("name", ["Visa Card", "nobody's"])
async def test_a_transaction_must_fit_its_account(database: Database, owner: UUID, home: Household, name: str) -> None:
    """Euros on a dollar account, or an account that is not the user's, are refused and nothing is added."""
    place = account(home, name) if name == "Visa Card" else UUID(int=1)
    with pytest.raises(InvalidInput, match="currency"):
        async with database.transaction(owner) as tx:
            await transactions.insert(tx, [NewTxn(place, home.today, Money(-100, "EUR"), "Kiosk")])
    async with database.read(owner) as tx:
        assert (await transactions.search(tx, TxnFilter(), limit=1)).count == len(home.transactions)


async def test_merchants_come_by_use_and_name_their_category(
    database: Database, resident: UUID, home: Household
) -> None:
    """The most used merchant comes first, each once; its usual category is the one most of its transactions have."""
    async with database.read(resident) as tx:
        names = await transactions.merchants(tx)
        usual = await transactions.usual_category(tx, "trader joe's")
        unknown = await transactions.usual_category(tx, "Nobody")
    assert set(names) == {t.merchant for t in home.transactions}
    counts = [sum(t.merchant == name for t in home.transactions) for name in names]
    assert counts == sorted(counts, reverse=True)
    assert usual == category(home, "Groceries")
    assert unknown is None


async def test_another_user_sees_nothing(database: Database, resident: UUID, user: UUID) -> None:
    """A household's rows are its owner's alone."""
    async with database.read(user) as tx:
        found = await transactions.search(tx, TxnFilter())
    assert (found.items, found.count, found.totals, found.next) == ((), 0, (), None)
