"""Rules that file a merchant's transactions under a category without asking."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from db.engine import Transaction


@dataclass(frozen=True, slots=True)
class Rule:
    """Transactions whose merchant is `merchant`, in any case, belong to the category."""

    id: UUID
    merchant: str
    category_id: UUID
    category: str
    version: int


_RULE = """
    SELECT r.id, r.merchant, r.category_id, c.name AS category, r.version
      FROM rule r JOIN category c ON c.user_id = r.user_id AND c.id = r.category_id
     WHERE r.user_id = $1
"""


async def list_(tx: Transaction) -> tuple[Rule, ...]:
    """Every rule, by merchant."""
    return tuple(Rule(**row) for row in await tx.pg.fetch(_RULE + " ORDER BY lower(r.merchant)", tx.user))


async def for_merchant(tx: Transaction, merchant: str) -> Rule | None:
    """The rule for exactly this merchant, in any case, or None."""
    row = await tx.pg.fetchrow(_RULE + " AND lower(r.merchant) = lower($2)", tx.user, merchant.strip())
    return Rule(**row) if row else None
