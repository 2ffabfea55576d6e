"""The sample household: 18 months of a family's money with known answers, and how it gets into a user's ledger.

`generate` knows the whole truth without a database; the same day and seed give the same rows, ids too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from typing import Final
from uuid import UUID, uuid5

from db.engine import Transaction
from domain.errors import Conflict
from domain.money import Money
from domain.periods import Month
from ledger import preferences, transactions
from ledger.accounts import Kind as AccountKind
from ledger.categories import Kind as CategoryKind
from ledger.household_life import life
from ledger.household_plan import ACCOUNTS, BUDGETS, CATEGORIES, LATER_BUDGETS_MONTH, MONTHS, RULES

CURRENCY: Final = "USD"
"""What the household's budget is kept in."""

_NAMESPACE: Final = UUID("6d1c1f0e-6f0b-5a57-9c35-0c7e4e8d2f11")


@dataclass(frozen=True, slots=True)
class SampleAccount:
    id: UUID
    name: str
    kind: AccountKind
    opening: Money


@dataclass(frozen=True, slots=True)
class SampleCategory:
    id: UUID
    name: str
    group: str
    kind: CategoryKind


@dataclass(frozen=True, slots=True)
class SampleBudget:
    month: Month
    category: str
    amount: Money


@dataclass(frozen=True, slots=True)
class SampleTxn:
    """A posting with its number; account and category by name, `amount` negative for money that left."""

    id: UUID
    no: int
    day: date
    amount: Money
    merchant: str
    memo: str
    account: str
    category: str
    pending: bool


@dataclass(frozen=True, slots=True)
class Household:
    """Everything the sample consists of. Transactions are numbered from 1, the oldest first; `rules` are (merchant,
    category)."""

    today: date
    accounts: tuple[SampleAccount, ...]
    categories: tuple[SampleCategory, ...]
    budgets: tuple[SampleBudget, ...]
    transactions: tuple[SampleTxn, ...]
    rules: tuple[tuple[str, str], ...]

    @property
    def first_month(self) -> Month:
        return Month.of(self.today).plus(-MONTHS)


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows of each kind were stored."""

    accounts: int
    categories: int
    budgets: int
    transactions: int
    rules: int


@lru_cache(maxsize=4)
def generate(today: date, seed: int = 7) -> Household:
    """The household as of `today`: 18 whole months and the present one so far. Nothing lies in the future. The same
    for the same day, so that who needs it for many users has it made once."""

    def named(kind: str, name: object) -> UUID:
        return uuid5(_NAMESPACE, f"{seed}:{kind}:{name}")

    first = Month.of(today).plus(-MONTHS)
    return Household(
        today=today,
        accounts=tuple(
            SampleAccount(named("account", name), name, kind, Money(opening, currency))
            for name, kind, currency, opening in ACCOUNTS
        ),
        categories=tuple(
            SampleCategory(named("category", name), name, group, kind) for name, group, kind in CATEGORIES
        ),
        budgets=tuple(
            SampleBudget(
                first.plus(number), category, Money(later if number >= LATER_BUDGETS_MONTH else early, CURRENCY)
            )
            for number in range(MONTHS + 1)
            for category, (early, later) in BUDGETS.items()
        ),
        transactions=tuple(
            SampleTxn(
                id=named("txn", no),
                no=no,
                day=posting.day,
                amount=Money(posting.minor, posting.currency),
                merchant=posting.merchant,
                memo=posting.memo,
                account=posting.account,
                category=posting.category,
                pending=posting.pending,
            )
            for no, posting in enumerate(life(today, seed), start=1)
        ),
        rules=RULES,
    )


async def seed(tx: Transaction, today: date, seed: int = 7) -> Counts:
    """Stores the household as the user's ledger and makes dollars their currency. Raises Conflict when the user has
    accounts, categories or transactions already; `reset` removes them. Seven statements, however many rows."""
    home = generate(today, seed)
    if not await _is_empty(tx):
        raise Conflict("There is a budget here already; reset it first if the sample household may replace it.")
    chosen = await preferences.get(tx)
    await preferences.put(tx, replace(chosen, currency=CURRENCY))
    await _store_names(tx, home)
    await _store_budgets(tx, home)
    account_ids = {account.name: account.id for account in home.accounts}
    category_ids = {category.name: category.id for category in home.categories}
    new = [
        transactions.NewTxn(
            account_id=account_ids[txn.account],
            day=txn.day,
            amount=txn.amount,
            merchant=txn.merchant,
            memo=txn.memo,
            category_id=category_ids[txn.category],
            pending=txn.pending,
        )
        for txn in home.transactions
    ]
    await transactions.insert(tx, new, [txn.id for txn in home.transactions])
    return Counts(len(home.accounts), len(home.categories), len(home.budgets), len(new), len(home.rules))


async def reset(tx: Transaction) -> None:
    """Deletes the user's whole ledger: accounts, categories, budgets, goals, rates, transactions, rules, proposals and
    journal, and starts transaction numbers at 1 again. Preferences and conversations stay. One statement."""
    await tx.pg.execute(
        """
        WITH p AS (DELETE FROM proposal WHERE user_id = $1),
             j AS (DELETE FROM journal WHERE user_id = $1),
             r AS (DELETE FROM rule WHERE user_id = $1),
             b AS (DELETE FROM budget WHERE user_id = $1),
             g AS (DELETE FROM goal WHERE user_id = $1),
             h AS (DELETE FROM hold WHERE user_id = $1),
             x AS (DELETE FROM rate WHERE user_id = $1),
             t AS (DELETE FROM txn WHERE user_id = $1),
             c AS (DELETE FROM category WHERE user_id = $1),
             a AS (DELETE FROM account WHERE user_id = $1)
        UPDATE app_user SET last_txn_no = 0 WHERE id = $1
        """,
        tx.user,
    )


async def _is_empty(tx: Transaction) -> bool:
    """Whether the user has nothing yet. Locks the user's row: of two seedings at once the second waits and sees it."""
    await tx.pg.execute("UPDATE app_user SET last_txn_no = last_txn_no WHERE id = $1", tx.user)
    empty: bool = await tx.pg.fetchval(
        """
        SELECT NOT EXISTS (SELECT FROM account WHERE user_id = $1)
           AND NOT EXISTS (SELECT FROM category WHERE user_id = $1)
        """,
        tx.user,
    )
    return empty


async def _store_names(tx: Transaction, home: Household) -> None:
    await tx.pg.execute(
        """
        INSERT INTO account (user_id, id, name, kind, currency, opening_minor)
        SELECT $1, * FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::bigint[])
        """,
        tx.user,
        [account.id for account in home.accounts],
        [account.name for account in home.accounts],
        [account.kind for account in home.accounts],
        [account.opening.currency for account in home.accounts],
        [account.opening.minor for account in home.accounts],
    )
    await tx.pg.execute(
        """
        INSERT INTO category (user_id, id, name, group_name, kind)
        SELECT $1, * FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[])
        """,
        tx.user,
        [category.id for category in home.categories],
        [category.name for category in home.categories],
        [category.group for category in home.categories],
        [category.kind for category in home.categories],
    )


async def _store_budgets(tx: Transaction, home: Household) -> None:
    """Budgets and rules in one statement, by the categories' names."""
    await tx.pg.execute(
        """
        WITH budgets AS (
            INSERT INTO budget (user_id, month, category_id, amount_minor, currency)
            SELECT $1, b.month, c.id, b.minor, b.currency
              FROM unnest($2::date[], $3::text[], $4::bigint[], $5::text[]) AS b (month, name, minor, currency)
              JOIN category c ON c.user_id = $1 AND c.name = b.name)
        INSERT INTO rule (user_id, merchant, category_id)
        SELECT $1, r.merchant, c.id FROM unnest($6::text[], $7::text[]) AS r (merchant, name)
          JOIN category c ON c.user_id = $1 AND c.name = r.name
        """,
        tx.user,
        [budget.month.first for budget in home.budgets],
        [budget.category for budget in home.budgets],
        [budget.amount.minor for budget in home.budgets],
        [budget.amount.currency for budget in home.budgets],
        [merchant for merchant, _ in home.rules],
        [category for _, category in home.rules],
    )
