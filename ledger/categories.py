"""Categories: what money is spent on, where it comes from, and moves between own accounts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from db.engine import Transaction

Kind = Literal["spending", "income", "transfer"]

UNCATEGORIZED = "Uncategorized"
"""How reports name what has no category; no category can be found by it."""


@dataclass(frozen=True, slots=True)
class Category:
    """`kind` decides what an amount in it means: spending, income, or a transfer, which is neither."""

    id: UUID
    name: str
    group: str
    kind: Kind
    version: int


async def list_(tx: Transaction) -> tuple[Category, ...]:
    """Every category: spending first, then income, then transfers, each by name."""
    rows = await tx.pg.fetch(
        """
        SELECT id, name, group_name, kind, version FROM category
         WHERE user_id = $1
         ORDER BY array_position(ARRAY['spending', 'income', 'transfer'], kind), lower(name)
        """,
        tx.user,
    )
    return tuple(Category(row["id"], row["name"], row["group_name"], row["kind"], row["version"]) for row in rows)
