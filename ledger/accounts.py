"""Accounts and their balances. A balance is never stored: it is the opening amount and the sum of the transactions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from db.engine import Transaction
from domain.money import Money

Kind = Literal["checking", "savings", "credit", "cash", "investment", "loan"]


@dataclass(frozen=True, slots=True)
class Account:
    """A place money is in, or owed to (`balance` is then negative). All of its transactions are in its `currency`."""

    id: UUID
    name: str
    kind: Kind
    currency: str
    opening: Money
    balance: Money
    transactions: int
    version: int


async def list_(tx: Transaction) -> tuple[Account, ...]:
    """Every account by name, with the balance of all its transactions, pending ones included. One query."""
    rows = await tx.pg.fetch(
        """
        SELECT a.id, a.name, a.kind, a.currency, a.opening_minor, a.version,
               coalesce(t.n, 0) AS n, a.opening_minor + coalesce(t.minor, 0) AS balance
          FROM account a
          LEFT JOIN (SELECT account_id, sum(n)::bigint AS n, sum(out_minor + in_minor)::bigint AS minor
                       FROM month_rollup WHERE user_id = $1 GROUP BY account_id) t ON t.account_id = a.id
         WHERE a.user_id = $1
         ORDER BY lower(a.name)
        """,
        tx.user,
    )
    return tuple(
        Account(
            id=row["id"],
            name=row["name"],
            kind=row["kind"],
            currency=row["currency"],
            opening=Money(row["opening_minor"], row["currency"]),
            balance=Money(row["balance"], row["currency"]),
            transactions=row["n"],
            version=row["version"],
        )
        for row in rows
    )
