"""The sample household is the same for the same day and seed, realistic, and holds what questions are asked about."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from itertools import pairwise
from uuid import UUID

import pytest

from db.engine import Database
from domain.errors import Conflict
from domain.money import Money
from domain.periods import Month
from ledger import accounts, categories, household, journal, preferences, rules, transactions
from ledger.changes import apply, editing
from ledger.filters import TxnFilter
from ledger.household import Household

DAYS = [date(2026, 11, 22), date(2026, 11, 1), date(2028, 2, 29), date(2026, 12, 31), date(2027, 3, 1)]


def test_same_day_and_seed_give_the_same_rows() -> None:
    """Two generations agree in every row, ids and numbers too; another seed gives another household."""
    assert household.generate(DAYS[0]) == household.generate(DAYS[0], 7)
    assert household.generate(DAYS[0]).transactions != household.generate(DAYS[0], 8).transactions


@pytest.mark.parametrize("today", DAYS)
@pytest.mark.parametrize("seed", range(4))
def test_eighteen_months_up_to_today(today: date, seed: int) -> None:
    """About 1,200 transactions from 18 months ago to today, none later, numbered in the order of their days."""
    home = household.generate(today, seed)
    days = [txn.day for txn in home.transactions]
    assert 1_100 <= len(days) <= 1_400
    assert home.first_month == Month.of(today).plus(-18)
    assert days[0] == home.first_month.first
    assert days[-1] <= today
    assert days == sorted(days)
    assert [txn.no for txn in home.transactions] == list(range(1, len(days) + 1))


def test_every_day_adds_to_the_household_of_the_day_before() -> None:
    """Within a month, a later day's household is the earlier one and what came since; only pending marks settle."""
    first = date(2026, 11, 2)
    for day in range(20):
        a, b = (household.generate(first + timedelta(days=d)).transactions for d in (day, day + 1))
        settled = [(t.id, t.day, t.amount, t.merchant, t.account, t.category) for t in b]
        assert settled[: len(a)] == [(t.id, t.day, t.amount, t.merchant, t.account, t.category) for t in a]


def test_every_posting_is_in_its_accounts_currency(home: Household) -> None:
    """Dollars on the dollar accounts, euros in the euro cash."""
    currency = {account.name: account.opening.currency for account in home.accounts}
    assert all(txn.amount.currency == currency[txn.account] for txn in home.transactions)
    assert {"USD", "EUR"} == {txn.amount.currency for txn in home.transactions}


def test_amounts_are_plausible(home: Household) -> None:
    """No month is without rent, groceries, income or saving; income covers spending over the whole time."""
    for number in range(18):
        month = home.first_month.plus(number)
        sums: Counter[str] = Counter()
        for txn in home.transactions:
            if txn.day in month.days and txn.amount.currency == "USD":
                sums[txn.category] += txn.amount.minor
        assert -2_225_00 <= sums["Rent"] <= -2_150_00
        assert -1_300_00 <= sums["Groceries"] <= -350_00
        assert 6_500_00 <= sums["Income"] <= 7_200_00
        assert -500_00 <= sums["Utilities"] <= -250_00
    assert sum(t.amount.minor for t in home.transactions if t.amount.currency == "USD") > 0


def test_transfers_between_dollar_accounts_cancel_out(home: Household) -> None:
    """Each transfer has two legs on the same day that add up to nothing, the purchase of euros aside."""
    legs = [t for t in home.transactions if t.category == "Transfers" and t.merchant != "Travelex"]
    assert sum(t.amount.minor for t in legs) == 0
    assert set(Counter((t.day, t.merchant) for t in legs).values()) == {2}


def test_the_known_stories_are_there(home: Household) -> None:
    """A refund, a price rise, a cancelled subscription, a dentist's bill, a trip in euros, and twins of one day."""
    at = {
        merchant: [t for t in home.transactions if t.merchant == merchant]
        for merchant in {"Amazon", "Netflix", "Audible", "Bayview Dental", "Blue Bottle Coffee", "Cervejaria Ramiro"}
    }
    assert [t.amount for t in at["Amazon"] if t.amount.minor > 0] == [Money(129_99, "USD")]
    assert Money(-129_99, "USD") in [t.amount for t in at["Amazon"]]
    assert [(a.amount.minor, b.amount.minor) for a, b in pairwise(at["Netflix"]) if a.amount != b.amount] == [
        (-15_49, -17_99)
    ]
    assert at["Audible"][-1].day == date(2026, 5, 9)
    assert [t.amount for t in at["Bayview Dental"]] == [Money(-1_240_00, "USD")]
    assert at["Cervejaria Ramiro"][0].amount == Money(-41_50, "EUR")
    twins = [t for t in at["Blue Bottle Coffee"] if t.day == date(2026, 10, 9) and t.amount.minor == -5_25]
    assert len(twins) == 2


async def test_seeding_stores_exactly_what_was_generated(database: Database, resident: UUID, home: Household) -> None:
    """Every transaction comes back from the database as generated, the twins as two."""
    async with database.read(resident) as tx:
        found = await transactions.search(tx, TxnFilter(), limit=5_000)
        names = {account.name for account in await accounts.list_(tx)}
        groups = [(c.name, c.group, c.kind) for c in await categories.list_(tx)]
        stored_rules = await rules.list_(tx)
        prefs = await preferences.get(tx)
    stored = [(t.id, t.no, t.day, t.amount, t.merchant, t.memo, t.account, t.category, t.pending) for t in found.items]
    assert stored[::-1] == [
        (t.id, t.no, t.day, t.amount, t.merchant, t.memo, t.account, t.category, t.pending) for t in home.transactions
    ]
    assert names == {account.name for account in home.accounts}
    assert sorted(groups) == sorted((c.name, c.group, c.kind) for c in home.categories)
    assert {(r.merchant, r.category) for r in stored_rules} == set(home.rules)
    assert prefs.currency == "USD"


async def test_counts_say_what_was_stored(database: Database, user: UUID, home: Household) -> None:
    """The counts of a seeding are the numbers of rows generated."""
    async with database.transaction(user) as tx:
        counts = await household.seed(tx, home.today)
    assert counts == household.Counts(4, 12, len(home.budgets), len(home.transactions), len(home.rules))


async def test_seeding_twice_is_refused(database: Database, owner: UUID, home: Household) -> None:
    """A user who has a budget keeps it."""
    with pytest.raises(Conflict, match="reset"):
        async with database.transaction(owner) as tx:
            await household.seed(tx, home.today)


async def test_reset_leaves_nothing_and_seeding_starts_over(database: Database, owner: UUID, home: Household) -> None:
    """After a reset the journal is empty too, and a new seeding numbers transactions from 1."""
    async with database.transaction(owner) as tx:
        changes = await apply(tx, [await editing(tx, "txn", {"id": str(home.transactions[0].id)}, memo="x")])
        await journal.append(tx, kind="edit_transaction", text="", changes=changes, approval="test")
        await household.reset(tx)
        assert await accounts.list_(tx) == ()
        assert await categories.list_(tx) == ()
        assert (await transactions.search(tx, TxnFilter())).count == 0
        assert (await journal.list_(tx))[0] == ()
        await household.seed(tx, home.today)
        assert (await transactions.get(tx, 1)).id == home.transactions[0].id


async def test_another_users_household_stays(database: Database, owner: UUID, resident: UUID, home: Household) -> None:
    """Resetting one user's ledger touches nobody else's."""
    async with database.transaction(owner) as tx:
        await household.reset(tx)
    async with database.read(resident) as tx:
        assert (await transactions.search(tx, TxnFilter(), limit=1)).count == len(home.transactions)
