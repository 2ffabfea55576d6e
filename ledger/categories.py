"""Categories: what money is spent on, where it comes from, and moves between own accounts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal
from uuid import UUID

from db.engine import Transaction

Kind = Literal["spending", "income", "transfer"]
Rollover = Literal["none", "left", "all"]
"""What an envelope takes into the next month: nothing, what is left, or what is left and what is overspent."""

UNCATEGORIZED = "Uncategorized"
"""How reports name what has no category; no category can be found by it."""


@dataclass(frozen=True, slots=True)
class Category:
    """`kind` decides what an amount in it means: spending, income, or a transfer, which is neither. What is carried
    from month to month starts with `rollover_since`, the first month whose rest goes on."""

    id: UUID
    name: str
    group: str
    kind: Kind
    version: int
    rollover: Rollover = "none"
    rollover_since: date | None = None


async def list_(tx: Transaction) -> tuple[Category, ...]:
    """Every category: spending first, then income, then transfers, each by name."""
    rows = await tx.pg.fetch(
        """
        SELECT id, name, group_name AS group, kind, version, rollover, rollover_since FROM category
         WHERE user_id = $1
         ORDER BY array_position(ARRAY['spending', 'income', 'transfer'], kind), lower(name)
        """,
        tx.user,
    )
    return tuple(Category(**row) for row in rows)
