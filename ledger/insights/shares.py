"""Shares that add up: what each part contributed to a difference, in tenths of a percent that sum to exactly 100."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_FLOOR, Decimal


def shares(parts: Sequence[int]) -> tuple[Decimal, ...] | None:
    """Each part as a percentage of their sum, to a tenth, adding up to exactly 100.0 (largest remainders round up);
    parts against the sum's direction are negative. None when the sum is zero: nothing can be a share of it."""
    total = sum(parts)
    if total == 0:
        return None
    exact = [Decimal(part) * 1000 / total for part in parts]
    floors = [int(value.to_integral_value(ROUND_FLOOR)) for value in exact]
    missing = 1000 - sum(floors)
    order = sorted(range(len(parts)), key=lambda at: (floors[at] - exact[at], at))
    for at in order[:missing]:
        floors[at] += 1
    return tuple(Decimal(tenths) / 10 for tenths in floors)
